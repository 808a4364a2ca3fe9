-- name: desk
-- An agent's own state, the work in hand with what is being typed, open tickets and the contacts since $2 (midnight).
select a.presence, a.presence_reason, a.presence_at, a.next_presence, a.next_presence_reason, a.routing_status, a.routing_at,
    coalesce((
        select json_agg(w order by w.created_at) from (
            select r.id as reservation, r.interaction_id as interaction, r.state, r.reason, r.created_at, r.due_at, r.answered_at,
                r.released_at, r.channel, i.queue_id as queue, coalesce(i.queued_at, i.arrived_at) as queued_at,
                case when i.address_kind is distinct from 'web' then i.address end as address,
                coalesce(c.name, case when i.channel = 'chat' then i.address_name when i.channel in ('ticket', 'task') then (
                    select coalesce('#' || t.number || ' ' || t.subject, k.title)
                    from offered_work o left join ticket t on t.id = o.ticket_id left join task k on k.id = o.task_id
                    where o.interaction_id = i.id) end) as customer,
                d.note as draft_note, d.disposition as draft_disposition,
                (select min(s.held_at) from segment s where s.interaction_id = i.id and s.ended_at is null) as held_at,
                case when i.channel = 'chat' then (
                    select count(*)::integer from chat h join chat_line l on l.interaction_id = h.interaction_id
                    where h.interaction_id = i.id and l.by_visitor and l.n > h.agent_read) else 0 end as unread,
                -- The first line of the visitor's that nobody has answered.
                case when i.channel = 'chat' then (
                    select min(m.at) from chat_line l join message m on m.id = l.message_id
                    where l.interaction_id = i.id and l.by_visitor and l.n > coalesce(
                        (select max(n) from chat_line where interaction_id = i.id and not by_visitor), 0)) end as asked_at,
                exists (select from segment s where s.interaction_id = i.id and s.reservation_id = r.id and s.ended_at is null
                        and s.hold_reason = 'interrupted') as interrupted
            from reservation r
            join interaction i on i.id = r.interaction_id
            left join customer c on c.id = i.customer_id
            left join draft d on d.user_id = $1 and d.interaction_id = i.id
            where r.agent_id = $1 and r.state in ('pending', 'accepted')
        ) w
    ), '[]') as work,
    coalesce((
        select json_agg(t) from (
            select t.id, t.number, t.subject, t.customer_id as customer, t.updated_at,
                (select coalesce(json_agg(json_build_object('clock', k.clock, 'state', k.state, 'due_at', k.due_at,
                        'risk_at', k.risk_at, 'breached_at', k.breached_at,
                        'remaining_seconds', extract(epoch from k.remaining)::float8)), '[]')
                 from sla_clock k where k.ticket_id = t.id and k.ended_at is null) as clocks
            from ticket t where t.owner_id = $1 and t.state not in ('resolved', 'closed') order by t.id desc limit 100
        ) t
    ), '[]') as tickets,
    coalesce((
        select json_agg(h) from (
            select i.id as interaction, i.channel, i.customer_id as customer, s.ended_at, coalesce(
                c.name, case when i.channel = 'chat' then i.address_name when i.channel in ('ticket', 'task') then (
                    select coalesce('#' || t.number || ' ' || t.subject, k.title)
                    from offered_work o left join ticket t on t.id = o.ticket_id left join task k on k.id = o.task_id
                    where o.interaction_id = i.id) end,
                case when i.address_kind is distinct from 'web' then i.address end) as name
            from (
                select interaction_id, max(ended_at) as ended_at from (
                    -- The newest first and no more than a day can hold: an agent of ten years has 100,000 of them.
                    select interaction_id, answered_at, ended_at from segment where agent_id = $1 order by interaction_id desc limit 200
                ) newest where answered_at >= $2::timestamptz and ended_at is not null group by interaction_id
            ) s
            join interaction i on i.id = s.interaction_id
            left join customer c on c.id = i.customer_id
            order by s.ended_at desc
        ) h
    ), '[]') as handled
from agent a where a.user_id = $1;

-- name: in_hand
-- The live reservation that agent $2 holds of interaction $1.
select r.id, r.state, r.released_at, i.channel, i.pbx, i.queue_id, i.customer_id, i.address_kind, i.address
from reservation r join interaction i on i.id = r.interaction_id
where r.interaction_id = $1 and r.agent_id = $2 and r.state in ('pending', 'accepted');
