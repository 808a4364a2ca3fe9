-- name: line
-- Who waits in queue $1, those whose offer is out included, in the router's order (callcenter.domain.order.place): by how old
-- they look, among equals by how long they wait. $3: seconds by tier. `position`: among those of its channel that wait for an
-- agent; null for what is on offer, which stands in no line. At most $2.
with waiting as (
    select i.id, i.channel, i.state, i.queued_at, i.entered_at, i.priority, c.id as customer_id, i.agent_id,
        i.queued_at - make_interval(mins => i.priority,
            secs => coalesce(($3::jsonb ->> c.tier)::float8, 0) + coalesce(contract_shift(c.id), 0)) as place
    from interaction i left join customer c on c.id = work_customer(i.id, i.customer_id, i.channel)
    where i.closed_at is null and i.state in ('queued', 'offered') and i.queue_id = $1
),
line as (
    select *, case when state = 'queued' then row_number() over (partition by channel, state order by place, queued_at, id) end
        as position
    from waiting order by place, queued_at, id limit $2
)
select l.id, l.channel, l.state, l.queued_at, coalesce(l.entered_at, l.queued_at) as entered_at, l.priority, l.position,
    i.address_kind, i.address, i.address_name, coalesce(i.subject, (
        select coalesce('#' || t.number || ' ' || t.subject, k.title)
        from offered_work o left join ticket t on t.id = o.ticket_id left join task k on k.id = o.task_id
        where o.interaction_id = l.id)) as subject,
    c.name as customer, c.tier, u.full_name as agent
from line l join interaction i on i.id = l.id left join customer c on c.id = l.customer_id left join users u on u.id = l.agent_id
order by l.place, l.queued_at, l.id;
