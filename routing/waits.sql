-- name: measure
-- By queue and channel: the mean handling time in seconds, from answer to the end of the wrap-up, of what closed in the hour
-- before $1, and half and four fifths of their waits. `held`, by queue: of the people who wait at the other end and were
-- queued in the half hour before $1, the share that was answered in time, of those whose fate is known or whose time is over,
-- short abandons left out. The time of those who came from another queue counts from when they came into this one.
with closed as materialized (
    select queue_id, channel, extract(epoch from closed_at - answered_at)::float8 as handling,
           -- What an agent handed on waited in another way: from the middle of a conversation, at its old place.
           case when not exists (select from handed_over h where h.interaction_id = interaction.id)
                then extract(epoch from answered_at - queued_at)::float8 end as waited
    from interaction
    where closed_at > $1::timestamptz - interval '1 hour' and closed_at <= $1 and answered_at >= queued_at
      and queue_id is not null
),
pace as (
    select queue_id, channel, avg(handling) as handling,
           percentile_cont(array[0.5, 0.8]) within group (order by waited) as waits
    from closed group by queue_id, channel
),
recent as (
    select i.queue_id, count(*) filter (where i.answered_at - coalesce(i.entered_at, i.queued_at) <= q.service_level_within) as in_time,
           count(*) filter (where i.answered_at is not null or i.outcome = 'abandoned'
                            or i.closed_at is null and $1 - coalesce(i.entered_at, i.queued_at) > q.service_level_within) as known
    from interaction i join queue q on q.id = i.queue_id
    where i.queued_at > $1::timestamptz - interval '30 minutes' and i.queued_at <= $1
      and i.channel in ('phone', 'callback', 'chat')
    group by i.queue_id
)
insert into pace (measured_at, queues)
select $1, jsonb_build_object(
    'paces', coalesce((select jsonb_agg(jsonb_build_object(
        'queue', queue_id, 'channel', channel, 'handling', handling, 'median', waits[1], 'p80', waits[2])) from pace), '[]'),
    'held', coalesce((select jsonb_object_agg(queue_id, in_time::float8 / known) from recent where known > 0), '{}'))
on conflict (only_row) do update set measured_at = excluded.measured_at, queues = excluded.queues
returning queues;

-- name: read
select queues from pace;
