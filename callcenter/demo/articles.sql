-- name: is_filled
select exists (select from solution);

-- name: owner
select id from users where role = 'supervisor' and active order by id limit 1;

-- name: articles
select id, public from solution order by id;

-- name: cases
-- The latest cases that are over.
select id, subject, owner_id from ticket where state in ('resolved', 'closed') order by id desc limit $1;
