-- name: held
-- The contact that an agent talks in, by the reservation; nothing once they have left it.
select r.interaction_id, r.agent_id, r.channel, i.pbx, u.name as holder
from reservation r join users u on u.id = r.agent_id join interaction i on i.id = r.interaction_id
where r.id = $1 and r.state = 'accepted' and r.released_at is null;

-- name: note
-- What colleagues read beside a conversation.
insert into message (interaction_id, author_id, kind, public, text, at) values ($1, $2, 'note', false, $3, $4) returning id;

-- name: note_on_ticket
-- The contact's ticket has the note too, as far as it has one.
update message m set ticket_id = i.ticket_id from interaction i
where m.id = $1 and i.id = m.interaction_id and i.ticket_id is not null;
