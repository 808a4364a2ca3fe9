-- name: line
-- Who waits in queue $1, those whose offer is out included; at most $2, the longest waiting first.
select i.id, i.channel, i.state, i.queued_at, i.priority, i.address_kind, i.address, i.address_name, coalesce(i.subject, (
        select coalesce('#' || t.number || ' ' || t.subject, k.title)
        from offered_work o left join ticket t on t.id = o.ticket_id left join task k on k.id = o.task_id
        where o.interaction_id = i.id)) as subject,
    c.name as customer, c.tier, contract_shift(c.id) as contract, u.full_name as agent
from interaction i left join customer c on c.id = work_customer(i.id, i.customer_id, i.channel) left join users u on u.id = i.agent_id
where i.closed_at is null and i.state in ('queued', 'offered') and i.queue_id = $1
order by i.queued_at, i.id limit $2;
