-- name: waiting
select id, queue_id, queued_at, version from interaction
where closed_at is null and state = 'queued' and queue_id is not null;

-- name: agents
select a.user_id, a.presence, a.routing_status, a.idle_since, a.not_before, a.desk_lost_at is null as desk,
       nullif(a.desk_lost_at, '-infinity') as desk_lost_at, a.version
from agent a join users u on u.id = a.user_id where u.active;

-- name: members
-- Whoever may be offered a queue's work; without an endpoint nobody's phone can ring.
select m.queue_id, array_agg(m.user_id) as agents
from queue_member m join users u on u.id = m.user_id join queue q on q.id = m.queue_id
where u.active and q.active group by m.queue_id;

-- name: interaction
select id, queue_id, queued_at, version, state from interaction where id = $1;

-- name: agent
select a.user_id, a.presence, a.routing_status, a.idle_since, a.not_before, a.desk_lost_at is null as desk,
       nullif(a.desk_lost_at, '-infinity') as desk_lost_at, a.version
from agent a where a.user_id = $1;
