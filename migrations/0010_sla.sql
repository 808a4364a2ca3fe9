-- What tickets are promised: clocks with their due moments, the ledger of pauses, escalations that were carried out, and
-- notices to those who are to know.

-- Counts up with each change of what is promised; tickets that were worked out under an older one are worked out anew.
alter table organisation add column sla_revision integer not null default 1;

-- The states of a ticket in which its clocks stand still.
alter table sla_policy add column pauses text[] not null default '{pending}';

-- What clocks are worked out from, a row for each ticket (callcenter/domain/sla.py: Facts). next_at: when the sweep has to
-- look at it. revision 0: not looked at yet.
create table ticket_sla (
    ticket_id bigint primary key references ticket on delete cascade,
    policy text,
    revision integer not null default 0,
    owned_at timestamptz,
    answered_at timestamptz,
    asked_at timestamptz,
    replied_at timestamptz,
    over_at timestamptz,
    round integer not null default 0,
    next_at timestamptz
);
create index ticket_sla_next on ticket_sla (next_at) where next_at is not null;
create index ticket_sla_revision on ticket_sla (revision) where over_at is null;

-- A clock of a ticket; next_response has a row for each turn of the customer. target, remaining and difference in the
-- policy's business time. ended_at: when nothing was owed any more.
create table sla_clock (
    ticket_id bigint not null references ticket on delete cascade,
    clock text not null check (clock in ('own', 'first_response', 'next_response', 'resolution')),
    round integer not null default 1,
    state text not null check (state in ('running', 'paused', 'met', 'breached', 'void')),
    target interval not null,
    started_at timestamptz not null,
    due_at timestamptz,
    risk_at timestamptz,
    remaining interval,
    met_at timestamptz,
    ended_at timestamptz,
    breached_at timestamptz,
    difference interval,
    primary key (ticket_id, clock, round)
);
create index sla_clock_risk on sla_clock (risk_at) where state = 'running';
create index sla_clock_breached on sla_clock (ticket_id) where state = 'breached' and ended_at is null;

-- Each stretch of a ticket's life in a state other than new and open. Which of them stop a clock is for the policy to say.
create table sla_pause (
    ticket_id bigint not null references ticket on delete cascade,
    began_at timestamptz not null,
    ended_at timestamptz,
    reason text not null,
    primary key (ticket_id, began_at)
);

-- A level that was carried out, once: whatever happens to the clock later, it is not carried out again in this round.
create table sla_escalation (
    ticket_id bigint not null references ticket on delete cascade,
    clock text not null,
    round integer not null,
    at text not null,
    due_at timestamptz not null,
    fired_at timestamptz not null,
    primary key (ticket_id, clock, round, at)
);

-- What somebody is told on their console, until they have seen it.
create table notice (
    id bigint generated always as identity primary key,
    user_id bigint not null references users on delete cascade,
    ticket_id bigint not null references ticket on delete cascade,
    clock text not null,
    due_at timestamptz not null,
    at timestamptz not null,
    seen_at timestamptz
);
create index notice_unseen on notice (user_id, id desc) where seen_at is null;

-- Tickets from before: when they were first owned nobody knows, so an owner counts from the beginning.
insert into ticket_sla (ticket_id, owned_at, answered_at)
select t.id, case when t.owner_id is not null then t.created_at end,
       (select min(m.at) from message m where m.ticket_id = t.id and m.kind = 'outbound' and m.author_id is not null)
from ticket t where t.state not in ('resolved', 'closed');
insert into sla_pause (ticket_id, began_at, reason)
select id, updated_at, state from ticket where state in ('pending', 'on_hold');
