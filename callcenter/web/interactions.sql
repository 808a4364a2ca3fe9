-- name: items
-- Interactions as the surface has them, the newest first.
select i.id, i.channel, i.direction, i.state, i.outcome, i.external_id, i.customer_id as customer, q.name as queue,
       u.name as agent, i.ticket_id as ticket, i.address, i.address_name, i.called, i.subject, i.priority, i.language,
       array(select p.name from unnest(i.preferred) with ordinality as named (id, n) join users p using (id) order by n)
           as preferred, i.preferred_as, i.arrived_at, i.queued_at, i.answered_at, i.ended_at, i.closed_at, i.disposition, i.note, i.version
from interaction i left join queue q on q.id = i.queue_id left join users u on u.id = i.agent_id
where i.id = any ($1::bigint[]) order by i.id desc;

-- The lists below give ids under $1, the newest first, at most $2. Null leaves a condition out: $3 channel, $4 state,
-- $5 queue, $6 agent, $7 customer. One query for each way into the table, since a plan serves only one way well.

-- name: ids
select id from interaction
where id < $1 and ($3::text is null or channel = $3) and ($4::text is null or state = $4)
  and ($5::bigint is null or queue_id = $5) and ($6::bigint is null or agent_id = $6)
  and ($7::bigint is null or customer_id = $7)
order by id desc limit $2;

-- name: ids_open
-- By the index of open interactions, of which there are few.
select id from interaction
where closed_at is null and id < $1 and ($3::text is null or channel = $3) and ($4::text is null or state = $4)
  and ($5::bigint is null or queue_id = $5) and ($6::bigint is null or agent_id = $6)
  and ($7::bigint is null or customer_id = $7)
order by id desc limit $2;

-- name: ids_of_customer
select id from interaction
where customer_id = $7 and id < $1 and ($3::text is null or channel = $3) and ($4::text is null or state = $4)
  and ($5::bigint is null or queue_id = $5) and ($6::bigint is null or agent_id = $6)
order by id desc limit $2;

-- name: ids_of_queue
select id from interaction
where queue_id = $5 and id < $1 and ($3::text is null or channel = $3) and ($4::text is null or state = $4)
  and ($6::bigint is null or agent_id = $6) and ($7::bigint is null or customer_id = $7)
order by id desc limit $2;

-- name: ids_of_agent
-- Those that $8 had a part in; $6 narrows them to those that an agent has, or had last.
select i.id from (
    select interaction_id as id from segment where agent_id = $8 and interaction_id < $1
    union
    select id from interaction where closed_at is null and agent_id = $8 and id < $1
) part join interaction i using (id)
where ($3::text is null or i.channel = $3) and ($4::text is null or i.state = $4)
  and ($5::bigint is null or i.queue_id = $5) and ($6::bigint is null or i.agent_id = $6)
  and ($7::bigint is null or i.customer_id = $7)
order by i.id desc limit $2;

-- name: id_of_external
-- In any channel unless $2 says one.
select id from interaction
where external_id = $1 and channel = any (case when $2::text is null then $3::text[] else array[$2] end) order by id desc;

-- name: timeline
-- What happened, in order.
select l.seq, l.at, l.kind, a.name as agent, q.name as queue, c.name as actor, l.ticket_id as ticket, l.version, l.data
from contact_log l left join users a on a.id = l.agent_id left join users c on c.id = l.actor_id
left join queue q on q.id = l.queue_id
where l.interaction_id = $1 order by l.at, l.seq limit 1000;

-- name: segments
select s.n, u.name as agent, s.kind, s.leg, s.endpoint, s.started_at, s.answered_at, s.ended_at,
       extract(epoch from s.hold + coalesce(coalesce(s.ended_at, $2) - s.held_at, '0'))::float8 as hold_seconds, s.cause
from segment s left join users u on u.id = s.agent_id where s.interaction_id = $1 order by s.n;

-- name: texts
select m.id, m.kind, m.text, m.at, u.name as author
from message m left join users u on u.id = m.author_id where m.interaction_id = $1 order by m.id;

-- name: standing
-- What must be known before somebody reads it or acts on it: $2 asks, with a part in it or not. The live reservation is
-- that of who asks, else that of the other `holder`.
select i.id, i.state, i.channel, i.pbx, i.queue_id, i.customer_id, i.closed_at is not null as closed,
       i.agent_id = $2
       or exists (select from segment where interaction_id = i.id and agent_id = $2 and answered_at is not null) as own,
       r.id as reservation, r.agent_id as holder, r.released_at
