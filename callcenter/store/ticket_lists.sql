-- name: numbers
-- The numbers of tickets, by id.
select id, number from ticket where id = any ($1::bigint[]);

-- name: views
-- The lists that user $1 keeps and those that everybody may use, by name; $2: that one alone.
select id, owner_id, name, shared, conditions, ordering, version from ticket_view
where (owner_id = $1 or shared) and ($2::bigint is null or id = $2) order by lower(name), id limit 200;

-- name: count_views
select count(*) from ticket_view where owner_id = $1;

-- name: add_view
insert into ticket_view (owner_id, name, shared, conditions, ordering, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $6) returning id;

-- name: change_view
-- Version $2 of list $1 becomes the next; no row when somebody was quicker.
update ticket_view set name = $3, shared = $4, conditions = $5, ordering = $6, updated_at = $7, version = version + 1
where id = $1 and version = $2 returning version;

-- name: drop_view
delete from ticket_view where id = $1 returning id;
