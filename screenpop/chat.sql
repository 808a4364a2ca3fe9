-- name: notes
-- What colleagues noted beside a chat, with its place: after how many lines.
select m.id, m.text, m.at, u.full_name as author,
       (select coalesce(max(n), 0) from chat_line l where l.interaction_id = $1 and l.message_id < m.id) as after
from message m left join users u on u.id = m.author_id where m.interaction_id = $1 and m.kind = 'note' order by m.id;

-- name: colleagues
-- Who could be handed a contact of the channel $2, besides $1: at work, with nothing offered, and room for one more.
select u.id, u.full_name, u.name, a.routing_status,
       a.presence = 'on_queue' and a.next_presence is null and not a.offer
       and a.routing_status in ('idle', 'interacting', 'wrap_up') and free_slot(a, $2) is not null as free
from agent a join users u on u.id = a.user_id and u.active
where u.id <> $1 and a.presence = 'on_queue' order by 5 desc, u.full_name limit 200;

-- name: save_answer
-- What an agent is about to say. The older of two that cross each other on the way is dropped.
insert into draft (user_id, interaction_id, answer, updated_at) values ($1, $2, $3, $4)
on conflict (user_id, interaction_id) do update set answer = excluded.answer, updated_at = excluded.updated_at
where draft.updated_at <= excluded.updated_at;

-- name: answer
select answer from draft where user_id = $1 and interaction_id = $2;
