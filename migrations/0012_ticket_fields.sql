-- What a ticket is, how tickets belong together, and who changed what.

-- Types, categories and fields of tickets as the organisation file has them (callcenter/domain/ticket_rules.py); {}: none.
alter table organisation add column ticket_rules jsonb not null default '{}';

-- customers: others than customer_id, who asked. fields: what the organisation's own fields hold; a field without value has no key.
-- merged_into: this ticket is closed, and its case goes on there. updated_by: who wrote it last; null: nobody but the system.
alter table ticket
    add column type text,
    add column tags text[] not null default '{}',
    add column followers bigint[] not null default '{}',
    add column customers bigint[] not null default '{}',
    add column fields jsonb not null default '{}',
    add column parent_id bigint references ticket,
    add column merged_into bigint references ticket,
    add column updated_by bigint references users;
-- Partial, since most tickets have nothing to find there: whoever asks says so too (tags <> '{}').
create index ticket_tags on ticket using gin (tags) where tags <> '{}';
create index ticket_followers on ticket using gin (followers) where followers <> '{}';
create index ticket_customers on ticket using gin (customers) where customers <> '{}';
create index ticket_fields on ticket using gin (fields jsonb_path_ops) where fields <> '{}';
create index ticket_parent on ticket (parent_id) where parent_id is not null;
create index ticket_merged on ticket (merged_into) where merged_into is not null;

-- Tickets that have to do with each other. split: the higher one was made of a part of the lower one.
create table ticket_relation (
    low_id bigint not null references ticket on delete cascade,
    high_id bigint not null references ticket on delete cascade,
    kind text not null check (kind in ('related', 'split')),
    created_by bigint references users,
    created_at timestamptz not null,
    primary key (low_id, high_id),
    check (low_id < high_id)
);
create index ticket_relation_high on ticket_relation (high_id);

-- What was changed of a ticket: a row for each field that its version has other than the one before. Values stand here and not in the
-- log, so that they can be erased with the person they tell of. actor_id null: a rule or an escalation; the log's row of
-- the same ticket and version says which.
create table ticket_history (
    ticket_id bigint not null references ticket on delete cascade,
    version integer not null,
    field text not null,
    before jsonb,
    after jsonb,
    actor_id bigint references users,
    at timestamptz not null,
    primary key (ticket_id, version, field)
);

-- Notices of other things than clocks: kind is what the log says of them, and `sla` for a clock.
alter table notice add column kind text not null default 'sla';
alter table notice alter column clock drop not null, alter column due_at drop not null;
alter table notice add check ((kind = 'sla') = (clock is not null and due_at is not null));
