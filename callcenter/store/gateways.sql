-- name: gateways
select g.name, q.name as queue, g.body, g.secrets from gateway g join queue q on q.id = g.queue_id where g.active order by g.id;

-- name: put
-- Secrets that the file does not give stay as they are.
insert into gateway (name, queue_id, body, secrets) values ($1, (select id from queue where name = $2), $3, $4)
on conflict (name) do update set queue_id = excluded.queue_id, body = excluded.body,
    secrets = gateway.secrets || excluded.secrets, active = true;

-- name: retire
-- Messages that came through it still name it.
update gateway set active = false where name = any ($1::text[]);

-- name: named
select g.id, g.name, g.queue_id, q.name as queue, g.body, g.secrets
from gateway g join queue q on q.id = g.queue_id where g.name = $1 and g.active;

-- name: lock_correspondent
-- One message of a correspondent at a time: their order is kept, and two that come at once are one conversation.
select lock_aggregate(12, hashtextextended($1, 0) & ((1::bigint << 56) - 1));

-- name: known
-- The message that came under this id, and the contact that it belongs to.
select m.id as message, m.interaction_id as interaction
from gateway_inbound b join message m on m.id = b.message_id where b.gateway_id = $1 and b.external_id = $2;

-- name: latest
-- The newest contact of a correspondent, and when something was said in it last.
select i.id, i.state, i.ticket_id, (select max(m.at) from message m where m.interaction_id = i.id) as said_at
from gateway_thread t join interaction i on i.id = t.interaction_id
where t.gateway_id = $1 and t.correspondent = $2 order by t.interaction_id desc limit 1;

-- name: standing
-- Once it is locked.
select state, ticket_id, queue_id, agent_id, customer_id from interaction where id = $1;

-- name: served_queue
-- The queue of a gateway as long as it is served, else the default one.
select id from queue where active and (id = $1 or is_default) order by (id = $1) desc limit 1;

-- name: add_thread
insert into gateway_thread (interaction_id, gateway_id, correspondent) values ($1, $2, $3);

-- name: add_inbound
insert into gateway_inbound (gateway_id, external_id, message_id) values ($1, $2, $3);

-- name: add_text
insert into message (interaction_id, ticket_id, author_id, kind, public, text, at) values ($1, $2, $3, $4, true, $5, $6) returning id;

-- name: thread
-- With whom a contact is, and through what.
select t.gateway_id, t.correspondent, g.name, g.body, g.active, i.ticket_id, i.customer_id, i.queue_id, i.agent_id, i.state
from gateway_thread t join gateway g on g.id = t.gateway_id join interaction i on i.id = t.interaction_id
where t.interaction_id = $1;

-- name: bind_message
update message set interaction_id = $2 where id = $1;

-- name: add_outbound
insert into gateway_outbound (gateway_id, interaction_id, message_id, created_at, due_at, expires_at)
values ($1, $2, $3, $4, $4, $5) returning id;

-- name: waiting
-- Gateways for which something is due.
select distinct gateway_id as id from gateway_outbound where state = 'waiting' and due_at <= $1;

-- name: take
-- What has been due for longest at gateway $1, at most $2, for one attempt of whoever asks; until $3 nobody else gets it. Of one
-- contact only the first that waits, so that they arrive in the order in which they were written.
update gateway_outbound o set attempts = o.attempts + 1, due_at = $3
from gateway g, gateway_thread t, message m, interaction i left join ticket k on k.id = i.ticket_id
where g.id = o.gateway_id and t.interaction_id = o.interaction_id and m.id = o.message_id and i.id = o.interaction_id
  and o.id in (
    select id from gateway_outbound w where gateway_id = $1 and state = 'waiting' and due_at <= $4::timestamptz
      and not exists (select from gateway_outbound b where b.interaction_id = w.interaction_id and b.id < w.id and b.state = 'waiting')
    order by due_at limit $2 for update skip locked)
returning o.id, o.ident, g.name, g.queue_id, g.body, g.secrets, t.correspondent, m.text, k.number, o.interaction_id, i.ticket_id,
    i.customer_id, i.queue_id as interaction_queue, i.agent_id, o.message_id, o.attempts, o.expires_at;

-- name: sent
update gateway_outbound set state = 'sent', ended_at = $3, external_id = $4, last_error = null
where id = $1 and attempts = $2 and state = 'waiting' returning true;

-- name: put_off
update gateway_outbound set due_at = $4, last_error = $3 where id = $1 and attempts = $2 and state = 'waiting';

-- name: give_up
update gateway_outbound set state = 'failed', ended_at = $4, last_error = $3
where id = $1 and attempts = $2 and state = 'waiting' returning true;

-- name: receipt
-- What became of a message of ours: once it is delivered or has failed, a receipt that comes late changes nothing.
update gateway_outbound o set state = $3, last_error = $4, ended_at = $5
from interaction i
where i.id = o.interaction_id and o.gateway_id = $1 and o.external_id = $2 and o.state = 'sent'
returning o.message_id, o.interaction_id, i.ticket_id, i.customer_id, i.queue_id, i.agent_id, o.attempts;

-- name: answerable
-- What there is to know before an answer is written in a contact.
select channel, ticket_id, customer_id, agent_id, queue_id from interaction where id = $1;
