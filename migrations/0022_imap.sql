-- How far mailboxes on other servers have been read. One node reads a mailbox at a time, under a lease.

create table imap_mailbox (
    name text primary key,              -- as the settings call it
    place text not null,                -- user, server and folder: with another one, everything begins anew
    uidvalidity bigint,                 -- null: never read; when the server has another one, all UIDs mean something else
    last_uid bigint not null default 0, -- up to here every message is committed, or in refused
    unmarked bigint[] not null default '{}',    -- UIDs that are committed, and not yet flagged, moved or deleted there
    refused bigint[] not null default '{}',     -- UIDs that had no place here; tried again with every connection
    since timestamptz not null,         -- the first visit: what had been seen there before is not ours
    reader_id bigint references node (id),
    lease_until timestamptz
);
