-- name: rules
-- All rules in the file's order.
select kind, name, body from rule order by kind, place;

-- name: hours
select name, timezone, weekly, holidays, closed, open from hours;

-- name: drop_rules
delete from rule where kind = $1 and name <> all ($2::text[]);

-- name: put_rule
insert into rule (kind, name, place, body) values ($1, $2, $3, $4)
on conflict (kind, name) do update set place = excluded.place, body = excluded.body;

-- name: revise_timers
-- All tickets' turns are worked out anew, from $1 on.
update organisation set timers_revision = timers_revision + 1, timers_done = 0, timers_at = $1;

-- name: cases
-- What rules look at beside the tickets themselves, and what their texts may name.
select t.id, c.tier, v.stage, c.name as customer, c.company,
    (select channel from interaction where ticket_id = t.id order by id limit 1) as channel
from ticket t left join customer c on c.id = t.customer_id left join customer_value v on v.customer_id = c.id
where t.id = any ($1::bigint[]);

-- name: written
-- What was written in a message, or (without one) in all of the ticket's.
select coalesce(string_agg(text, e'\n' order by id), '') from message
where case when $2::bigint is null then ticket_id = $1 else id = $2 end;

-- name: moments
-- What automations count from; a state's moment only while the ticket is in it. `sinces`: of the turns that were had.
select t.id, m.touched_at,
    (select p.began_at from sla_pause p where p.ticket_id = t.id and p.ended_at is null order by p.began_at desc limit 1) as began_at,
    (select min(k.due_at) from sla_clock k where k.ticket_id = t.id and k.state = 'running') as due_at,
    coalesce((select array_agg(u.name order by u.since, u.name) from automation_turn u where u.ticket_id = t.id), '{}') as names,
    coalesce((select array_agg(u.since order by u.since, u.name) from automation_turn u where u.ticket_id = t.id), '{}') as sinces
from ticket t left join ticket_timer m on m.ticket_id = t.id where t.id = any ($1::bigint[]);

-- name: put_timer
insert into ticket_timer (ticket_id, revision, touched_at, next_at)
values ($1, (select timers_revision from organisation), $2, $3)
on conflict (ticket_id) do update set revision = excluded.revision, touched_at = excluded.touched_at, next_at = excluded.next_at
where (ticket_timer.revision, ticket_timer.touched_at, ticket_timer.next_at)
    is distinct from (excluded.revision, excluded.touched_at, excluded.next_at);

-- name: add_turn
insert into automation_turn (ticket_id, name, since, at) values ($1, $2, $3, $4) on conflict do nothing returning since;

-- name: due
-- Tickets on which an automation's turn has come, the earliest first, each locked for this transaction alone: what another
-- sweep has in hand is passed over.
with due as materialized (select ticket_id from ticket_timer where next_at <= $1 order by next_at limit $2)
select ticket_id from due where pg_try_advisory_xact_lock((3::bigint << 56) | ticket_id);

-- name: next
-- When there is something to do next: an automation, a task, and whether tickets wait for their turns to be worked out.
select (select min(next_at) from ticket_timer where next_at is not null) as timer_at,
       (select min(next_at) from task where next_at is not null) as task_at,
       (select timers_at from organisation where timers_done is not null) as walk_at;

-- name: walk
-- How far the tickets' turns are worked out, for one sweep at a time; no row when another has it, or there is nothing to do.
select timers_done from organisation
where timers_done is not null and timers_at <= $1 and pg_try_advisory_xact_lock((10::bigint << 56) | 1);

-- name: following
-- The next tickets by id, each locked when nobody else has it just now.
select id, pg_try_advisory_xact_lock((3::bigint << 56) | id) as got
from (select id from ticket where id > $1 order by id limit $2) t order by id;

-- name: walked
update organisation set timers_done = $1;

-- name: is_behind
-- The next ticket behind an id, if there is one.
select id from ticket where id > $1 order by id limit 1;

-- name: drop_timers
delete from ticket_timer where ticket_id = any ($1::bigint[]);
