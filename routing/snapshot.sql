-- name: waiting
select i.id as interaction, i.queue_id as queue, i.queued_at, i.version, i.priority, c.tier, i.channel,
       coalesce(i.language, c.language) as language, coalesce(i.preferred, '{}') as preferred, i.preferred_as, i.entered_at,
       coalesce(i.treated, '{}') as treated, contract_shift(c.id) as contract
from interaction i left join customer c on c.id = work_customer(i.id, i.customer_id, i.channel)
where i.closed_at is null and i.state = 'queued' and i.queue_id is not null;

-- name: agents
select a.user_id, a.presence, a.routing_status, a.idle_since, a.not_before, a.desk_lost_at is null as desk,
       nullif(a.desk_lost_at, '-infinity') as desk_lost_at, a.version, a.load, a.next_presence
from agent a join users u on u.id = a.user_id where u.active;

-- name: skills
select id, skills from users where active and skills <> '{}';

-- name: limits
select capacity, interrupted_by, revision from organisation;

-- name: revision
select revision from organisation;

-- name: capacities
-- Of agents who differ from the organisation, or have no phone that could ring.
select id, capacity, endpoint is null as phoneless from users where active and (capacity <> '{}' or endpoint is null);

-- name: plans
select q.id, q.name, q.strategy, q.needs, q.steps, q.tiers, q.language, q.default_language, q.prefer, q.prefer_for, q.overflow,
       q.proficiency_weight,
       coalesce(array_agg(m.user_id order by m.user_id) filter (where u.active), '{}') as agents,
       coalesce(array_agg(m.delay order by m.user_id) filter (where u.active), '{}') as delays,
       coalesce(array_agg(m.age_shift order by m.user_id) filter (where u.active), '{}') as shifts
from queue q left join queue_member m on m.queue_id = q.id left join users u on u.id = m.user_id
where q.active group by q.id order by q.id;

-- name: shown
-- Which transactions this snapshot shows.
select log_epoch as epoch, pg_current_snapshot()::text as snapshot from organisation;

-- name: served
-- Contacts that each agent has had since $1, as routing/tally.py counts them. What was answered since began within the day
-- before: started_at, which never changes, has an index that costs next to nothing.
select agent_id, count(*) as contacts from segment
where started_at >= $1::timestamptz - interval '1 day' and answered_at >= $1 and agent_id is not null
  and cause is distinct from 'by_hand'
group by agent_id;

-- name: turns
-- When something of each queue was last offered to each agent, since $1.
select queue_id, agent_id, max(created_at) as at from reservation
where created_at >= $1 and queue_id is not null group by queue_id, agent_id;

-- name: some_work
select i.id as interaction, i.queue_id as queue, i.queued_at, i.version, i.priority, c.tier, i.channel,
       coalesce(i.language, c.language) as language, coalesce(i.preferred, '{}') as preferred, i.preferred_as, i.entered_at,
       coalesce(i.treated, '{}') as treated, contract_shift(c.id) as contract, i.state
from interaction i left join customer c on c.id = work_customer(i.id, i.customer_id, i.channel) where i.id = any($1::bigint[]);

-- name: some_agents
select a.user_id, a.presence, a.routing_status, a.idle_since, a.not_before, a.desk_lost_at is null as desk,
       nullif(a.desk_lost_at, '-infinity') as desk_lost_at, a.version, a.load, a.next_presence
from agent a where a.user_id = any($1::bigint[]);
