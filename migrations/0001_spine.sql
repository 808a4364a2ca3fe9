-- The spine: who works here, who our customers are, what happened between them, and the log of it all.
-- Times are timestamptz: *_at happened, *_due_at will. State names are those of callcenter/domain.

-- One row: which organisation this database serves, and which life of the log it is in.
create table organisation (
    only_row boolean primary key default true check (only_row),
    name text not null default '',
    region text not null default 'CN',
    timezone text not null default 'UTC',
    languages text[] not null default '{en}',
    -- A restore into a new cluster restarts transaction ids: rows of the old life must not hide behind them.
    log_epoch integer not null default 1,
    cluster_identifier bigint
);
insert into organisation default values;

create table users (
    id bigint generated always as identity primary key,
    name text not null unique,
    full_name text not null,
    role text not null check (role in ('agent', 'supervisor', 'administrator')),
    password_hash text,
    language text,
    manager_id bigint references users,
    endpoint text unique,
    skills jsonb not null default '{}',
    capacity jsonb not null default '{"phone": 1, "chat": 4, "email": 1, "callback": 1}',
    demo boolean not null default false,
    active boolean not null default true,
    created_at timestamptz not null default now()
);

-- The part of a user that moves all day long, kept narrow and without indexes on what changes (HOT updates).
create table agent (
    user_id bigint primary key references users on delete cascade,
    presence text not null default 'offline',
    presence_reason text,
    presence_at timestamptz not null default now(),
    routing_status text not null default 'off_queue',
    routing_at timestamptz not null default now(),
    -- When the last contact was over; a change of presence does not move it (longest idle).
    idle_since timestamptz,
    -- Left out until then, after a busy or unreachable phone; failures in a row lengthen it.
    not_before timestamptz,
    failures integer not null default 0,
    desk_node_id bigint,
    desk_lost_at timestamptz default '-infinity',
    version integer not null default 0
) with (fillfactor = 50);

create table session (
    token_hash bytea primary key,
    user_id bigint not null references users on delete cascade,
    csrf text not null,
    address text,
    user_agent text,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null
);
create index session_by_user on session (user_id);

create table token (
    id bigint generated always as identity primary key,
    user_id bigint not null references users on delete cascade,
    token_hash bytea not null unique,
    name text not null,
    created_at timestamptz not null,
    expires_at timestamptz
);

-- Failed sign-ins by account and by address, for the limit.
create table sign_in_failure (
    subject text not null,
    at timestamptz not null
);
create index sign_in_failure_subject on sign_in_failure (subject, at);

create table hours (
    id bigint generated always as identity primary key,
    name text not null unique,
    timezone text not null,
    weekly jsonb not null default '{}',
    holidays text,
    closed date[] not null default '{}',
    open jsonb not null default '{}'
);

create table queue (
    id bigint generated always as identity primary key,
    name text not null unique,
    is_default boolean not null default false,
    hours_id bigint references hours,
    needs jsonb not null default '{}',
    steps jsonb not null default '[]',
    strategy text not null default 'longest_idle',
    service_level_target double precision not null default 0.8,
    service_level_within interval not null default '20 seconds',
    ring_timeout interval not null default '15 seconds',
    wrap_up_mode text not null default 'optional',
    wrap_up_limit interval,
    dispositions text[] not null default '{}',
    tiers jsonb not null default '{}',
    greeting text,
    closed_announcement text,
    active boolean not null default true
);
create unique index queue_default on queue (is_default) where is_default;

create table queue_number (
    number text primary key,
    queue_id bigint not null references queue on delete cascade
);

create table queue_member (
    queue_id bigint not null references queue on delete cascade,
    user_id bigint not null references users on delete cascade,
    delay interval not null default '0',
    age_shift interval not null default '0',
    primary key (queue_id, user_id)
);

create table customer (
    id bigint generated always as identity primary key,
    external_id text unique,
    name text not null,
    company text,
    tier text,
    language text,
    note text,
    merged_into bigint references customer,
    created_at timestamptz not null default now(),
    version integer not null default 1
);

-- One person, many addresses; one address, sometimes several people.
create table address (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customer on delete cascade,
    kind text not null check (kind in ('phone', 'email', 'web', 'fax', 'external')),
    value text not null,
    certainty text not null default 'known' check (certainty in ('verified', 'known', 'maybe')),
    created_at timestamptz not null default now()
);
create unique index address_customer on address (customer_id, kind, value);
create index address_value on address (kind, value) include (customer_id, certainty);

create table node (
    id bigint generated always as identity primary key,
    name text not null unique,
    -- A process that lost its lease and wakes up later finds a newer epoch, and refuses its own late writes.
    epoch integer not null default 1,
    agi_host text not null default '',
    agi_port integer not null default 0,
    started_at timestamptz not null default now(),
    lease_until timestamptz not null
);

-- The router's leader, beside its advisory lock: a stopped process keeps the lock but not the heartbeat.
create table leader (
    only_row boolean primary key default true check (only_row),
    node_id bigint not null,
    backend_pid integer not null,
    beat_at timestamptz not null
);

