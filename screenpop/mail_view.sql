-- name: mail
-- A message that came by mail, as an agent reads it.
select m.sender, m.sender_name, m.received_at, m.size, m.html, m.notes, b.address as mailbox,
       (select text from message where interaction_id = m.interaction_id and kind <> 'outbound' order by id limit 1) as text
from mail m left join mailbox b on b.id = m.mailbox_id where m.interaction_id = $1;

-- name: html
select m.html, i.subject from mail m join interaction i on i.id = m.interaction_id where m.interaction_id = $1;

-- name: pictures
-- Attachments by their ids as they stand in the message, of at most so many bytes together.
select cid, encoding, substring(m.raw from a.start + 1 for a.length) as encoded from mail m join (
    select distinct on (a.cid) a.mail_id, a.cid, a.start, a.length, a.encoding,
        sum(a.length) over (order by a.n) as together
    from mail m join mail_attachment a on a.mail_id = m.id
    where m.interaction_id = $1 and a.cid = any ($2::text[])
    order by a.cid, a.n
) a on a.mail_id = m.id where a.together <= $3;
