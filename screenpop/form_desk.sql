-- name: form
-- What came by a form, as an agent reads it.
select m.id as message, m.text, m.at, i.address, i.address_name as name, i.called, t.id as ticket, t.number, t.state
from interaction i join message m on m.interaction_id = i.id and m.kind = 'inbound' left join ticket t on t.id = i.ticket_id
where i.id = $1 and i.channel = 'form' order by m.id limit 1;

-- name: answers
-- What was answered on its ticket since.
select text, at from message where ticket_id = $1 and id > $2 and kind = 'outbound' and public order by id;
