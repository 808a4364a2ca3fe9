-- name: declared
select c.name, q.name as queue, jsonb_object_agg(coalesce(c.language, ''), c.text) as texts
from canned_answer c left join queue q on q.id = c.queue_id where c.owner_id is null group by c.name, q.name order by c.name;

-- name: declare
insert into canned_answer (name, text, language, queue_id, updated_at)
values ($1, $2, $3, (select id from queue where name = $4), now());

-- name: withdraw
delete from canned_answer where owner_id is null and name = any ($1::text[]);

-- name: for_user
-- Those of the organisation and this user's own.
select id, name, text, language, queue_id as queue, owner_id is not null as own from canned_answer
where owner_id is null or owner_id = $1 order by owner_id is null, name, language nulls first limit 2000;

-- name: keep
-- One's own; the same name and language again is the same answer. Nothing for one more than $6 of them.
insert into canned_answer (owner_id, name, text, language, queue_id, updated_at)
select $1, $2, $3, $4, $5, $7
where (select count(*) from canned_answer where owner_id = $1 and (name, coalesce(language, '')) <> ($2, coalesce($4, ''))) < $6
on conflict (coalesce(owner_id, 0), name, coalesce(language, '')) do update
set text = excluded.text, queue_id = excluded.queue_id, updated_at = excluded.updated_at, version = canned_answer.version + 1
returning id;

-- name: drop
delete from canned_answer where id = $1 and owner_id = $2 returning id;

-- name: case
-- What a contact can fill the gaps of a text with.
select i.queue_id, coalesce(i.language, c.language) as language, coalesce(c.name, i.address_name) as customer, c.company,
       q.name as queue, t.number as ticket
from interaction i left join customer c on c.id = i.customer_id left join queue q on q.id = i.queue_id
left join ticket t on t.id = i.ticket_id where i.id = $1;
