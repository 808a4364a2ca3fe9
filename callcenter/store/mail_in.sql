-- name: lock_correspondent
-- One message of an address at a time: their order is kept, and one acknowledgement is enough.
select lock_aggregate(12, hashtextextended($1, 0) & ((1::bigint << 56) - 1));

-- name: mailbox
-- The first of these addresses that is one of ours, as long as its queue is served.
select m.id, m.address, m.queue_id, m.language, m.closed, m.acknowledge, m.new_after
from unnest($1::text[]) with ordinality as given (address, place)
join mailbox m on m.address = given.address and m.active join queue q on q.id = m.queue_id and q.active
order by place limit 1;

-- name: default_queue
select id from queue where is_default and active;

-- name: known
select interaction_id from mail join interaction i on i.id = interaction_id where i.channel in ('email', 'fax') and i.external_id = $1;

-- name: case_of
-- The ticket $1; else that of the latest letter or message of the ids $2, whichever way it went; else the one with the number
-- $3. Of a merged one the ticket into which it was merged, with its queue as long as that is served.
with recursive up as (
    select id, merged_into, state, queue_id, closed_at, 1 as n from ticket where id = coalesce($1, (
        select ticket_id from (
            select o.ticket_id, o.created_at as at from outbox o where o.message_id = any ($2::text[]) and o.ticket_id is not null
            union all
            select i.ticket_id, m.received_at from mail m join interaction i on i.id = m.interaction_id
            where m.message_id = any ($2::text[]) and i.ticket_id is not null
        ) found order by at desc limit 1
    ), (select id from ticket where number = $3))
    union all
    select t.id, t.merged_into, t.state, t.queue_id, t.closed_at, n + 1 from up join ticket t on t.id = up.merged_into where n < 50
)
select id, state, (select q.id from queue q where q.id = up.queue_id and q.active) as queue_id, closed_at
from up order by n desc limit 1;

-- name: ticket_of_number
select id from ticket where number = $1;

-- name: survivor
-- The ticket into which it was merged, or itself.
with recursive up as (
    select id, merged_into, state, queue_id, closed_at, 1 as n from ticket where id = $1
    union all
    select t.id, t.merged_into, t.state, t.queue_id, t.closed_at, n + 1 from up join ticket t on t.id = up.merged_into where n < 50
)
select id, state, queue_id, closed_at from up order by n desc limit 1;

-- name: active_queue
select id from queue where id = $1 and active;

-- name: key
select link_key from organisation;

-- name: add_text
insert into message (interaction_id, ticket_id, kind, public, text, at) values ($1, $2, 'inbound', true, $3, $4) returning id;

-- name: bounced_letter
-- The letter of ours that came back.
select id, interaction_id, ticket_id, customer_id, queue_id, recipient, template, attempts
from outbox where message_id = any ($1::text[]) order by created_at desc limit 1;

-- name: is_ours
-- Whether one of these ids is of a letter that we sent.
select exists (select from outbox where message_id = any ($1::text[]));

-- name: letter_to
-- The latest letter to one of these addresses after $2, first of those that have not come back yet.
select id, interaction_id, ticket_id, customer_id, queue_id, recipient, template, attempts
from outbox where lower(recipient) = any ($1::text[]) and state = 'sent' and ended_at > $2
order by bounced_at is not null, ended_at desc, id desc limit 1;

-- name: mark_bounced
update outbox set bounced_at = $2, last_error = $3 where id = $1 and bounced_at is null returning true;

-- name: mark_address
update address set bounced_at = $2, bounced_words = $3 where kind = 'email' and value = any ($1::text[]) and bounced_at is null;

-- name: raw
-- The message of an interaction as it came; of it so many bytes from a place counted from 1.
select substring(raw from $2 for $3) as raw from mail where interaction_id = $1;

-- name: attachment
select a.name, a.type, a.start, a.length, a.encoding from mail m join mail_attachment a on a.mail_id = m.id
where m.interaction_id = $1 and a.n = $2;

-- name: mail
select m.id, m.message_id, m.sender, m.sender_name, m.nature, m.html, m.notes, m.size, m.received_at, b.address as mailbox
from mail m left join mailbox b on b.id = m.mailbox_id where m.interaction_id = $1;

-- name: attachments
select a.n, a.name, a.type, a.size from mail m join mail_attachment a on a.mail_id = m.id where m.interaction_id = $1 order by a.n;

-- name: latest_of_ticket
-- What an answer on a ticket answers: the latest message that a person wrote by mail.
select m.interaction_id, m.message_id, m.refs, m.sender, m.sender_name, i.subject, i.customer_id, b.address as mailbox, b.language, b.closing_note, m.nature,
    (select mail_rules from organisation)
from mail m join interaction i on i.id = m.interaction_id left join mailbox b on b.id = m.mailbox_id
where i.ticket_id = $1 and i.channel = 'email' and m.sender is not null and m.nature in ('person', 'bulk')
order by m.id desc limit 1;
