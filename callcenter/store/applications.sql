-- name: add
insert into organisation_application (applied_at, actor_id, via, lines) values ($1, $2, $3, $4);

-- name: newest
select coalesce(max(id), 0) from organisation_application;

-- name: since
-- What was applied after one that was seen, oldest first.
select a.id, a.applied_at, coalesce(u.full_name, '') as actor, a.via, a.lines
from organisation_application a left join users u on u.id = a.actor_id
where a.id > $1 order by a.id limit 20;

-- name: page
-- Newest first.
select a.id, a.applied_at, coalesce(u.full_name, '') as actor, a.via, a.lines
from organisation_application a left join users u on u.id = a.actor_id
where a.id < $1 order by a.id desc limit $2;

-- name: account
select name, role from users where id = $1 and active;
