-- name: reader
-- How far the asking has come; held until the end of the transaction. Nothing while another node does it.
select epoch, xid::text::bigint as xid, seq from log_reader where name = 'surveys' for update skip locked;

-- name: closed
-- What was closed after $5, behind a cursor, and is settled, in the order of the log; and the horizon up to which there is nothing else, which one
-- statement sees as it sees the rows: a row of it comes even when nothing was closed. Events of earlier epochs are settled
-- whatever their xid.
select h.epoch as to_epoch, h.xid::text::bigint as to_xid, l.epoch, l.xid::text::bigint as xid, l.seq, l.interaction_id
from (select log_epoch as epoch, pg_snapshot_xmin(pg_current_snapshot()) as xid from organisation) h
left join lateral (
    select c.epoch, c.xid, c.seq, c.interaction_id from contact_log c
    where (c.epoch, c.xid, c.seq) > ($1::integer, $2::text::xid8, $3::bigint) and (c.epoch < h.epoch or c.xid < h.xid)
      and c.kind = 'interaction.closed' and c.at > $5::timestamptz
    order by c.epoch, c.xid, c.seq limit $4
) l on true
order by l.epoch, l.xid, l.seq;

-- name: move_reader
update log_reader set epoch = $1, xid = $2::text::xid8, seq = $3 where name = 'surveys';

-- name: candidate
-- Whom a contact's queue may ask, and where: handled, of a known customer with an address that is more than a guess; a mail's own
-- address first, then the most certain one, then the newest. No row where nobody is to be asked.
select i.customer_id, i.queue_id, i.agent_id, i.channel, i.arrived_at, i.closed_at, q.survey, c.name,
       coalesce(i.language, c.language) as language, a.value as address
from interaction i
join queue q on q.id = i.queue_id and q.survey is not null
join customer c on c.id = i.customer_id
cross join lateral (
    select value from address
    where customer_id = i.customer_id and kind = 'email'
      and (certainty <> 'maybe' or i.address_kind = 'email' and value = i.address)
    order by i.address_kind is not distinct from 'email' and value = i.address desc, certainty = 'verified' desc, id desc limit 1
) a
where i.id = $1 and i.outcome = 'handled' and not exists (select from survey where interaction_id = i.id);

-- name: was_asked
-- Whether this customer, or somebody else at this address, was asked after a moment.
select exists (select from survey where customer_id = $1 and asked_at > $3)
    or exists (select from outbox o join survey x on x.outbox_id = o.id where o.recipient = $2 and x.asked_at > $3);

-- name: add
insert into survey (interaction_id, customer_id, queue_id, agent_id, ask, bad, change_within, language, asked_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id;

-- name: set_letter
update survey set outbox_id = $2 where id = $1;

-- name: survey
select s.id, s.interaction_id, s.customer_id, s.queue_id, s.agent_id, s.ask, s.bad, s.change_within, s.language, s.asked_at,
       s.expires_at, s.score, s.comment, s.answered_at, s.ticket_id, s.version, i.channel, i.arrived_at
from survey s join interaction i on i.id = s.interaction_id where s.id = $1;

-- name: answer
-- By compare-and-set on the version that was read under the interaction's lock.
update survey set score = $3, comment = $4, answered_at = coalesce(answered_at, $5),
    changed_at = case when answered_at is not null then $5::timestamptz end, version = version + 1
where id = $1 and version = $2 returning version;

-- name: supervisor
-- Who is to hear of a bad score: the manager of the agent who had the contact.
select m.id from users u join users m on m.id = u.manager_id and m.active where u.id = $1;

-- name: has_ticket
select ticket_id is not null from interaction where id = $1;

-- name: set_ticket
update survey set ticket_id = $2 where id = $1;

-- name: link_key
select link_key from organisation;
