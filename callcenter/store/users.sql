-- name: account
-- Who signs in under this name; a person who no longer works here has no account.
select id, name, full_name, role, password_hash, language from users where name = $1 and active;

-- name: account_by_id
select id, name, full_name, role, password_hash, language from users where id = $1 and active;

-- name: note_attempt
select note_attempt($1, $2, $3, $4);

-- name: forget_attempt
-- One of a subject that may have more at the same moment.
delete from sign_in_failure
where ctid = (select ctid from sign_in_failure where subject = $1 and at = $2 limit 1);

-- name: forget_attempts
-- Those of one subject, and whatever is too old to count.
delete from sign_in_failure where subject = $1 or at < $2;

-- name: add_session
insert into session (token_hash, user_id, csrf, address, user_agent, created_at, seen_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $6, $7);

-- name: find_session
-- Whose session this is, while it lasts.
select s.csrf, s.created_at, s.seen_at, s.expires_at, u.id, u.name, u.full_name, u.role, u.language
from session s join users u on u.id = s.user_id
where s.token_hash = $1 and s.expires_at > $2 and u.active;

-- name: extend_session
update session set seen_at = $2, expires_at = $3 where token_hash = $1;

-- name: end_session
delete from session where token_hash = $1;

-- name: end_sessions
-- All sessions of a user but the one that is kept (null: none is).
delete from session where user_id = $1 and token_hash is distinct from $2;

-- name: drop_expired_sessions
delete from session where expires_at <= $1;

-- name: add_token
insert into token (user_id, token_hash, name, created_at, expires_at) values ($1, $2, $3, $4, $5) returning id;

-- name: find_token
select u.id, u.name, u.full_name, u.role, u.language
from token t join users u on u.id = t.user_id
where t.token_hash = $1 and (t.expires_at is null or t.expires_at > $2) and u.active;

-- name: drop_tokens
-- Those of a user that were made for this purpose, or all (null).
delete from token where user_id = $1 and ($2::text is null or name = $2) returning id;

-- name: add_user
-- Nothing when the name is taken.
insert into users (name, full_name, role, password_hash, created_at) values ($1, $2, $3, $4, $5)
on conflict (name) do nothing returning id;

-- name: add_agent
insert into agent (user_id, presence_at, routing_at) values ($1, $2, $2) on conflict do nothing;

-- name: set_password
update users set password_hash = $2 where id = $1;

-- name: renew_hash
-- The same password, kept with newer parameters; not when it was changed meanwhile.
update users set password_hash = $3 where id = $1 and password_hash = $2;

-- name: set_language
update users set language = $2 where id = $1;
