-- Rules that an organisation makes for tickets, whose turn comes when, and tasks.

-- Triggers, automations, macros and checklists as the organisation file has them, in its order.
create table rule (
    kind text not null check (kind in ('triggers', 'automations', 'macros', 'checklists')),
    name text not null,
    place integer not null,
    body jsonb not null,
    primary key (kind, name)
);

-- Counts up with each change of automations or of hours; tickets whose turns were worked out under an older one are worked
-- out anew, by id: all up to timers_done are. Not before timers_at: until then some server may know the older ones only.
alter table organisation
    add column timers_revision integer not null default 0,
    add column timers_done bigint,
    add column timers_at timestamptz;

-- When an automation's turn on a ticket comes next; there are rows only where there are automations. touched_at: the last
-- time that somebody changed it, who was no rule.
create table ticket_timer (
    ticket_id bigint primary key references ticket on delete cascade,
    revision integer not null,
    touched_at timestamptz not null,
    next_at timestamptz
) with (fillfactor = 80);
create index ticket_timer_next on ticket_timer (next_at) where next_at is not null;

-- An automation's turn on a ticket, once: `since` is the moment that it counted from.
create table automation_turn (
    ticket_id bigint not null references ticket on delete cascade,
    name text not null,
    since timestamptz not null,
    at timestamptz not null,
    primary key (ticket_id, name, since)
);

-- Something to be done, for a ticket or by itself, by a person or by the members of a queue. next_at: when somebody has to
-- be told of it. list: the first task of the checklist that it is a step of. due_in, hours: from when its turn comes.
create table task (
    id bigint generated always as identity primary key,
    ticket_id bigint references ticket,
    title text not null,
    state text not null default 'open' check (state in ('waiting', 'open', 'done', 'cancelled')),
    user_id bigint references users,
    queue_id bigint references queue,
    checklist text,
    list bigint references task,
    place integer not null default 0,
    required boolean not null default false,
    due_in interval,
    hours text,
    due_at timestamptz,
    remind_before interval,
    reminded boolean not null default false,
    overdue boolean not null default false,
    next_at timestamptz,
    rule text,
    created_by bigint references users,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    ended_at timestamptz,
    ended_by bigint references users,
    version integer not null default 1
) with (fillfactor = 80);
create index task_ticket on task (ticket_id, id) where ticket_id is not null;
create index task_list on task (list, place) where list is not null;
create index task_user on task (user_id, id) where user_id is not null and state = 'open';
create index task_queue on task (queue_id, id) where queue_id is not null and state = 'open';
create index task_next on task (next_at) where next_at is not null;

-- Somebody may also be told of something that is no clock of a ticket: a task, or what a rule wants them to know.
alter table notice
    alter column ticket_id drop not null,
    alter column clock drop not null,
    alter column due_at drop not null,
    add column if not exists kind text not null default 'sla',
    add column task_id bigint references task on delete cascade;
