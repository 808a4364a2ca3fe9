-- name: going_on
-- Chats that wait or go on, those whose visitor waits longest for an answer first.
select i.id, i.state, coalesce(c.name, i.address_name) as name, u.full_name as agent, q.name as queue,
       coalesce(i.queued_at, i.arrived_at) as queued_at, h.page_title, a.asked_at
from chat h join interaction i on i.id = h.interaction_id
left join customer c on c.id = i.customer_id left join users u on u.id = i.agent_id left join queue q on q.id = i.queue_id
left join lateral (
    select min(m.at) as asked_at from chat_line l join message m on m.id = l.message_id
    where l.interaction_id = i.id and l.by_visitor
      and l.n > coalesce((select max(n) from chat_line where interaction_id = i.id and not by_visitor), 0)
) a on true
where i.closed_at is null and i.channel = 'chat' and i.state in ('queued', 'offered', 'active')
order by a.asked_at nulls last, i.id limit 200;
