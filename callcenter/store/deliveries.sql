-- name: put
-- Events of the log for the webhook of the same place, by name; each goes to each webhook once.
insert into delivery (webhook_id, seq, kind, body, created_at, due_at, expires_at)
select w.id, g.seq, g.kind, g.body, $5::timestamptz, $5::timestamptz, $6::timestamptz
from unnest($1::text[], $2::bigint[], $3::text[], $4::jsonb[]) as g (name, seq, kind, body)
join webhook w on w.name = g.name and w.active
on conflict (webhook_id, seq) do nothing;

-- name: has_subscribers
select exists (select from webhook where active and events <> '{}');

-- name: lock_reader
-- False while another node reads. A row lock would take a transaction id each time, and most times there is nothing to write.
select pg_try_advisory_xact_lock((7::bigint << 56));

-- name: reader
-- How far subscriptions were read.
select epoch, xid::text::bigint as xid, seq from log_reader where name = 'webhooks';

-- name: move_reader
update log_reader set epoch = $1, xid = $2::text::xid8, seq = $3 where name = 'webhooks';

-- name: subscribed
select name, events, since from webhook where active and events <> '{}' order by id;

-- name: events
-- Events of the kinds $5 (`ticket.*`: all of tickets) behind a cursor that are settled, in the order of the log; and the horizon up
-- to which there are no others, as one statement sees both: a row of it comes even when there are none.
select l.seq, l.xid, l.epoch, l.at, l.kind, l.interaction_id, l.customer_id, l.agent_id, l.queue_id, l.ticket_id, l.actor_id,
       l.version, l.data, h.epoch as to_epoch, h.xid::text::bigint as to_xid
from (select log_epoch as epoch, pg_snapshot_xmin(pg_current_snapshot()) as xid from organisation) h
left join lateral (
    select c.seq, c.xid::text::bigint as xid, c.epoch, c.at, c.kind, c.interaction_id, c.customer_id, c.agent_id, c.queue_id,
           c.ticket_id, c.actor_id, c.version, c.data
    from contact_log c
    where (c.epoch, c.xid, c.seq) > ($1::integer, $2::text::xid8, $3::bigint) and (c.epoch < h.epoch or c.xid < h.xid)
      and (c.kind = any ($5::text[]) or split_part(c.kind, '.', 1) || '.*' = any ($5::text[]))
    order by c.epoch, c.xid, c.seq limit $4
) l on true
order by l.epoch, l.xid, l.seq;

-- name: waiting
-- Webhooks for which something is due.
select w.id from webhook w
where w.active and exists (select from delivery d where d.webhook_id = w.id and d.state = 'waiting' and d.due_at <= $1);

-- name: take
-- What has been due for longest at webhook $1, at most $2, for one attempt of whoever asks. Until $3 nobody else gets it; after that
-- whoever asks first does, since the one who had it has died.
update delivery d set attempts = d.attempts + 1, due_at = $3
from webhook w
where w.id = d.webhook_id and w.active and d.id in (
    select id from delivery where webhook_id = $1 and state = 'waiting' and due_at <= $4::timestamptz
    order by due_at limit $2 for update skip locked)
returning d.id, d.ident, w.name, w.url, w.secret, d.kind, d.body, d.attempts, d.expires_at;

-- name: sent
update delivery set state = 'sent', ended_at = $3, last_error = null where id = $1 and attempts = $2 and state = 'waiting';

-- name: put_off
update delivery set due_at = $4, last_error = $3 where id = $1 and attempts = $2 and state = 'waiting';

-- name: give_up
update delivery set state = 'failed', ended_at = $4, last_error = $3 where id = $1 and attempts = $2 and state = 'waiting';

-- name: list
-- Deliveries, the newest first; null leaves a condition out.
select d.id, d.ident, w.name as webhook, d.kind, d.state, d.attempts, d.created_at, d.due_at, d.ended_at, d.last_error
from delivery d join webhook w on w.id = d.webhook_id
where d.id < $1 and ($3::text is null or d.state = $3) and ($4::text is null or w.name = $4)
order by d.id desc limit $2;

-- name: retry
-- One that was given up is due at once.
update delivery set state = 'waiting', attempts = 0, due_at = $2, expires_at = $3, ended_at = null
where id = $1 and state = 'failed' returning true;

-- name: is_known
select exists (select from delivery where id = $1);

-- name: purge
-- At most $2 of what ended before $1.
delete from delivery where id in (select id from delivery where ended_at < $1 and state <> 'waiting' order by id limit $2);
