-- name: add_text
insert into message (interaction_id, kind, public, text, at) values ($1, 'inbound', true, $2, $3);

-- name: known
select id from interaction where channel = $1 and external_id = $2;
