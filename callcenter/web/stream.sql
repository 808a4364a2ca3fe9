-- name: between
-- A page of the log after one cursor and up to another, which a feed has delivered: everything before it is settled.
select seq, xid::text::bigint as xid, epoch, at, kind, interaction_id, customer_id, agent_id, queue_id, ticket_id,
       actor_id, version, data
from contact_log
where (epoch, xid, seq) > ($1, $2::text::xid8, $3) and (epoch, xid, seq) <= ($4, $5::text::xid8, $6)
order by contact_log.epoch, contact_log.xid, contact_log.seq limit $7;

-- name: is_known
-- Whether this is the cursor of an event that the log still has.
select exists (select from contact_log where epoch = $1 and xid = $2::text::xid8 and seq = $3);

-- name: first_seq
select min(seq) from contact_log;
