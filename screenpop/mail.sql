-- name: ticket
-- Of a message that came by mail: its ticket, and whether its sender can be answered.
select t.id as ticket, t.number, t.state, m.sender is not null as answerable
from mail m join interaction i on i.id = m.interaction_id left join ticket t on t.id = i.ticket_id where m.interaction_id = $1;

-- name: letters
-- Our answers to it, what became of each, and whether user $2 wrote it.
select o.text, o.state, o.last_error, o.bounced_at, o.created_at, o.due_at, o.attempts, o.recipient, o.said_id,
    coalesce(w.author_id = $2, false) as own
from outbox o left join message w on w.id = o.said_id where o.interaction_id = $1 and o.template is null order by o.id;

-- name: of_ticket
-- Whether this message came by mail and belongs to ticket number $1, whose conversation every agent reads.
select t.id from ticket t join interaction i on i.ticket_id = t.id join mail m on m.interaction_id = i.id
where t.number = $1 and i.id = $2;
