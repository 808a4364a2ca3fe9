-- name: task
select k.id, k.ticket_id, k.title, k.state, k.user_id, k.queue_id, k.checklist, k.list, k.place, k.required, k.due_in, k.hours,
    k.due_at, k.remind_before, k.reminded, k.overdue, k.rule, k.created_at, k.updated_at, k.ended_at, k.ended_by, k.version
from task k where k.id = $1;

-- name: of_ticket
select k.id, k.ticket_id, k.title, k.state, k.user_id, k.queue_id, k.checklist, k.list, k.place, k.required, k.due_in, k.hours,
    k.due_at, k.remind_before, k.reminded, k.overdue, k.rule, k.created_at, k.updated_at, k.ended_at, k.ended_by, k.version
from task k where k.ticket_id = $1 order by coalesce(k.list, k.id), k.place, k.id limit 500;

-- name: list_tasks
-- Tasks by id; null leaves a condition out. $1: id to go on behind.
select k.id, k.ticket_id, k.title, k.state, k.user_id, k.queue_id, k.checklist, k.list, k.place, k.required, k.due_in, k.hours,
    k.due_at, k.remind_before, k.reminded, k.overdue, k.rule, k.created_at, k.updated_at, k.ended_at, k.ended_by, k.version
from task k
where k.id > $1 and ($2::bigint is null or k.user_id = $2) and ($3::bigint is null or k.queue_id = $3)
    and ($4::text is null or k.state = $4) and ($5::timestamptz is null or k.due_at < $5)
    and ($6::bigint is null or k.ticket_id = $6)
order by k.id limit $7;

-- name: mine
-- What user $1 has to do, and the members of queues $2 together, what is due first before all that is not.
select k.id, k.ticket_id, k.title, k.state, k.user_id, k.queue_id, k.checklist, k.list, k.place, k.required, k.due_in, k.hours,
    k.due_at, k.remind_before, k.reminded, k.overdue, k.rule, k.created_at, k.updated_at, k.ended_at, k.ended_by, k.version,
    t.number, t.customer_id
from (
    (select * from task where user_id = $1 and state = 'open' order by id limit 200)
    union all
    (select * from task where queue_id = any ($2::bigint[]) and state = 'open' order by id limit 200)
) k left join ticket t on t.id = k.ticket_id
order by k.due_at nulls last, k.id limit 100;

-- name: add
insert into task (ticket_id, title, state, user_id, queue_id, checklist, list, place, required, due_in, hours, due_at,
    remind_before, next_at, rule, created_by, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17) returning id;

-- name: begin_list
-- The first task of a checklist stands for the list.
update task set list = id where id = $1;

-- name: change
update task set title = $3, state = $4, user_id = $5, queue_id = $6, due_at = $7, remind_before = $8, reminded = $9,
    overdue = $10, next_at = $11, updated_at = $12, ended_at = $13, ended_by = $14, version = version + 1
where id = $1 and version = $2 returning version;

-- name: following
-- The step of a list that waits for its turn, when no step is to be done now.
select id from task where list = $1 and state = 'waiting'
    and not exists (select from task o where o.list = $1 and o.state = 'open') order by place limit 1;

-- name: left
-- How many tasks of a ticket are still to be done.
select count(*) from task where ticket_id = $1 and state in ('waiting', 'open');

-- name: blocking
-- What must be done before the ticket may be resolved.
select title from task where ticket_id = $1 and required and state in ('waiting', 'open') order by id limit 5;

-- name: has_list
-- Whether a ticket has a checklist that is not done.
select exists (select from task where ticket_id = $1 and checklist = $2 and state in ('waiting', 'open'));

-- name: due
-- Tasks of which somebody has to be told, the earliest first, each locked for this transaction alone (its ticket too).
with due as materialized (select id, ticket_id from task where next_at <= $1 order by next_at limit $2)
select id, ticket_id from due where case when ticket_id is not null then pg_try_advisory_xact_lock((3::bigint << 56) | ticket_id)
    else pg_try_advisory_xact_lock((9::bigint << 56) | id) end;

-- name: lock
select pg_advisory_xact_lock((9::bigint << 56) | $1::bigint);

-- name: add_notice
insert into notice (user_id, ticket_id, task_id, kind, due_at, at) values ($1, $2, $3, $4, $5, $6);
