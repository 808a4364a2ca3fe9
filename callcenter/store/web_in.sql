-- name: known
select id, ticket_id from interaction where channel = 'form' and external_id = $1;

-- name: mailbox
-- Where answers to letters about the queue's cases go.
select address from mailbox where queue_id = $1 and active order by id limit 1;

-- name: standing
-- What one who sent a form may know of it.
select i.state, i.arrived_at, i.language, t.number, t.state as ticket_state, (
    select s.due_at from sla_clock s where s.ticket_id = t.id and s.clock = 'first_response' and s.state = 'running') as due_at
from interaction i join ticket t on t.id = i.ticket_id where i.id = $1 and i.channel = 'form';
