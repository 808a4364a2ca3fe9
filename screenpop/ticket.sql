-- name: page
-- All that the page of ticket number $1 shows to user $2 at $3; no row when there is none.
select t.id, t.number, t.subject, t.state, t.priority, t.category, t.queue_id as queue, t.owner_id as owner,
    t.customer_id as customer, t.created_at, t.updated_at, t.version, t.type, t.tags, t.followers, t.fields, t.merged_into,
    (select json_build_object('id', c.id, 'name', c.name, 'company', c.company, 'tier', c.tier, 'note', c.note,
        'addresses', (select coalesce(json_agg(json_build_object('kind', a.kind, 'value', a.value, 'certainty', a.certainty)
            order by a.id), '[]') from address a where a.customer_id = c.id))
     from customer c where c.id = t.customer_id) as person,
    coalesce((select json_agg(m order by m.id) from (
        select m.id, m.kind, m.public, m.text, m.at, u.full_name as author, m.author_id = $2 as own,
            (select interaction_id from mail where interaction_id = m.interaction_id) as mail,
            case when m.kind = 'outbound' then (select json_build_object('state', o.state, 'attempts', o.attempts,
                'created_at', o.created_at, 'due_at', o.due_at, 'last_error', o.last_error, 'bounced_at', o.bounced_at,
                'recipient', o.recipient) from outbox o where o.said_id = m.id) end as letter,
            (select json_agg(json_build_object('id', f.id, 'name', f.name, 'size', f.size) order by f.id)
             from upload f where f.message_id = m.id) as files
        from message m left join users u on u.id = m.author_id
        where m.ticket_id = t.id order by m.id desc limit 200
    ) m), '[]') as messages,
    coalesce((select json_agg(i order by i.arrived_at) from (
        select i.id, i.channel, i.direction, i.state, i.outcome, i.disposition, i.subject, i.note, i.arrived_at, i.answered_at,
            i.ended_at, u.full_name as agent
        from interaction i left join users u on u.id = i.agent_id where i.ticket_id = t.id order by i.id desc limit 100
    ) i), '[]') as interactions,
    coalesce((select json_agg(k) from (
        select distinct on (k.clock) k.clock, k.state, k.due_at, k.risk_at, k.breached_at, k.met_at, k.ended_at,
            extract(epoch from k.remaining)::float8 as remaining_seconds,
            extract(epoch from k.difference)::float8 as difference_seconds
        from sla_clock k where k.ticket_id = t.id order by k.clock, k.round desc
    ) k), '[]') as clocks,
    coalesce((select json_agg(o order by o.id desc) from (
        select o.id, o.number, o.subject, o.state, o.updated_at from ticket o
        where o.customer_id = t.customer_id and o.id <> t.id order by o.id desc limit 6
    ) o), '[]') as siblings,
    coalesce((select json_agg(h order by h.arrived_at desc) from (
        select h.id, h.channel, h.subject, h.outcome, h.arrived_at from interaction h
        where h.customer_id = t.customer_id order by h.arrived_at desc, h.id desc limit 6
    ) h), '[]') as contacts,
    (select json_build_object('text', d.text, 'public', d.public) from ticket_draft d
     where d.user_id = $2 and d.ticket_id = t.id) as draft,
    (select count(*) from message m where m.ticket_id = t.id and m.author_id = $2) as own_messages,
    coalesce((select json_agg(json_build_object('name', u.full_name, 'writing', r.writing_until >= $3) order by u.full_name)
        from ticket_reader r join users u on u.id = r.user_id
        where r.ticket_id = t.id and r.user_id <> $2 and r.until >= $3), '[]') as others,
    coalesce((select json_agg(json_build_object('id', c.id, 'name', c.name) order by c.id) from customer c
        where c.id = any (t.customers)), '[]') as more_customers,
    -- As the query `family` of callcenter/store/ticket_family.sql.
    coalesce((select json_agg(r order by r.id) from (
        select kin.kin, o.id, o.number, o.subject, o.state from (
            select id, 'child' as kin from ticket where parent_id = t.id
            union all select t.parent_id, 'parent'
            union all select id, 'merged' from ticket where merged_into = t.id
            union all select t.merged_into, 'merged_into'
            union all select high_id, case kind when 'split' then 'split_to' else kind end from ticket_relation where low_id = t.id
            union all select low_id, case kind when 'split' then 'split_from' else kind end from ticket_relation where high_id = t.id
        ) kin join ticket o on o.id = kin.id order by o.id desc limit 100
    ) r), '[]') as family,
    -- As in history.sql: most customers have no contract.
    case when exists (select from contract where customer_id = t.customer_id)
        then contract_cards(t.customer_id, $3) else '[]' end as contracts,
    (select row_to_json(v) from (
        select (select tier from customer where id = t.customer_id) as tier, hand_tier is not null as by_hand, hand_reason,
            hand_until, recency + frequency + monetary as points, stage, signals, figures
        from customer_value where customer_id = t.customer_id
    ) v) as value
from ticket t where t.number = $1;
