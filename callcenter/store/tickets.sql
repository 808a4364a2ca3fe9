-- name: open
-- What the log says of it, its number behind each row; see functions/50_tickets.sql.
select (entry).seq, (entry).xid::text::bigint as xid, (entry).epoch, (entry).at, (entry).kind, (entry).interaction_id,
    (entry).customer_id, (entry).agent_id, (entry).queue_id, (entry).ticket_id, (entry).actor_id, (entry).version, (entry).data, number
from open_ticket($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: customer_of
-- Whose interaction it is, in which queue, and who spoke in it when; no row when there is none.
select customer_id, queue_id, channel, direction, arrived_at,
       coalesce((select min(answered_at) from handed_over where interaction_id = $1), answered_at) as answered_at, ended_at
from interaction where id = $1;

-- name: ticket
-- One ticket with its interactions.
select t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id, t.owner_id, t.customer_id, t.created_at,
       t.updated_at, t.closed_at, t.version, t.type, t.tags, t.followers, t.customers, t.fields, t.parent_id, t.merged_into,
       coalesce((select array_agg(id order by id) from interaction where ticket_id = t.id), '{}') as interactions
from ticket t where t.id = $1;

-- name: many
select t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id, t.owner_id, t.customer_id, t.created_at,
       t.updated_at, t.closed_at, t.version, t.type, t.tags, t.followers, t.customers, t.fields, t.parent_id, t.merged_into,
       coalesce((select array_agg(id order by id) from interaction where ticket_id = t.id), '{}') as interactions
from ticket t where t.id = any ($1::bigint[]);

-- name: change
-- A ticket as it is now on; its history is written by the table itself.
with t as (
    update ticket set subject = $2, state = $3, priority = $4, category = $5, queue_id = $6, owner_id = $7, customer_id = $8,
        updated_at = $9, closed_at = case when $3 = 'closed' then coalesce(closed_at, $9) end, type = $10, tags = $11,
        followers = $12, customers = $13, fields = $14, parent_id = $15, merged_into = $16, updated_by = $17,
        version = version + 1
    where id = $1 returning *
)
select t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id, t.owner_id, t.customer_id, t.created_at,
       t.updated_at, t.closed_at, t.version, t.type, t.tags, t.followers, t.customers, t.fields, t.parent_id, t.merged_into,
       coalesce((select array_agg(id order by id) from interaction where ticket_id = t.id), '{}') as interactions
from t;

-- name: add_message
insert into message (ticket_id, author_id, kind, public, text, at) values ($1, $2, $3, $4, $5, $6) returning id;

-- name: came_by
-- Message $1 is what interaction $2 brought.
update message set interaction_id = $2 where id = $1;

-- name: messages
-- The texts of a ticket, the oldest first.
select m.id, m.kind, m.public, m.text, m.at, u.name as author
from message m left join users u on u.id = m.author_id where m.ticket_id = $1 order by m.id;

-- name: changes
-- What happened to a ticket since a version, the latest first.
select kind, at, version, actor_id, data from contact_log
where ticket_id = $1 and version > $2 and kind like 'ticket.%' order by version desc limit 50;
