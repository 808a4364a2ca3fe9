-- name: active
select kind, name, definition from form where active
order by array_position('{survey,scorecard,sampling}', kind), id;

-- name: lock
-- As an application of a file takes it.
select pg_advisory_xact_lock((6::bigint << 56));

-- name: definition
select definition from form where kind = $1 and name = $2 and active;

-- name: retire
-- What was asked or graded by it keeps it.
update form set active = false where kind = $1 and name = $2 and active;

-- name: add
insert into form (kind, name, version, definition, created_at)
select $1::text, $2::text, coalesce(max(version), 0) + 1, $3, $4 from form where kind = $1::text and name = $2::text;
