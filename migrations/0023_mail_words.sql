-- What letters to customers say, and how much mail of one address may set going.

-- The words of an organisation for its letters; the most particular one is taken. What has none is built in.
create table letter_template (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('acknowledgement', 'answer', 'closing')),
    queue_id bigint references queue (id),  -- null: for all queues
    language text,                          -- null: for all languages
    subject text,
    text text not null,
    unique nulls not distinct (kind, queue_id, language)
);
-- Below answers: a person's own, else that of the queue.
alter table queue add column signature text;
alter table users add column signature text;

-- As an organisation file has them, without what is as usual: see callcenter.domain.mail_rules.
alter table organisation add column mail_rules jsonb not null default '{}';

alter table mailbox
    add column new_after interval,          -- a reply to a ticket that has been closed for longer opens a new one
    add column closing_note boolean not null default false;     -- whether customers are told that their ticket was resolved

-- Who sent a message, as its From says; answers may have to go elsewhere (`sender`), and a forwarded one is somebody else's.
alter table mail add column correspondent text;
update mail set correspondent = i.address from interaction i where i.id = mail.interaction_id and i.address_kind = 'email';
create index mail_correspondent on mail (correspondent, received_at) where correspondent is not null;

-- The one ticket for what an address sends beyond what is usual.
create table mail_flood (
    address text primary key,
    ticket_id bigint not null references ticket (id)
);

-- What a mail server cannot deliver without saying what it was: the latest letter to that address.
create index outbox_sent_to on outbox (lower(recipient), ended_at desc) where state = 'sent';
