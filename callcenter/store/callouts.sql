-- name: drop_moot
-- Whoever has seen the notice on their console, or whose ticket is over, need not be called.
update phone_notice c set state = 'acknowledged', ended_at = $1
from notice n join ticket t on t.id = n.ticket_id
where c.state = 'waiting' and c.due_at <= $1 and n.id = c.notice_id
  and (n.seen_at is not null or t.state in ('resolved', 'closed'));

-- name: take
-- The call that has been due for longest, for one attempt of whoever asks; until $2 nobody else gets it. What was tried often enough
-- ($3), or is too old, is not among them.
update phone_notice set attempts = attempts + 1, due_at = $2
where id = (
    select id from phone_notice where state = 'waiting' and due_at <= $1::timestamptz and attempts < $3 and expires_at > $1
    order by due_at limit 1 for update skip locked)
returning id, endpoint, attempts;

-- name: unanswered
-- What was tried often enough, or in vain for too long: given up, with whom the notice was for.
update phone_notice c set state = 'failed', ended_at = $1
from notice n join ticket t on t.id = n.ticket_id
where n.id = c.notice_id and c.id in (
    select id from phone_notice where state = 'waiting' and due_at <= $1 and (attempts >= $2 or expires_at <= $1)
    order by due_at limit 20 for update skip locked)
returning c.id, n.id as notice, n.user_id, n.ticket_id, n.clock, n.due_at, t.number, t.queue_id, t.priority;

-- name: shown
-- What is read out of call $1.
select c.number, c.state from phone_notice c where c.id = $1;

-- name: acknowledge
-- Notices that are acknowledged with call $1: those that its reader has of the same ticket; in order, so that nobody waits in a circle.
with call as (
    update phone_notice set state = case when state = 'waiting' then 'acknowledged' else state end, ended_at = coalesce(ended_at, $2)
    where id = $1 returning notice_id
), about as (
    select n.user_id, n.ticket_id from call join notice n on n.id = call.notice_id
), unseen as (
    select n.id from notice n join about a on n.user_id = a.user_id and n.ticket_id = a.ticket_id
    where n.seen_at is null order by n.id for update of n
)
update notice n set seen_at = $2 from unseen where n.id = unseen.id returning n.id, n.user_id, n.ticket_id;

-- name: failed
-- The PBX could not call: what it said, for people.
update phone_notice set last_error = $2 where id = $1;
