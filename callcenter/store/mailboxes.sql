-- name: mailboxes
select m.address, q.name as queue, m.language, m.closed, m.acknowledge, m.new_after, m.closing_note
from mailbox m join queue q on q.id = m.queue_id where m.active order by m.id;

-- name: put
insert into mailbox (address, queue_id, language, closed, acknowledge, new_after, closing_note)
values ($1, (select id from queue where name = $2), $3, $4, $5, $6, $7)
on conflict (address) do update set queue_id = excluded.queue_id, language = excluded.language, closed = excluded.closed,
    acknowledge = excluded.acknowledge, new_after = excluded.new_after, closing_note = excluded.closing_note, active = true;

-- name: retire
-- Messages that came to it still name it.
update mailbox set active = false where address = any ($1::text[]);
