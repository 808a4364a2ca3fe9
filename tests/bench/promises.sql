-- name: fill
-- Open tickets of the last six hours, $1 of them, each promised a solution eight hours after it was opened.
with t as (
    insert into ticket (number, subject, state, priority, created_at, updated_at, due_at)
    select nextval('ticket_number'), 'Ticket ' || n, 'open', 'normal', at, at, at + interval '8 hours'
    from (select n, now() - interval '6 hours' * n / $1::integer as at from generate_series(1, $1::integer) n) s
    returning id, created_at
), facts as (
    insert into ticket_sla (ticket_id, policy, revision, round, next_at)
    select t.id, 'all', o.sla_revision, 0, t.created_at + interval '8 hours' from t, organisation o
)
insert into sla_clock (ticket_id, clock, round, state, target, started_at, due_at, risk_at)
select id, 'resolution', 1, 'running', interval '8 hours', created_at, created_at + interval '8 hours',
       created_at + interval '6.4 hours' from t;

-- name: make_due
-- Tickets $1 to $2 (by id) become due at $3, each a little later than the one before.
with due as (
    select id, $3::timestamptz + $4::interval * (id - $1::bigint) as at from ticket where id between $1::bigint and $2::bigint
), t as (
    update ticket set created_at = due.at - interval '8 hours', due_at = due.at from due where ticket.id = due.id
), facts as (
    update ticket_sla set next_at = due.at from due where ticket_id = due.id
)
update sla_clock set started_at = due.at - interval '8 hours', due_at = due.at, risk_at = due.at - interval '1.6 hours'
from due where ticket_id = due.id;

-- name: fired
select count(*) from sla_escalation;

-- name: wrong
-- Tickets $1 to $2 that were not escalated exactly once in all that an escalation writes.
select count(*) from ticket t
where t.id between $1::bigint and $2::bigint and (
    t.priority <> 'high' or t.version <> 2
    or (select count(*) from contact_log where ticket_id = t.id and kind = 'ticket.escalated') <> 1
    or (select count(*) from contact_log where ticket_id = t.id and kind = 'sla.breached') <> 1
    or (select count(*) from notice where ticket_id = t.id) <> 1
    or (select count(*) from outbox where ticket_id = t.id) <> 1);
