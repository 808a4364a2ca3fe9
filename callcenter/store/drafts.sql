-- name: save
-- What an agent is typing. The older of two that cross each other on the way is dropped.
insert into draft (user_id, interaction_id, note, disposition, updated_at) values ($1, $2, $3, $4, $5)
on conflict (user_id, interaction_id) do update
set note = excluded.note, disposition = excluded.disposition, updated_at = excluded.updated_at
where draft.updated_at <= excluded.updated_at;

-- name: find
select note, disposition from draft where user_id = $1 and interaction_id = $2;
