-- name: taken
-- How many contacts that came into the queues $2 since $1 were taken after so many of the queue's steps, as the router had decided.
-- $3: the queue of each step, $4: the seconds after which it begins. What was chosen by hand or transferred has no step, and offered tickets
-- and tasks are in no figure of the day.
with taken as (
    select i.queue_id, i.id, i.answered_at from interaction i
    where i.queued_at >= $1::timestamptz and i.queue_id = any ($2::bigint[]) and i.answered_at is not null
      and i.channel not in ('ticket', 'task')
    union all
    -- Answered here, and handed on to another queue since, or to this one again.
    select h.queue_id, h.interaction_id, h.answered_at from handed_over h
    where h.entered_at >= $1 and h.queue_id = any ($2) and h.answered_at is not null
)
select t.queue_id, passed.steps::integer as step, count(*)::integer as taken
from taken t
-- Of each the one reservation, by the index: what is read of the others, with their decisions, is many times the day's.
cross join lateral (
    select (decision ->> 'waited_seconds')::float8 as waited from reservation
    where interaction_id = t.id and answered_at = t.answered_at limit 1
) chosen
cross join lateral (
    select count(*) as steps from unnest($3::bigint[], $4::float8[]) as step (queue_id, after)
    where step.queue_id = t.queue_id and step.after <= chosen.waited
) passed
where chosen.waited is not null
group by 1, 2;
