-- name: carry
-- Letter $1 carries message $2 of ours.
update outbox set said_id = $2 where id = $1;

-- name: files
-- What goes with a letter.
select u.name, u.type, u.data from outbox o join upload u on u.message_id = o.said_id where o.id = $1 order by u.id;

-- name: answer
-- A message of ours on a ticket; no row when there is none.
select id, ticket_id, author_id, text, at from message where id = $1 and kind = 'outbound' and ticket_id is not null;

-- name: hold_back
-- The letter of message $1, unless it is on its way already. A row that is being sent is locked or counted by then.
delete from outbox where said_id = $1 and state = 'waiting' and attempts = 0 and due_at > $2
returning id, recipient, interaction_id, customer_id, queue_id;

-- name: give_back
-- What was to go with it is its writer's again, to be sent with another one.
update upload set message_id = null, owner = $2, created_at = $3 where message_id = $1 returning id;

-- name: take_back
delete from message where id = $1;

-- name: other_answer
-- When the next answer of a person stands on the ticket, since the one that is taken back.
select min(at) from message
where ticket_id = $1 and kind = 'outbound' and public and author_id is not null and id <> $2 and at >= $3;

-- name: message
-- A message with what became of its letter.
select m.id, m.ticket_id as ticket, m.interaction_id as interaction, m.kind, m.public, m.text, m.at, u.name as author,
    o.recipient, o.bounced_at, o.state, o.last_error, o.attempts, o.due_at
from message m left join users u on u.id = m.author_id left join outbox o on o.said_id = m.id where m.id = $1;

-- name: bounced
-- Whether mail has come back from an address: the address and the server's words. Known of the address, or where it is nobody's yet,
-- of our letters to it since $2.
select address, words from (
    select value as address, bounced_words as words, bounced_at as at
    from address where kind = 'email' and value = lower($1) and bounced_at is not null
    union all
    select recipient, last_error, bounced_at from outbox where recipient = $1 and bounced_at > $2
) found order by at desc limit 1;
