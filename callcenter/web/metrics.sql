-- name: interactions
select channel, state, count(*) from interaction where closed_at is null group by channel, state;

-- name: waiting
-- Every active queue, those where nobody waits too. The longest wait is of the channels $1, where people wait at the other end.
select q.name as queue, count(i.id),
       coalesce(extract(epoch from now() - min(i.queued_at) filter (where i.channel = any($1::text[]))), 0)::float8 as longest,
       coalesce(extract(epoch from now() - min(i.queued_at) filter (where i.channel <> all($1))), 0)::float8 as longest_deferrable
from queue q left join interaction i on i.queue_id = q.id and i.closed_at is null and i.state in ('queued', 'offered')
where q.active group by q.name;

-- name: agents
select routing_status as status, count(*) from agent group by routing_status;

-- name: mail
-- Letters in the outbox, and how long the oldest that is due has been.
select count(*)::integer as waiting,
       coalesce(extract(epoch from now() - min(due_at) filter (where due_at <= now())), 0)::float8 as oldest
from outbox where state = 'waiting';

-- name: webhooks
-- Deliveries that are on their way, and those that were given up.
select w.name as webhook, d.state, count(*)::integer as count
from delivery d join webhook w on w.id = d.webhook_id where d.state = 'waiting' or d.state = 'failed' group by 1, 2;

-- name: held
-- The oldest open transaction that has written: who holds events back.
select pid, application_name, extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
order by xact_start limit 1;
