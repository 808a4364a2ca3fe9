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

-- name: of_tickets
-- What clocks of these tickets are worked out from: facts, what policies choose by, the ledger, levels carried out.
select t.id as ticket_id, t.created_at, s.ticket_id is not null as known, coalesce(s.revision, 0) as revision, s.next_at,
    case when s.ticket_id is null and t.owner_id is not null then t.created_at else s.owned_at end as owned_at,
    s.answered_at, s.asked_at, s.replied_at,
    case when s.ticket_id is null and t.state in ('resolved', 'closed') then t.updated_at else s.over_at end as over_at,
    coalesce(s.round, 0) as round,
    (select tier from customer where id = t.customer_id) as tier, (select name from queue where id = t.queue_id) as queue,
    (select channel from interaction where ticket_id = t.id order by id limit 1) as channel, t.priority, t.category,
    p.begins, p.ends, p.reasons, e.clocks, e.rounds, e.ats
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
insert into ticket_sla (ticket_id, policy, revision, owned_at, answered_at, asked_at, replied_at, over_at, round, next_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (ticket_id) do update set policy = excluded.policy, revision = excluded.revision, owned_at = excluded.owned_at,
    answered_at = excluded.answered_at, asked_at = excluded.asked_at, replied_at = excluded.replied_at,
    over_at = excluded.over_at, round = excluded.round, next_at = excluded.next_at;

-- name: put_clock
insert into sla_clock (ticket_id, clock, round, state, target, started_at, due_at, risk_at, remaining, met_at, ended_at,
    breached_at, difference)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (ticket_id, clock, round) do update set state = excluded.state, target = excluded.target,
    started_at = excluded.started_at, due_at = excluded.due_at, risk_at = excluded.risk_at, remaining = excluded.remaining,
    met_at = excluded.met_at, ended_at = excluded.ended_at, breached_at = excluded.breached_at,
    difference = excluded.difference;

-- name: put_pause
insert into sla_pause (ticket_id, began_at, ended_at, reason) values ($1, $2, $3, $4)
on conflict (ticket_id, began_at) do update set ended_at = excluded.ended_at, reason = excluded.reason;

-- name: put_escalation
insert into sla_escalation (ticket_id, clock, round, at, due_at, fired_at) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing;

-- name: add_notice
insert into notice (user_id, ticket_id, clock, due_at, at) values ($1, $2, $3, $4, $5);

-- name: see_notices
-- User $1 has seen notice $2 (null: all); no row for what is somebody else's, or seen already.
update notice set seen_at = $3 where user_id = $1 and seen_at is null and ($2::bigint is null or id = $2) returning id;

-- name: due
-- Tickets that are due, the earliest first, each locked for this transaction alone: what another sweep has in hand is passed
-- over. The lock is the one that every action takes before it writes (a row lock would take a transaction id too early).
with due as materialized (select ticket_id from ticket_sla where next_at <= $1 order by next_at limit $2)
select ticket_id from due where pg_try_advisory_xact_lock((3::bigint << 56) | ticket_id);

-- name: outdated
-- The same of open tickets that were worked out under older promises than those of revision $1.
with old as materialized (select ticket_id from ticket_sla where over_at is null and revision < $1 order by revision limit $2)
select ticket_id from old where pg_try_advisory_xact_lock((3::bigint << 56) | ticket_id);

-- name: next
-- When something is due next, and whether there are open tickets from before the present promises.
select (select min(next_at) from ticket_sla where next_at is not null) as next_at,
       coalesce((select min(revision) from ticket_sla where over_at is null) < sla_revision, false) as outdated
from organisation;

-- name: is_notice_of
select exists (select from notice where id = $1 and user_id = $2);
