-- name: fill
-- A large centre: $1 agents on queue, $2 queues of a hundred members, $3 pieces of work that wait.
with made as (
    insert into users (name, full_name, role, endpoint)
    select 'agent' || n, 'Agent ' || n, 'agent', 'PJSIP/' || 10000 + n from generate_series(1, $1::integer) n returning id
),
staffed as (
    insert into agent (user_id, presence, routing_status, idle_since, routing_at, presence_at, desk_lost_at)
    select id, 'on_queue', 'idle', now() - id % 600 * interval '1 second', now(), now(), null from made returning user_id
),
queues as (
    insert into queue (name) select 'queue' || n from generate_series(1, $2::integer) n returning id
),
numbered as (select id, row_number() over (order by id) - 1 as n from queues),
members as (
    insert into queue_member (queue_id, user_id)
    select q.id, s.user_id from staffed s join numbered q on q.n in (s.user_id % $2, (s.user_id * 7 + 1) % $2)
)
insert into interaction (channel, state, queue_id, arrived_at, queued_at)
select 'email', 'queued', q.id, now() - w % 900 * interval '1 second', now() - w % 900 * interval '1 second'
from generate_series(1, $3::integer) w join numbered q on q.n = w % $2;

-- name: update_one
update bench_row set text = $2 where id = $1

-- name: first_after
select min(created_at) from reservation where created_at > $1

-- name: leader
select n.name from leader l join node n on n.id = l.node_id

-- name: put_back
-- Whoever has an offer is free again, and what was offered waits.
select count(*) from reservation r, lateral return_to_queue(r.id, 'cancelled', 'bench', false, null, now())
where r.state = 'pending';