from interaction i left join lateral (
    select id, agent_id, released_at from reservation
    where interaction_id = i.id and state in ('pending', 'accepted')
    order by agent_id = $2 desc, id desc limit 1
) r on true
where i.id = $1;

-- name: decision
-- How the router came to the latest offer.
select r.decision, r.reason, u.name as agent from reservation r join users u on u.id = r.agent_id
where r.interaction_id = $1 order by r.id desc limit 1;

-- name: decisions
-- How the router came to the latest offers, the latest first, and what became of them.
select r.decision, coalesce(r.decision ->> 'reason', r.reason) as reason, r.state, r.agent_id, u.name as agent
from reservation r join users u on u.id = r.agent_id where r.interaction_id = $1 order by r.id desc limit 10;

-- name: members
-- What the agents of a queue do now.
select case when a.presence = 'on_queue' then a.routing_status else a.presence end as doing, count(*) as count
from queue_member m join agent a on a.user_id = m.user_id join users u on u.id = m.user_id and u.active
where m.queue_id = $1 group by 1 order by 2 desc, 1;

-- name: colleagues
-- Members of a queue, and of those that may lend it theirs, who are on queue and might take work; the longest idle first.
with lender as (
    select distinct l.id, l.name from queue q cross join jsonb_array_elements(q.overflow) as rule
    join queue l on l.name = rule ->> 'lend' and l.active where q.id = $1
),
member as (
    select user_id, delay, null as lender from queue_member where queue_id = $1
    union all
    select m.user_id, interval '0', min(l.name) from queue_member m join lender l on l.id = m.queue_id
    where m.user_id not in (select user_id from queue_member where queue_id = $1) group by m.user_id
)
select u.name, a.presence, a.routing_status, a.next_presence, a.idle_since, a.not_before, a.desk_lost_at is null as desk,
       nullif(a.desk_lost_at, '-infinity') as desk_lost_at, a.load, u.skills, o.capacity || u.capacity as capacity, m.delay,
       u.endpoint is null as phoneless, m.lender
from member m join agent a on a.user_id = m.user_id join users u on u.id = m.user_id and u.active cross join organisation o
where a.presence = 'on_queue' and a.routing_status in ('idle', 'interacting', 'wrap_up')
order by m.lender is not null, a.idle_since, u.name;

-- name: interrupted_by
select interrupted_by from organisation;

-- name: preferred
-- The members of a queue for whom some work waits first, the best first.
select u.name, u.skills, a.presence, a.routing_status, m.delay
from interaction i cross join unnest(i.preferred) with ordinality as named (id, n)
join queue_member m on m.queue_id = i.queue_id and m.user_id = named.id
join users u on u.id = named.id and u.active join agent a on a.user_id = named.id
where i.id = $1 and a.next_presence is null order by n;

-- name: speakers
-- Whether anybody of a queue has a skill.
select exists (
    select from queue_member m join users u on u.id = m.user_id and u.active where m.queue_id = $1 and u.skills ? $2);

-- name: waiting
-- What decides who may take something that waits; no row when it does not.
select i.id, i.channel, i.queued_at, coalesce(i.language, c.language) as language, i.preferred_as
from interaction i left join customer c on c.id = work_customer(i.id, i.customer_id, i.channel)
where i.id = $1 and i.state = 'queued';

-- name: day
-- The first and the last that arrived in a time, and how many ids lie between; rows lie in the order of their arrival.
select min(id) as first, max(id) as last
from (select id from interaction where arrived_at >= $1 and arrived_at < $2 offset 0) as those;

-- name: export
-- A page of those that arrived from $1 until $2, after $3 up to $4; offered tickets and tasks are no contacts.
select i.id, i.channel, i.direction, i.state, i.outcome, i.external_id, i.customer_id as customer, c.name as customer_name,
       q.name as queue, u.name as agent, t.number as ticket, i.address, i.arrived_at, i.queued_at, i.answered_at, i.ended_at,
       i.closed_at, i.disposition, i.note
from interaction i left join customer c on c.id = i.customer_id left join queue q on q.id = i.queue_id
left join users u on u.id = i.agent_id left join ticket t on t.id = i.ticket_id
where i.arrived_at >= $1 and i.arrived_at < $2 and i.id > $3 and i.id <= $4 and i.channel not in ('ticket', 'task')
order by i.id limit $5;
