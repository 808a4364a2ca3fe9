-- name: unseen
-- What a user was told of tickets that are still open and has not seen, the newest first; `count` is of all of them.
select n.id, n.clock, n.due_at, t.number, t.subject, t.customer_id as customer, count(*) over () as count
from notice n join ticket t on t.id = n.ticket_id
where n.user_id = $1 and n.seen_at is null and t.state not in ('resolved', 'closed')
order by n.id desc limit 8;
