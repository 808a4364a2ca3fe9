-- name: put
insert into outbox (recipient, recipient_name, language, template, data, subject, text, interaction_id, ticket_id, customer_id,
    queue_id, thread, created_at, due_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) returning id;

-- name: put_all
-- Letters by template, one for each place of the arrays.
insert into outbox (recipient, recipient_name, language, template, data, ticket_id, queue_id, created_at, due_at, expires_at)
select recipient, name, language, template, data, ticket_id, queue_id, $8::timestamptz, due_at, expires_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::bigint[], $7::bigint[], $9::timestamptz[],
    $10::timestamptz[]) as g (recipient, name, language, template, data, ticket_id, queue_id, due_at, expires_at);

-- name: drop_moot
-- What was to wait for its reader's hours is of no use when the ticket is over by then. Only what never was on its way.
update outbox o set state = 'failed', ended_at = $1, last_error = 'the ticket was over before the letter was due'
from ticket t
where o.state = 'waiting' and o.due_at <= $1 and o.template = 'escalation' and o.attempts = 0 and o.due_at > o.created_at
  and t.id = o.ticket_id and t.state in ('resolved', 'closed');

-- name: take
-- The letter that has been due for longest, for one attempt of whoever asks, and the next one. Until $2 nobody else gets it; after
-- that whoever asks first does, since the one who had it has died. $1: what stands behind the @ of the ids that we choose.
update outbox set
    attempts = attempts + 1, due_at = $2,
    message_id = coalesce(message_id, replace(gen_random_uuid()::text, '-', '') || '@' || $1::text)
where id = (select id from outbox where state = 'waiting' and due_at <= $3::timestamptz order by due_at limit 1 for update skip locked)
returning id, message_id, recipient, recipient_name, language, template, data, subject, text, interaction_id, ticket_id,
    customer_id, queue_id, attempts, expires_at, thread;

-- name: sent
-- Nothing when the lease was over and somebody else has it.
update outbox set state = 'sent', ended_at = $3, last_error = null
where id = $1 and attempts = $2 and state = 'waiting' returning true;

-- name: put_off
update outbox set due_at = $4, last_error = $3 where id = $1 and attempts = $2 and state = 'waiting' returning true;

-- name: give_up
update outbox set state = 'failed', ended_at = $4, last_error = $3
where id = $1 and attempts = $2 and state = 'waiting' returning true;
