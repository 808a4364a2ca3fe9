-- name: known
select id, ticket_id from interaction where channel = 'form' and external_id = $1;

-- name: mailbox
-- Where answers to letters about the queue's cases go.
select address from mailbox where queue_id = $1 and active order by id limit 1;

-- name: latest_of_ticket
-- Where an answer on a ticket goes when nobody wrote by mail: to whoever wrote last from a web page and said where they read mail.
select i.id as interaction, i.address, i.address_name, i.subject, i.customer_id, i.language, (
    select m.address from mailbox m where m.queue_id = coalesce(t.queue_id, i.queue_id) and m.active order by m.id limit 1) as mailbox
from interaction i join ticket t on t.id = i.ticket_id
where i.ticket_id = $1 and i.channel = 'form' and i.address_kind = 'email' order by i.id desc limit 1;

-- name: standing
-- What one who sent a form may know of it.
select i.state, i.arrived_at, i.language, t.number, t.state as ticket_state, (
    select s.due_at from sla_clock s where s.ticket_id = t.id and s.clock = 'first_response' and s.state = 'running') as due_at
from interaction i join ticket t on t.id = i.ticket_id where i.id = $1 and i.channel = 'form';
