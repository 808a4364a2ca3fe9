-- name: promises
-- The policies in force, in order, as one text that is the same as long as they are; with their revision.
select o.sla_revision as revision, coalesce((
    select json_agg(json_build_object(
        'name', p.name, 'when', p.conditions, 'targets', p.targets, 'escalations', p.escalations, 'pauses', p.pauses,
        'hours', case when h.id is not null then json_build_object('timezone', h.timezone, 'weekly', h.weekly,
            'holidays', h.holidays, 'closed', h.closed, 'open', h.open) end) order by p.place)
    from sla_policy p left join hours h on h.id = p.hours_id
), '[]')::text as policies
from organisation o;

-- name: beginning
-- The same, and what policies choose by of a ticket that is just opened: its customer's and its queue's.
select o.sla_revision as revision, coalesce((
    select json_agg(json_build_object(
        'name', p.name, 'when', p.conditions, 'targets', p.targets, 'escalations', p.escalations, 'pauses', p.pauses,
        'hours', case when h.id is not null then json_build_object('timezone', h.timezone, 'weekly', h.weekly,
            'holidays', h.holidays, 'closed', h.closed, 'open', h.open) end) order by p.place)
    from sla_policy p left join hours h on h.id = p.hours_id
), '[]')::text as policies,
    (select tier from customer where id = $1) as tier, (select stage from customer_value where customer_id = $1) as stage,
    contract_covers($1) as covers, (select name from queue where id = $2) as queue
from organisation o;

-- name: of_tickets
-- What clocks of these tickets are worked out from: facts, what policies choose by, the ledger, levels carried out.
select t.id as ticket_id, t.created_at, s.ticket_id is not null as known, coalesce(s.revision, 0) as revision, s.next_at,
    case when s.ticket_id is null and t.owner_id is not null then t.created_at else s.owned_at end as owned_at,
    s.answered_at, s.asked_at, s.replied_at,
    case when s.ticket_id is null and t.state in ('resolved', 'closed') then t.updated_at else s.over_at end as over_at,
    coalesce(s.round, 0) as round,
    (select tier from customer where id = t.customer_id) as tier,
    (select stage from customer_value where customer_id = t.customer_id) as stage, (select name from queue where id = t.queue_id) as queue,
    (select channel from interaction where ticket_id = t.id order by id limit 1) as channel, t.priority, t.category,
    p.begins, p.ends, p.reasons, e.clocks, e.rounds, e.ats, s.contract_id, contract_covers(t.customer_id) as covers
from ticket t
left join ticket_sla s on s.ticket_id = t.id
left join lateral (
    select coalesce(array_agg(began_at order by began_at), '{}') as begins,
           coalesce(array_agg(ended_at order by began_at), '{}') as ends,
           coalesce(array_agg(reason order by began_at), '{}') as reasons
    from sla_pause where ticket_id = t.id
) p on true
left join lateral (
    select coalesce(array_agg(clock), '{}') as clocks, coalesce(array_agg(round), '{}') as rounds,
           coalesce(array_agg(at), '{}') as ats
    from sla_escalation where ticket_id = t.id
) e on true
where t.id = any ($1::bigint[]);

-- name: clocks
-- The clocks of these tickets; of next_response the latest turn.
select distinct on (ticket_id, clock) ticket_id, clock, round, state, target, started_at, due_at, risk_at, remaining, met_at,
       ended_at, breached_at, difference
from sla_clock where ticket_id = any ($1::bigint[]) order by ticket_id, clock, round desc;

-- name: put_facts
-- What clocks are worked out from; $11: what the ticket's lists are ordered by, the earliest moment that is owed (null: none). A
-- row for each place of the arrays, and so in those below.
with g as (
    select ticket_id, policy, owned_at, answered_at, asked_at, replied_at, over_at, round, next_at,
           coalesce(due_at, 'infinity') as due_at
    from unnest($1::bigint[], $2::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
        $8::timestamptz[], $9::integer[], $10::timestamptz[], $11::timestamptz[])
        as given (ticket_id, policy, owned_at, answered_at, asked_at, replied_at, over_at, round, next_at, due_at)
), listed as (
    update ticket t set due_at = g.due_at from g where t.id = g.ticket_id and t.due_at <> g.due_at
)
insert into ticket_sla (ticket_id, policy, revision, owned_at, answered_at, asked_at, replied_at, over_at, round, next_at)
select ticket_id, policy, $3::integer, owned_at, answered_at, asked_at, replied_at, over_at, round, next_at from g
on conflict (ticket_id) do update set policy = excluded.policy, revision = excluded.revision, owned_at = excluded.owned_at,
    answered_at = excluded.answered_at, asked_at = excluded.asked_at, replied_at = excluded.replied_at,
    over_at = excluded.over_at, round = excluded.round, next_at = excluded.next_at;

-- name: count_case
-- The ticket is a case of a contract; of its first one, whatever comes later.
update ticket_sla set contract_id = $2 where ticket_id = $1 and contract_id is null;

-- name: put_clocks
insert into sla_clock (ticket_id, clock, round, state, target, started_at, due_at, risk_at, remaining, met_at, ended_at,
    breached_at, difference)
select * from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::interval[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::interval[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::interval[])
on conflict (ticket_id, clock, round) do update set state = excluded.state, target = excluded.target,
    started_at = excluded.started_at, due_at = excluded.due_at, risk_at = excluded.risk_at, remaining = excluded.remaining,
    met_at = excluded.met_at, ended_at = excluded.ended_at, breached_at = excluded.breached_at,
    difference = excluded.difference;

-- name: unmeet
-- The answer at $2 is none any more: turns before the latest that it met are void. What the customer had asked in the last one.
with void as (
    update sla_clock c set state = 'void', due_at = null, risk_at = null, breached_at = null, met_at = null, difference = null
    where ticket_id = $1 and clock = 'next_response' and met_at = $2
      and round < (select round from ticket_sla where ticket_id = $1)
    returning started_at
)
select max(started_at) from void;

-- name: put_pause
insert into sla_pause (ticket_id, began_at, ended_at, reason) values ($1, $2, $3, $4)
on conflict (ticket_id, began_at) do update set ended_at = excluded.ended_at, reason = excluded.reason;

-- name: put_escalations
insert into sla_escalation (ticket_id, clock, round, at, due_at, fired_at)
select * from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::timestamptz[], $6::timestamptz[])
on conflict do nothing;

-- name: due
-- Tickets that are due, the earliest first, each locked for this transaction alone: what other sweeps have in hand is passed
-- over, so that several servers share the work. The lock is the one that every action takes before it writes (a row lock would take a transaction id too early).
with due as materialized (select ticket_id from ticket_sla where next_at <= $1 order by next_at limit $2 * 8)
select ticket_id from due where pg_try_advisory_xact_lock((3::bigint << 56) | ticket_id) limit $2;

-- name: outdated
-- The same of open tickets that were worked out under older promises than those of revision $1.
with old as materialized (select ticket_id from ticket_sla where over_at is null and revision < $1 order by revision limit $2 * 8)
select ticket_id from old where pg_try_advisory_xact_lock((3::bigint << 56) | ticket_id) limit $2;

-- name: next
-- When something is due next, and whether there are open tickets from before the present promises.
select (select min(next_at) from ticket_sla where next_at is not null) as next_at,
       coalesce((select min(revision) from ticket_sla where over_at is null) < sla_revision, false) as outdated
from organisation;
