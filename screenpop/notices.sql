-- name: unseen
-- What a user was told and has not seen, the newest first; `count` is of all of it. A promise matters while the ticket is open,
-- a task while it is to be done.
select n.id, n.kind, n.clock, n.due_at, t.number, coalesce(k.title, t.subject, x.title) as subject, t.customer_id as customer,
    n.solution_id as solution, count(*) over () as count
from notice n left join ticket t on t.id = n.ticket_id left join task k on k.id = n.task_id
left join lateral (select title from solution_text where solution_id = n.solution_id order by language limit 1) x on true
where n.user_id = $1 and n.seen_at is null and (n.kind <> 'sla' or t.state not in ('resolved', 'closed'))
    and coalesce(k.state, 'open') = 'open'
order by n.id desc limit 8;
