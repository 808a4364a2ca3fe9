-- name: widget
-- A widget by its key, as long as it and its queue are in use.
select w.id, w.key, w.queue_id, w.sites, w.languages, w.greeting, w.ask, w.form, w.callback, w.secret
from widget w join queue q on q.id = w.queue_id and q.active where w.key = $1 and w.active;

-- name: add
insert into chat (interaction_id, widget_id, token_hash, identity, language, page, page_title, node_id)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: by_id
select c.interaction_id, c.widget_id, c.identity, c.language, c.page, c.page_title, c.last, c.visitor_read, c.agent_read,
       c.gone_at, i.state, i.outcome, i.queue_id, i.agent_id, i.customer_id, i.ticket_id, i.address_name, i.queued_at, i.ended_at
from chat c join interaction i on i.id = c.interaction_id where c.interaction_id = $1;

-- name: by_token
select c.interaction_id, c.widget_id, c.identity, c.language, c.page, c.page_title, c.last, c.visitor_read, c.agent_read,
       c.gone_at, i.state, i.outcome, i.queue_id, i.agent_id, i.customer_id, i.ticket_id, i.address_name, i.queued_at, i.ended_at
from chat c join interaction i on i.id = c.interaction_id where c.token_hash = $1;

-- name: by_ids
select c.interaction_id, c.widget_id, c.identity, c.language, c.page, c.page_title, c.last, c.visitor_read, c.agent_read,
       c.gone_at, i.state, i.outcome, i.queue_id, i.agent_id, i.customer_id, i.ticket_id, i.address_name, i.queued_at, i.ended_at
from chat c join interaction i on i.id = c.interaction_id where c.interaction_id = any ($1::bigint[]);

-- name: lines
-- Those after $2, at most $3 of them.
select l.n, l.message_id, m.author_id, m.text, l.client_id, m.at
from chat_line l join message m on m.id = l.message_id where l.interaction_id = $1 and l.n > $2 order by l.n limit $3;

-- name: line
-- By the id that its sender gave it.
select l.n, l.message_id, m.author_id, m.text, l.client_id, m.at
from chat_line l join message m on m.id = l.message_id
where l.interaction_id = $1 and l.by_visitor = $2 and l.client_id = $3;

-- name: of_customer
-- The customer that the site's own number is of.
select customer_now(id) from customer where external_id = $1;

-- name: prove
-- The site's word makes an address that we have of this customer a verified one.
update address set certainty = 'verified' where customer_id = $1 and kind = $2 and value = $3 and certainty <> 'verified';

-- name: arrive_page
-- The visitor is (again) at this node, on this page.
update chat set node_id = $2, gone_at = null, page = coalesce($3, page), page_title = coalesce($4, page_title)
where interaction_id = $1 and (node_id is distinct from $2 or gone_at is not null
    or page is distinct from coalesce($3, page) or page_title is distinct from coalesce($4, page_title));

-- name: leave_page
-- Their last connection to this node is lost; another node's word counts more.
update chat set gone_at = $3 where interaction_id = $1 and node_id = $2 and gone_at is null;

-- name: lose
-- Of visitors whose node died, or came back without them, nobody saw them go.
update chat c set gone_at = $1 from interaction i
where i.id = c.interaction_id and i.state in ('new', 'queued', 'offered', 'active') and c.gone_at is null
  and (c.node_id is null or c.node_id = $2 or exists (select from node n where n.id = c.node_id and n.lease_until < $1));

-- name: not_here
-- Of this node's visitors ($2) all but those in the chats $1: when they left, the database could not be told.
update chat c set gone_at = $3 from interaction i
where i.id = c.interaction_id and c.node_id = $2 and c.gone_at is null and c.interaction_id <> all ($1::bigint[])
  and i.state in ('new', 'queued', 'offered', 'active');

-- name: gone
-- Those whose visitor has been away too long: before $1 while they wait, before $2 in a conversation.
select c.interaction_id from chat c join interaction i on i.id = c.interaction_id
where c.gone_at is not null
  and (i.state in ('new', 'queued', 'offered') and c.gone_at < $1 or i.state = 'active' and c.gone_at < $2)
order by c.gone_at limit 100;

-- name: settle
-- Of what is over it does not matter any more.
update chat c set gone_at = null, node_id = null from interaction i
where i.id = c.interaction_id and c.gone_at is not null and i.state in ('wrapping', 'closed');

-- name: files
-- How many files the visitor has sent, their bytes, and whether anybody ever took the chat.
select count(u.id), coalesce(sum(u.size), 0) as size, i.answered_at is not null as taken
from interaction i left join chat_line l on l.interaction_id = i.id and l.by_visitor left join upload u on u.message_id = l.message_id
where i.id = $1 group by i.id;

-- name: transcripts
-- How many transcripts went to an address since a moment.
select count(*) from outbox where recipient = $1 and template = $2 and created_at > $3;

-- name: authors
-- The agents who said something in it.
select distinct u.id, u.full_name from chat_line l join message m on m.id = l.message_id join users u on u.id = m.author_id
where l.interaction_id = $1;

-- name: is_chat
select exists (select from chat where interaction_id = $1);