create table ticket (
    id bigint generated always as identity primary key,
    number bigint not null unique,
    subject text not null,
    state text not null default 'new',
    priority text not null default 'normal',
    category text,
    queue_id bigint references queue,
    owner_id bigint references users,
    customer_id bigint references customer,
    created_by bigint references users,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    closed_at timestamptz,
    version integer not null default 1
);
create sequence ticket_number start 1001;
create index ticket_customer on ticket (customer_id, id desc);
create index ticket_open_owner on ticket (owner_id, id desc) where state not in ('resolved', 'closed');

-- The hot tables point to customers, queues, users and each other without foreign keys: each check locks and writes the row it
-- points to (one queue's for all its callers). Only the functions write here, and no row of those tables is ever deleted.
create table interaction (
    id bigint generated always as identity primary key,
    channel text not null,
    direction text not null default 'inbound',
    state text not null,
    outcome text,
    -- Unique in its channel; for the phone PBX name and Uniqueid, since Uniqueids of two PBXs collide.
    external_id text,
    pbx text,
    leg text,
    customer_id bigint,
    queue_id bigint,
    agent_id bigint,
    ticket_id bigint references ticket,
    address_kind text,
    address text,
    address_name text,
    called text,
    subject text,
    priority integer not null default 0,
    arrived_at timestamptz not null,
    queued_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    closed_at timestamptz,
    disposition text,
    note text,
    end_cause text,
    segments integer not null default 0,
    node_id bigint,
    version integer not null default 1
) with (fillfactor = 85);
create unique index interaction_external on interaction (channel, external_id) where external_id is not null;
create index interaction_customer on interaction (customer_id, arrived_at desc, id desc);
-- Of those whom nobody knows yet: what a known customer had is found by the customer.
create index interaction_address on interaction (address, arrived_at desc, id desc)
    where customer_id is null and address_kind is not null;
create index interaction_queue on interaction (queue_id, id desc);
create index interaction_ticket on interaction (ticket_id) where ticket_id is not null;
create index interaction_open on interaction (id) where closed_at is null;

-- Each leg and each transfer; what an agent did of an interaction.
create table segment (
    interaction_id bigint not null,
    n integer not null,
    agent_id bigint,
    reservation_id bigint,
    kind text not null default 'agent' check (kind in ('agent', 'transfer', 'consultation')),
    leg text,
    endpoint text,
    started_at timestamptz not null,
    answered_at timestamptz,
    ended_at timestamptz,
    held_at timestamptz,
    hold interval not null default '0',
    cause text,
    primary key (interaction_id, n)
);
create index segment_agent on segment (agent_id, interaction_id desc);

create table reservation (
    id bigint generated always as identity primary key,
    interaction_id bigint not null,
    agent_id bigint not null,
    segment integer not null,
    channel text not null,
    slot integer not null default 0,
    state text not null default 'pending',
    reason text,
    created_at timestamptz not null,
    offered_at timestamptz,
    answered_at timestamptz,
    -- The conversation is over and the agent wraps up.
    released_at timestamptz,
    ended_at timestamptz,
    -- While pending: when the offer runs out. While wrapping up: when the time box does.
    due_at timestamptz,
    disposition text,
    note text,
    decision jsonb,
    version integer not null default 1
) with (fillfactor = 70);
-- The index is for truth: two leaders, a bug or a race can never double-book.
create unique index reservation_slot on reservation (agent_id, channel, slot) where state in ('pending', 'accepted');
create unique index reservation_segment on reservation (interaction_id, segment) where state = 'pending';
create index reservation_interaction on reservation (interaction_id);
create index reservation_live on reservation (id) where state in ('pending', 'accepted');

-- Texts of interactions and tickets: bodies, replies, notes.
create table message (
    id bigint generated always as identity primary key,
    interaction_id bigint references interaction,
    ticket_id bigint references ticket,
    author_id bigint references users,
    kind text not null check (kind in ('note', 'inbound', 'outbound')),
    public boolean not null default false,
    text text not null,
    at timestamptz not null
);
create index message_ticket on message (ticket_id, id) where ticket_id is not null;
create index message_interaction on message (interaction_id, id) where interaction_id is not null;

-- What an agent is typing; not a fact, so it is no part of the log.
create table draft (
    user_id bigint not null references users on delete cascade,
    interaction_id bigint not null references interaction on delete cascade,
    note text not null default '',
    disposition text,
    updated_at timestamptz not null,
    primary key (user_id, interaction_id)
);

-- The contact log: append-only, ids and states only; personal data stays in the rows it points to.
-- A reader takes rows in the order (epoch, xid, seq) up to the horizon pg_snapshot_xmin(pg_current_snapshot()):
-- seq is an identity, not an order, since numbers are given out before commits land.
create sequence contact_log_seq;
create table contact_log (
    seq bigint not null default nextval('contact_log_seq'),
    xid xid8 not null default pg_current_xact_id(),
    epoch integer not null default 1,
    at timestamptz not null,
    kind text not null,
    interaction_id bigint,
    customer_id bigint,
    agent_id bigint,
    queue_id bigint,
    ticket_id bigint,
    actor_id bigint,
    version integer,
    data jsonb not null default '{}'
) partition by range (at);
create index contact_log_order on contact_log (epoch, xid, seq);
create index contact_log_interaction on contact_log (interaction_id, seq) where interaction_id is not null;
create index contact_log_ticket on contact_log (ticket_id, seq) where ticket_id is not null;
-- Whatever has no month yet; months are made ahead, so that this one stays empty.
create table contact_log_default partition of contact_log default;
