-- Mail on its way out, and what customers say of a contact.

-- Letters to send, written in the transaction of the action that wants them sent. `data` and `template`, or `subject` and `text`.
-- Who sends one pushes `due_at` a lease ahead, so that nobody else takes it meanwhile, and it comes up again if they die.
create table outbox (
    id bigint generated always as identity primary key,
    message_id text unique,             -- of the mail, chosen before the first attempt and the same at each: who gets it twice can tell
    recipient text not null,
    recipient_name text,
    language text,
    template text,
    data jsonb not null default '{}',
    subject text,
    text text,
    interaction_id bigint,
    ticket_id bigint,
    customer_id bigint,
    queue_id bigint,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed')),
    attempts integer not null default 0,
    created_at timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,    -- of no use to anybody later
    ended_at timestamptz,
    last_error text,                    -- the words of the mail server
    check ((template is null) <> (text is null) and (subject is null) = (text is null))
) with (fillfactor = 70);
create index outbox_due on outbox (due_at) where state = 'waiting';
create index outbox_recipient on outbox (recipient, id desc);

-- How far a reader of the log that must neither miss nor repeat anything has come; moved in the transaction of what it does.
create table log_reader (
    name text primary key,
    epoch integer not null,
    xid xid8 not null,
    seq bigint not null
);
-- Contacts of before are not asked about.
insert into log_reader (name, epoch, xid, seq) select 'surveys', log_epoch, pg_current_xact_id(), 9223372036854775807 from organisation;

-- Signs links that people get by mail. Two random UUIDs have 244 random bits.
alter table organisation add column link_key bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());

-- What a queue asks its customers after a contact; null: nothing.
alter table queue add column survey jsonb;

-- A question to a customer about one contact, and what they said. The rules are those of the queue when it asked.
create table survey (
    id bigint generated always as identity primary key,
    interaction_id bigint not null unique references interaction (id),
    customer_id bigint not null references customer (id),
    queue_id bigint not null references queue (id),
    agent_id bigint references users (id),
    outbox_id bigint references outbox (id),
    ask text not null check (ask in ('csat', 'nps', 'solved')),
    bad integer not null,               -- scores up to this one open a ticket
    change_within interval not null,
    language text,
    asked_at timestamptz not null,      -- when the letter is to go out
    expires_at timestamptz not null,
    score integer,
    comment text,
    answered_at timestamptz,            -- the first time
    changed_at timestamptz,
    ticket_id bigint references ticket (id),
    version integer not null default 1
);
create index survey_customer on survey (customer_id, asked_at desc);
create index survey_outbox on survey (outbox_id) where outbox_id is not null;
create index survey_asked on survey (asked_at);
create index survey_answered on survey (answered_at) where answered_at is not null;
