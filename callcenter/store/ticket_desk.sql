-- name: by_number
select id from ticket where number = $1;

-- name: save_draft
-- What somebody is writing. The older of two that cross each other on the way is dropped.
insert into ticket_draft (user_id, ticket_id, text, public, updated_at) values ($1, $2, $3, $4, $5)
on conflict (user_id, ticket_id) do update
set text = excluded.text, public = excluded.public, updated_at = excluded.updated_at
where ticket_draft.updated_at <= excluded.updated_at;

-- name: drop_draft
delete from ticket_draft where user_id = $1 and ticket_id = $2;

-- name: come
-- User $2 has ticket $1 open until $4 and, unless it is null, writes until $5. One row: whether others see something new.
with gone as (
    delete from ticket_reader where ticket_id = $1 and until < $3 and user_id <> $2
), before as (
    select writing_until from ticket_reader where ticket_id = $1 and user_id = $2 and until >= $3
), came as (
    insert into ticket_reader (ticket_id, user_id, until, writing_until) values ($1, $2, $4, coalesce($5::timestamptz, '-infinity'))
    on conflict (ticket_id, user_id) do update
    set until = excluded.until, writing_until = coalesce($5::timestamptz, ticket_reader.writing_until)
)
select not exists (select from before)
    or ($5::timestamptz is not null and (select writing_until < $3::timestamptz from before)) as news;

-- name: leave
delete from ticket_reader where ticket_id = $1 and user_id = $2 returning true;

-- name: others
-- Who else has ticket $1 open at $3, and whether they write.
select u.full_name, r.writing_until >= $3 as writing
from ticket_reader r join users u on u.id = r.user_id
where r.ticket_id = $1 and r.user_id <> $2 and r.until >= $3 order by u.full_name limit 10;

-- name: readers
-- Who has ticket $1 open at $2.
select user_id from ticket_reader where ticket_id = $1 and until >= $2 limit 100;
