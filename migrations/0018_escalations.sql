-- How people are told of an escalation besides their console, by mail, by phone and through webhooks; and when they may be.

-- email, phone: where; notify: which of them a notice goes to unless the escalation says it. hours_id: when they may be disturbed.
alter table users
    add column email text,
    add column phone text,
    add column notify text[] not null default '{}',
    add column hours_id bigint references hours on delete set null;

-- Where other systems hear of what happens. events: kinds of the log (ticket.*: all of tickets), of what came after `since`;
-- secret: what deliveries are signed with.
create table webhook (
    id bigint generated always as identity primary key,
    name text not null unique,
    url text not null,
    events text[] not null default '{}',
    secret text,
    since timestamptz not null default now(),
    active boolean not null default true
);

-- One event of the log on its way to one webhook, at least once; the same row, and so the same ident, at each attempt.
create table delivery (
    id bigint generated always as identity primary key,
    ident uuid not null default gen_random_uuid(),
    webhook_id bigint not null references webhook on delete cascade,
    seq bigint not null,                -- of the event
    kind text not null,
    body jsonb not null,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed')),
    attempts integer not null default 0,
    created_at timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    last_error text,                    -- status or trouble of the last attempt
    unique (webhook_id, seq)
) with (fillfactor = 70);
create index delivery_due on delivery (webhook_id, due_at) where state = 'waiting';
create index delivery_ended on delivery (ended_at) where state <> 'waiting';
create index delivery_failed on delivery (id desc) where state = 'failed';
insert into log_reader (name, epoch, xid, seq) select 'webhooks', log_epoch, pg_current_xact_id(), 9223372036854775807 from organisation;

create index notice_user on notice (user_id, id desc);

-- A call to somebody who is to know, until a key acknowledges it. number: of the ticket, which is read out.
create table phone_notice (
    id bigint generated always as identity primary key,
    notice_id bigint not null unique references notice on delete cascade,
    user_id bigint not null references users on delete cascade,
    endpoint text not null,
    number bigint not null,
    state text not null default 'waiting' check (state in ('waiting', 'acknowledged', 'failed')),
    attempts integer not null default 0,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    last_error text
) with (fillfactor = 70);
create index phone_notice_due on phone_notice (due_at) where state = 'waiting';
