-- Mail that comes in: the addresses of ours, each message as it came, and what binds our letters to a case.

-- Addresses that customers write to.
create table mailbox (
    id bigint generated always as identity primary key,
    address text not null unique,       -- in lower case
    queue_id bigint not null references queue (id),
    language text,                      -- in which its acknowledgements are written where the customer's is unknown
    closed text not null default 'reopen' check (closed in ('reopen', 'new')),  -- what a reply to a closed ticket does
    acknowledge boolean not null default true,
    active boolean not null default true
);

-- Messages as they came, byte for byte. Kept once: text, HTML and attachments are read from them.
create table mail (
    id bigint generated always as identity primary key,
    interaction_id bigint not null unique references interaction (id),
    mailbox_id bigint references mailbox (id),
    message_id text,                    -- the sender's, without its brackets
    refs text[] not null default '{}',  -- of the messages before it in its thread
    sender text,                        -- the address to answer to; null: it says none
    sender_name text,
    nature text not null check (nature in ('person', 'bulk', 'auto_reply', 'bounce')),
    outbox_id bigint references outbox (id),    -- the letter of ours that bounced
    html text,                          -- made harmless
    notes text[] not null default '{}', -- what of it could not be read, in words
    size integer not null,
    raw bytea not null,
    received_at timestamptz not null
);
-- Compressing what is mostly base64 takes 40 times as long as writing it, and attachments are read from the middle.
alter table mail alter column raw set storage external;
create index mail_message_id on mail (message_id) where message_id is not null;

-- What is attached: where it stands in the message.
create table mail_attachment (
    mail_id bigint not null references mail (id) on delete cascade,
    n integer not null,
    name text not null,
    type text not null,                 -- as its sender says; it is never shown by it
    size integer not null,
    start integer not null,
    length integer not null,
    encoding text not null,
    cid text,
    inline boolean not null,
    primary key (mail_id, n)
);

-- Fields of a letter beside the usual ones: in_reply_to, references, reply_to, auto (Auto-Submitted).
alter table outbox add column thread jsonb not null default '{}';
alter table outbox add column bounced_at timestamptz;
create index outbox_acknowledged on outbox (recipient, created_at) where template = 'acknowledgement';

-- A mail server said that it delivers nothing there; a message from there takes it back.
alter table address add column bounced_at timestamptz;
alter table address add column bounced_words text;
