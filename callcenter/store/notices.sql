-- name: add
-- A notice for each place of the arrays, in their order; one without a clock is that of a rule.
with given as (
    select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[])
        with ordinality as g (user_id, ticket_id, clock, due_at, place)
)
insert into notice (user_id, ticket_id, clock, due_at, at, kind)
select user_id, ticket_id, clock, due_at, $5::timestamptz, case when clock is null then 'rule' else 'sla' end
from given order by place
returning id;

-- name: add_call
-- To the one whose notice $1 is.
insert into phone_notice (notice_id, user_id, endpoint, number, due_at, expires_at)
select id, user_id, $2::text, $3::bigint, $4::timestamptz, $5::timestamptz from notice where id = $1;

-- name: see
-- User $1 has seen notice $2 (null: all, in order, so that nobody waits in a circle); no row for what is somebody else's, or seen already.
with unseen as (
    select id from notice where user_id = $1 and seen_at is null and ($2::bigint is null or id = $2) order by id for update
)
update notice n set seen_at = $3 from unseen where n.id = unseen.id returning n.id;

-- name: is_of
select exists (select from notice where id = $1 and user_id = $2);

-- name: list
-- Notices of user $1 below an id ($2), the newest first, at most $3; $4 null: seen and unseen.
select n.id, n.kind, n.ticket_id as ticket, t.number, t.subject, n.clock, n.due_at, n.at, n.seen_at, c.state as call
from notice n left join ticket t on t.id = n.ticket_id left join phone_notice c on c.notice_id = n.id
where n.user_id = $1 and n.id < $2 and ($4::boolean is null or (n.seen_at is not null) = $4)
order by n.id desc limit $3;
