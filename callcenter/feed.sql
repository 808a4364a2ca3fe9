-- name: page
-- The next events after a cursor, in order; `settled` tells those that no open transaction can still get in front of.
-- Only a prefix of settled rows may be delivered. (The order names the table, since the column xid of the answer is another.)
select seq, xid::text::bigint as xid, epoch, at, kind, interaction_id, customer_id, agent_id, queue_id, ticket_id,
       actor_id, version, data, xid < pg_snapshot_xmin(pg_current_snapshot()) as settled
from contact_log
where (epoch, xid, seq) > ($1, $2::text::xid8, $3)
order by contact_log.epoch, contact_log.xid, contact_log.seq
limit $4;

-- name: horizon
-- Where a reader stands that has seen everything committed before now.
select log_epoch as epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 as xid from organisation;

-- name: holder
-- The oldest open transaction: who holds events back, for how long (seconds) and in what program.
select pid, application_name, extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
order by backend_xid::text::bigint limit 1;

-- name: signal
-- Tells other nodes what no row holds.
select pg_notify($1, said) from unnest($2::text[]) as said;
