-- name: keep
insert into upload (owner, name, type, size, data, created_at) values ($1, $2, $3, $4, $5, $6) returning id;

-- name: bind
-- Those of $1 that are not sent yet and are the sender's go with the message.
update upload set message_id = $2 where id = any ($1::bigint[]) and message_id is null and owner is not distinct from $3
returning size;

-- name: of_messages
select message_id, id, name, type, size from upload where message_id = any ($1::bigint[]) order by id;

-- name: about
-- Whose it is, and where it was sent.
select u.name, u.type, u.size, u.owner, u.message_id, m.interaction_id, m.ticket_id, m.public
from upload u left join message m on m.id = u.message_id where u.id = $1;

-- name: data
select data from upload where id = $1;

-- name: purge
-- What nobody sent, up to a moment; so many at once.
delete from upload where id in (select id from upload where message_id is null and created_at < $1 order by created_at limit $2);

-- name: unsent
-- What somebody uploaded lately and has not sent, in bytes.
select coalesce(sum(size), 0) from upload where owner = $1 and message_id is null;
