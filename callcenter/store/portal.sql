-- name: is_known
-- Whether whoever reads the mail of this address is a customer of ours, or has a case.
select owner_of_mail($1) is not null or exists (select from own_tickets($1));

-- name: lock
select lock_aggregate(12, hashtextextended($1, 0) & ((1::bigint << 56) - 1));

-- name: recent_links
select count(*) from portal_link where address = $1 and created_at > $2;

-- name: add_link
insert into portal_link (address, created_at, expires_at) values ($1, $2, $3) returning id;

-- name: use_link
-- Once, and in time.
update portal_link set used_at = $2 where id = $1 and used_at is null and expires_at > $2 returning address;

-- name: is_open
select exists (select from portal_link where id = $1 and used_at is null and expires_at > $2);

-- name: add_session
insert into portal_session (token_hash, address, created_at, seen_at, expires_at) values ($1, $2, $3, $3, $4);

-- name: session
select address, seen_at from portal_session where token_hash = $1 and expires_at > $2;

-- name: seen
update portal_session set seen_at = $2 where token_hash = $1;

-- name: end_session
delete from portal_session where token_hash = $1;

-- name: end_sessions
delete from portal_session where address = $1;

-- name: purge
with links as (delete from portal_link where expires_at < $1 returning 1)
delete from portal_session where expires_at < $1;

-- name: customer
-- Whose address it is, and in which language letters to them are written.
select c.id, c.name, c.language from customer c where c.id = owner_of_mail($1);

-- name: tickets
-- What changed last comes first, what is over behind it.
select t.id, t.number, t.subject, t.state, t.created_at, t.updated_at
from ticket t where t.id in (select own_tickets($1)) order by (t.state in ('resolved', 'closed')), t.updated_at desc limit $2;

-- name: ticket
select t.id, t.number, t.subject, t.state, t.created_at, t.updated_at, t.queue_id
from ticket t where t.number = $2 and t.id in (select own_tickets($1));

-- name: messages
-- What they wrote, and what we answered them: an answer is for whom its letter went to. Of one without a letter it is whoever is
-- answered on the ticket, of those who had written by then.
select m.id, m.kind, m.text, m.at, u.full_name as author
from message m left join interaction i on i.id = m.interaction_id left join users u on u.id = m.author_id
    left join outbox o on o.said_id = m.id left join interaction c on c.id = o.interaction_id
where m.ticket_id = $2 and m.public and m.kind <> 'note' and case
    when i.id is not null then own_contact(i, $1)
    when o.id is not null then lower(o.recipient) = $1 or (owner_of_mail(lower(o.recipient)) = owner_of_mail($1)) is true
        or (c.id is not null and own_contact(c, $1))
    when m.kind = 'outbound' then coalesce((
        select own_contact(b, $1) from correspondents(m.ticket_id) k join interaction b on b.id = k.contact
        where b.arrived_at <= m.at order by k.place limit 1), true)
    else false end
order by m.id;

-- name: rated
-- Their latest contact of a ticket that is over and asks how it was; `asked`: the survey that there is already.
select i.id, q.survey, s.id as asked
from interaction i join queue q on q.id = i.queue_id left join survey s on s.interaction_id = i.id
where i.ticket_id = $2 and i.state = 'closed' and i.outcome = 'handled' and own_contact(i, $1)
  and (q.survey is not null or s.id is not null)
order by i.id desc limit 1;

-- name: upload
-- A file and the message that it was sent with.
select u.name, u.message_id, t.number from upload u join message m on m.id = u.message_id join ticket t on t.id = m.ticket_id
where u.id = $1;

-- name: number
select number from ticket where id = $1;
