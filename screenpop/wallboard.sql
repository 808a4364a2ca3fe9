-- name: waiting
-- What waits for an agent, those whose offer is out included: they still hear music. Of the channels $1, where people wait at the
-- other end, and of the others, which can wait for hours.
select queue_id, (count(*) filter (where channel = any($1::text[])))::integer as waiting,
       min(queued_at) filter (where channel = any($1)) as oldest,
       (count(*) filter (where channel <> all($1)))::integer as deferrable,
       min(queued_at) filter (where channel <> all($1)) as oldest_deferrable
from interaction where closed_at is null and state in ('queued', 'offered') and queue_id is not null group by queue_id;

-- name: today
-- Of those queued since $1; $2: now. A contact counts for the service level once its fate is known or the time for it has
-- passed, and not when the customer hung up at once. Its time begins when it came into this queue. Flow-out: who left it for another
-- queue, and who left unserved otherwise than by hanging up. Offered tickets and tasks are nobody who waits. The service level is of
-- the channels $3: promised, in_time and late.
with day as (
    select i.queue_id,
        count(*) filter (where i.answered_at is not null) as answered,
        count(*) filter (where i.channel = any($3::text[])
                         and i.answered_at - coalesce(i.entered_at, i.queued_at) <= q.service_level_within) as in_time,
        count(*) filter (where i.outcome = 'abandoned') as abandoned,
        count(*) filter (where i.outcome = 'short_abandoned') as short_abandoned,
        count(*) filter (where i.closed_at is null and i.answered_at is null and i.channel = any($3)
                         and $2::timestamptz - coalesce(i.entered_at, i.queued_at) > q.service_level_within) as late,
        count(*) filter (where i.outcome = 'flow_out') as flow_out,
        count(*) filter (where i.channel = any($3) and (i.answered_at is not null or i.outcome = 'abandoned')) as known
    from interaction i join queue q on q.id = i.queue_id
    where i.queued_at >= $1::timestamptz and i.channel not in ('ticket', 'task') group by i.queue_id
    union all
    select queue_id, 0, 0, 0, 0, 0, count(*), 0 from flow_out f where entered_at >= $1
      and not exists (select from offered_work w where w.interaction_id = f.interaction_id) group by queue_id
    union all
    -- Answered here, and handed on to another queue since, or to this one again.
    select h.queue_id, count(*),
           count(*) filter (where i.channel = any($3) and h.answered_at - h.entered_at <= q.service_level_within), 0, 0, 0, 0,
           count(*) filter (where i.channel = any($3))
    from handed_over h join queue q on q.id = h.queue_id join interaction i on i.id = h.interaction_id
    where h.entered_at >= $1 group by h.queue_id
)
select queue_id, sum(answered)::integer as answered, sum(in_time)::integer as in_time, sum(abandoned)::integer as abandoned,
       sum(short_abandoned)::integer as short_abandoned, sum(late)::integer as late, sum(flow_out)::integer as flow_out,
       sum(known)::integer + sum(late)::integer as promised
from day group by queue_id;

-- name: satisfaction
-- How often each score was given to the questions of a queue, of the answers since $1.
select queue_id, ask, score, count(*)::integer as count from survey where answered_at >= $1::timestamptz group by 1, 2, 3;

-- name: agents
-- Whoever is not away for good.
select a.user_id, u.full_name, a.presence, a.presence_reason, a.presence_at, a.routing_status, a.routing_at
from agent a join users u on u.id = a.user_id
where u.active and (a.presence <> 'offline' or a.routing_status <> 'off_queue')
order by u.full_name;

-- name: promises
-- Tickets that are late for something, and those of the others for which four fifths of a target are used up at $1.
select (select count(distinct ticket_id)::integer from sla_clock where state = 'breached' and ended_at is null) as breached,
       (select count(distinct k.ticket_id)::integer from sla_clock k where k.state = 'running' and k.risk_at <= $1
        and not exists (select from sla_clock b where b.ticket_id = k.ticket_id and b.state = 'breached' and b.ended_at is null)
       ) as at_risk;

-- name: next_promises
-- Of each queue, the ticket whose promise runs out first, of those that are still kept at $1.
select distinct on (t.queue_id) t.queue_id, k.ticket_id, k.clock, k.due_at, k.risk_at
from sla_clock k join ticket t on t.id = k.ticket_id
where k.state = 'running' and k.due_at > $1::timestamptz and t.queue_id is not null
order by t.queue_id, k.due_at, k.ticket_id;
