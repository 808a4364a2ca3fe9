-- name: page
-- What a page of a list shows: the tickets $1 in this order, and the lists that user $2 has to choose from.
select coalesce((
    select json_agg(r order by r.place) from (
        select w.place, t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id as queue, t.owner_id as owner,
            t.customer_id as customer, c.name as customer_name, c.tier, t.updated_at, t.version,
            (select coalesce(json_agg(json_build_object('clock', k.clock, 'state', k.state, 'due_at', k.due_at,
                    'risk_at', k.risk_at, 'breached_at', k.breached_at,
                    'remaining_seconds', extract(epoch from k.remaining)::float8)), '[]')
             from sla_clock k where k.ticket_id = t.id and k.ended_at is null) as clocks
        from unnest($1::bigint[]) with ordinality as w (id, place)
        join ticket t on t.id = w.id left join customer c on c.id = t.customer_id
    ) r
), '[]') as rows, coalesce((
    select json_agg(v order by lower(v.name), v.id) from (
        select id, owner_id, name, shared, conditions, ordering, version from ticket_view where owner_id = $2 or shared
        order by lower(name), id limit 200
    ) v
), '[]') as views;
