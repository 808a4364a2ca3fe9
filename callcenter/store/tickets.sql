-- name: add
insert into ticket (number, subject, state, priority, category, queue_id, owner_id, customer_id, created_by, created_at, updated_at)
values (nextval('ticket_number'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $9) returning id;

-- name: customer_of
-- Whose interaction it is, in which queue, and who spoke in it when; no row when there is none.
select customer_id, queue_id, channel, direction, arrived_at, answered_at, ended_at from interaction where id = $1;

-- name: ticket
-- One ticket with its interactions.
select t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id, t.owner_id, t.customer_id, t.created_at,
       t.updated_at, t.closed_at, t.version,
       coalesce((select array_agg(id order by id) from interaction where ticket_id = t.id), '{}') as interactions
from ticket t where t.id = $1;

-- name: many
select t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id, t.owner_id, t.customer_id, t.created_at,
       t.updated_at, t.closed_at, t.version,
       coalesce((select array_agg(id order by id) from interaction where ticket_id = t.id), '{}') as interactions
from ticket t where t.id = any ($1::bigint[]);

-- name: list
-- Tickets, the newest first; null leaves a condition out. $1: id to go on below.
select t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id, t.owner_id, t.customer_id, t.created_at,
       t.updated_at, t.closed_at, t.version,
       coalesce((select array_agg(id order by id) from interaction where ticket_id = t.id), '{}') as interactions
from ticket t
where t.id < $1 and ($2::text is null or t.state = $2) and ($3::text is null or t.priority = $3)
  and ($4::bigint is null or t.queue_id = $4) and ($5::bigint is null or t.owner_id = $5)
  and ($6::bigint is null or t.customer_id = $6) and ($7::bigint is null or t.number = $7)
order by t.id desc limit $8;

-- name: change
update ticket set subject = $2, state = $3, priority = $4, category = $5, queue_id = $6, owner_id = $7, customer_id = $8,
    updated_at = $9, closed_at = case when $3 = 'closed' then coalesce(closed_at, $9) end, version = version + 1
where id = $1 returning version;

-- name: add_message
insert into message (ticket_id, author_id, kind, public, text, at) values ($1, $2, $3, $4, $5, $6) returning id;

-- name: messages
-- The texts of a ticket, the oldest first.
select m.id, m.kind, m.public, m.text, m.at, u.name as author
from message m left join users u on u.id = m.author_id where m.ticket_id = $1 order by m.id;

-- name: changes
-- What happened to a ticket since a version, the latest first.
select kind, at, version, actor_id, data from contact_log
where ticket_id = $1 and version > $2 and kind like 'ticket.%' order by version desc limit 50;
