-- name: queues
-- Each active queue: who waits, what the agents do, and how the time since $1 (today's beginning) went, at $2 (now).
-- Service level: of those queued since then whose fate is known or whose time is over, (answered - late) / (answered +
-- abandoned), short abandons left out. A queue's time begins when they came into it (entered_at). It and the longest wait are of
-- the channels $3, where people wait at the other end; what can wait for hours is told apart (deferrable). Flow-out: who left it
-- for another queue, and who left unserved otherwise than by hanging up. Offered tickets and tasks count as waiting, and in no
-- figure of how the time went.
with today as materialized (
    select i.queue_id, i.outcome, coalesce(i.entered_at, i.queued_at) as entered_at, i.answered_at, i.ended_at, i.closed_at,
           q.service_level_within as within, i.channel = any($3::text[]) as promised
    from interaction i join queue q on q.id = i.queue_id
    where i.arrived_at >= $1::timestamptz - interval '1 day' and i.queued_at >= $1 and i.channel not in ('ticket', 'task')
    union all
    -- Answered here, and handed on to another queue since, or to this one again.
    select h.queue_id, 'handled', h.entered_at, h.answered_at, h.left_at, h.left_at, q.service_level_within, i.channel = any($3)
    from handed_over h join queue q on q.id = h.queue_id join interaction i on i.id = h.interaction_id where h.entered_at >= $1
),
day as (
    select queue_id,
           count(*) filter (where answered_at is not null) as answered,
           count(*) filter (where outcome = 'abandoned') as abandoned,
           count(*) filter (where outcome = 'short_abandoned') as short_abandoned,
           count(*) filter (where outcome = 'flow_out') as flow_out,
           count(*) filter (where promised and answered_at - entered_at <= within) as in_time,
           count(*) filter (where promised and (answered_at is not null or outcome = 'abandoned'
                                                or closed_at is null and $2::timestamptz - entered_at > within)) as known
    from today group by queue_id
),
moved as (
    select queue_id, count(*) as moved from flow_out f where entered_at >= $1
      and not exists (select from offered_work w where w.interaction_id = f.interaction_id) group by queue_id
),
waiting as (
    select queue_id, count(*) as waiting, count(*) filter (where channel <> all($3)) as deferrable,
           extract(epoch from $2 - min(queued_at) filter (where channel = any($3)))::float8 as longest,
           extract(epoch from $2 - min(queued_at) filter (where channel <> all($3)))::float8 as longest_deferrable
    from interaction where closed_at is null and state in ('queued', 'offered') group by queue_id
),
member as (
    select m.queue_id, case when a.presence = 'on_queue' then a.routing_status
                            when a.routing_status in ('idle', 'off_queue') then 'off_queue' else a.routing_status end as doing,
           count(*) as count
    from queue_member m join agent a on a.user_id = m.user_id join users u on u.id = m.user_id and u.active
    group by 1, 2
)
select q.id, q.name, coalesce(w.waiting, 0) as waiting, w.longest,
       coalesce(w.deferrable, 0) as deferrable, w.longest_deferrable, coalesce(d.answered, 0) as answered,
       coalesce(d.abandoned, 0) as abandoned, coalesce(d.short_abandoned, 0) as short_abandoned,
       coalesce(d.flow_out, 0) + coalesce(m.moved, 0) as flow_out,
       case when d.known > 0 then d.in_time::float8 / d.known end as service_level,
       q.service_level_target as target, extract(epoch from q.service_level_within)::float8 as within,
       coalesce((select jsonb_object_agg(doing, count) from member where queue_id = q.id), '{}') as agents
from queue q left join day d on d.queue_id = q.id left join waiting w on w.queue_id = q.id
left join moved m on m.queue_id = q.id
where q.active order by q.name;

-- name: agents
-- Who takes work, with what they have in hand. $1: only this one, or null.
select u.name, u.full_name, a.presence, a.presence_reason as reason, a.next_presence, a.next_presence_reason as next_reason,
       a.routing_status, a.load, (select capacity from organisation) || u.capacity as capacity,
       case when a.presence = 'on_queue' or a.routing_status not in ('idle', 'off_queue')
            then a.routing_at else a.presence_at end as since,
       coalesce((select array_agg(interaction_id order by id) from reservation
                 where agent_id = a.user_id and state in ('pending', 'accepted')), '{}') as "on",
       coalesce((select array_agg(q.name order by q.name) from queue_member m join queue q on q.id = m.queue_id and q.active
                 where m.user_id = a.user_id), '{}') as queues
from agent a join users u on u.id = a.user_id
where u.active and ($1::text is null or u.name = $1)
  and ($1::text is not null or u.role = 'agent' or a.presence <> 'offline'
       or exists (select from queue_member where user_id = a.user_id))
order by u.name;
