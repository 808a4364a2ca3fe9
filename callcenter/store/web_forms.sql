-- name: forms
select f.definition, q.name as queue from web_form f join queue q on q.id = f.queue_id where f.active order by f.id;

-- name: form
-- One that can be filled in, as long as its queue is served.
select f.definition, f.queue_id, q.name as queue from web_form f join queue q on q.id = f.queue_id and q.active
where f.name = $1 and f.active;

-- name: put
insert into web_form (name, queue_id, definition) values ($1, (select id from queue where name = $2), $3)
on conflict (name) do update set queue_id = excluded.queue_id, definition = excluded.definition, active = true;

-- name: retire
update web_form set active = false where name = any ($1::text[]);

-- name: portal
select portal from organisation;

-- name: put_portal
update organisation set portal = $1;
