-- name: messages
-- What was said in a contact by message, by both sides, and what became of ours.
select m.id, m.kind, m.text, m.at, u.full_name as author, o.state, o.last_error
from message m left join users u on u.id = m.author_id left join gateway_outbound o on o.message_id = m.id
where m.interaction_id = $1 and m.kind in ('inbound', 'outbound') order by m.at desc, m.id desc limit 200;
