-- Gateways: other systems through which customers write, whose messages come and go by HTTP.

create table gateway (
    id bigint generated always as identity primary key,
    name text not null unique,
    queue_id bigint not null references queue (id),
    body jsonb not null,                    -- its table in the organisation file, without secrets
    secrets jsonb not null default '{}',
    active boolean not null default true
);

-- With whom an interaction is, as its gateway writes them: where answers go.
create table gateway_thread (
    interaction_id bigint primary key references interaction (id),
    gateway_id bigint not null references gateway (id),
    correspondent text not null
);
create index gateway_thread_correspondent on gateway_thread (gateway_id, correspondent, interaction_id desc);

-- What came, by the gateway's id of it: each once.
create table gateway_inbound (
    gateway_id bigint not null references gateway (id),
    external_id text not null,
    message_id bigint not null references message (id),
    primary key (gateway_id, external_id)
);

-- What goes out; waiting rows are due, or being sent under a lease.
create table gateway_outbound (
    id bigint generated always as identity primary key,
    ident uuid not null default gen_random_uuid(),  -- the same at each attempt
    gateway_id bigint not null references gateway (id),
    interaction_id bigint not null references interaction (id),
    message_id bigint not null unique references message (id),
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'delivered', 'failed')),
    attempts integer not null default 0,
    created_at timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    external_id text,                       -- the gateway's id of it, by which its receipts speak
    last_error text
);
create index gateway_outbound_due on gateway_outbound (due_at) where state = 'waiting';
create index gateway_outbound_thread on gateway_outbound (interaction_id, id);
create index gateway_outbound_external on gateway_outbound (gateway_id, external_id) where external_id is not null;

-- Letters on paper, noted by hand or handed in by whoever scans them.
alter table organisation
    alter column capacity set default
        '{"phone": 1, "email": 1, "chat": 4, "form": 1, "callback": 1, "visit": 1, "letter": 1, "fax": 1, "message": 1}',
    alter column interrupted_by set default
        '{"phone": [], "email": ["phone", "callback", "chat"], "chat": [], "form": ["phone", "callback", "chat"],
          "callback": [], "visit": [], "letter": ["phone", "callback", "chat"], "fax": ["phone", "callback", "chat"],
          "message": ["phone", "callback", "chat"]}';
update organisation set capacity = '{"letter": 1}' || capacity,
    interrupted_by = '{"letter": ["phone", "callback", "chat"]}' || interrupted_by;

-- Who sends faxes on by mail.
create table fax_gateway (
    id bigint generated always as identity primary key,
    sender text not null unique,        -- an address, or a domain with its @; in lower case
    queue_id bigint references queue (id),
    header text,                        -- of its messages, which has the caller's number
    active boolean not null default true
);
