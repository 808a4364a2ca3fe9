-- name: files
select id, name, size from upload where id = any ($1::bigint[]) order by id;

-- name: draft
select text from ticket_draft where user_id = $1 and ticket_id = $2;
