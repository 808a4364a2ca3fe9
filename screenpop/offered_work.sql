-- name: about
-- The ticket, or the task and its ticket, that work $1 in the hands of agent $2 is about.
select t.number, t.subject, t.state, t.priority, t.created_at, c.name as customer,
       (select m.text from message m where m.ticket_id = t.id order by m.id desc limit 1) as latest,
       k.id as task, k.title
from offered_work w
left join task k on k.id = w.task_id
left join ticket t on t.id = coalesce(w.ticket_id, k.ticket_id)
left join customer c on c.id = t.customer_id
where w.interaction_id = $1 and exists (
    select from reservation r where r.interaction_id = $1 and r.agent_id = $2 and r.state in ('pending', 'accepted'));
