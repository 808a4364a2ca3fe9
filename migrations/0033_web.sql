-- Forms on web pages, and the pages on which customers see their own cases.

-- As the organisation file says it; one that is retired is kept for what came by it.
create table web_form (
    id bigint generated always as identity primary key,
    name text not null unique,
    queue_id bigint not null references queue (id),
    definition jsonb not null,
    active boolean not null default true
);

-- The portal's settings; null: there is no portal.
alter table organisation add column portal jsonb;

-- A letter with a link that lets whoever reads the mail of an address in, once.
create table portal_link (
    id bigint generated always as identity primary key,
    address text not null,          -- in lower case
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index portal_link_address on portal_link (address, created_at);

-- Somebody who reads the mail of an address. Whose cases those are is looked up each time.
create table portal_session (
    token_hash bytea primary key,
    address text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null
);
create index portal_session_address on portal_session (address);
create index interaction_mail_address on interaction (address) where address_kind = 'email' and ticket_id is not null;
