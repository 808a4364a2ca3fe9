-- name: pop
-- All that a pop shows, as one JSON text in one round trip; no row when there is no such interaction or customer.
-- $1: the interaction; or 0 for what is known of customer $2, outside of any contact; or both 0 for what is known of who uses
-- the address $4 (its kind), $5, of which a contact is about to come. $3: now. Never null: the planner folds nulls away,
-- likes that plan better than the generic one, and plans anew each time, which doubles what the pop takes.
-- `history` leaves the interaction itself out, `recent_count` counts it. Where nobody is known yet, both are those of
-- the address. Names of queues and agents are looked up one by one: a join would read all 10,000 agents.
with i as materialized (
    select id, customer_id, address_kind, address, arrived_at from interaction where id = $1::bigint
    union all
    select 0, id, null, null, null from customer where id = $2::bigint
    union all
    select 0, find_customer($4::text, $5::text), $4::text, $5::text, null where $4::text <> ''
),
person as materialized (
    select c.id, c.name, c.company, c.company_id, c.tier, c.language, c.note, c.external_id, c.created_at,
        coalesce(a.addresses, '[]') as addresses
    from (
        select customer_id as id from i where customer_id is not null
        union
        (select found.customer_id from i join address found on found.kind = i.address_kind and found.value = i.address limit 20)
    ) who
    join customer c on c.id = who.id and c.merged_into is null
    left join lateral (
        select json_agg(json_build_object('kind', x.kind, 'value', x.value, 'certainty', x.certainty)) as addresses
        from (select kind, value, certainty from address where customer_id = c.id order by id limit 50) x
    ) a on true
),
-- Other numbers of what may be the same switchboard: all digits but the last two are the same. U+FFFF is behind all digits,
-- by bytes as by the rules of a language.
near as materialized (
    select c.id, c.name, c.company, c.tier,
        json_build_array(json_build_object('kind', 'phone', 'value', a.value, 'certainty', 'maybe')) as addresses
    from i
    cross join lateral (
        select customer_id, value from address
        where kind = 'phone' and value >= left(i.address, -2) and value < left(i.address, -2) || chr(65535)
        order by value limit 5
    ) a
    join customer c on c.id = a.customer_id and c.merged_into is null
    where i.customer_id is null and i.address_kind = 'phone' and length(i.address) > 8 and not exists (select from person)
)
select json_build_object(
    'interaction', (
        select row_to_json(e) from (
            select x.id, x.channel, x.direction, x.state, x.outcome, x.external_id, x.customer_id as customer,
                (select name from queue where id = x.queue_id) as queue, (select name from users where id = x.agent_id) as agent,
                x.ticket_id as ticket, x.address, x.arrived_at, x.queued_at, x.answered_at, x.ended_at, x.closed_at,
                x.disposition, x.note, x.address_kind, x.address_name, x.called, x.subject, x.priority, x.version
            from interaction x where x.id = i.id
        ) e
    ),
    'customer', (select row_to_json(person) from person where id = i.customer_id),
    'matches', coalesce((
        select json_agg(person order by name) from person
        where id <> i.customer_id or i.customer_id is null or exists (
            select from address where customer_id = person.id and kind = i.address_kind and value = i.address)
    ), '[]'),
    'near', coalesce((select json_agg(near) from near), '[]'),
    -- Open tickets of their colleagues: of the newest 500, up to 100. Most customers have no company, and the look is short.
    'colleagues', (
        select json_build_object('company', p.company_id, 'open_tickets', (
            select count(*) from (
                select from (
                    select id from customer where company_id = p.company_id and id <> p.id order by id desc limit 500
                ) mate
                cross join lateral (
                    select from ticket where customer_id = mate.id and state not in ('resolved', 'closed') limit 100
                ) t limit 100
            ) found))
        from person p where p.id = i.customer_id and p.company_id is not null
    ),
    -- Of whom nobody knows who they are: the company that their mail is of.
    'proposed_company', case when i.customer_id is null and i.address_kind = 'email'
        then (select name from company where id = company_of_mail(i.address)) end,
    'history', coalesce((
        select json_agg(h) from (
            select x.id, x.channel, x.direction, x.state, x.outcome, x.external_id, x.customer_id as customer,
                (select name from queue where id = x.queue_id) as queue, (select name from users where id = x.agent_id) as agent,
                x.ticket_id as ticket, x.address, x.arrived_at, x.queued_at, x.answered_at, x.ended_at, x.closed_at,
                x.disposition, x.note, x.address_kind, x.address_name, x.called, x.subject, x.priority, x.version
            from (
                (select * from interaction where customer_id = i.customer_id and id <> i.id
                 order by arrived_at desc, id desc limit 50)
                union all
                (select * from interaction where i.customer_id is null and i.address_kind is not null
                 and address = i.address and customer_id is null and address_kind is not null and id <> i.id
                 order by arrived_at desc, id desc limit 50)
            ) x
        ) h
    ), '[]'),
    'open_tickets', coalesce((
        select json_agg(t) from (
            select t.id, t.number, t.subject, t.state, t.priority, t.category,
                (select name from users where id = t.owner_id) as owner, (select name from queue where id = t.queue_id) as queue,
                t.created_at, t.updated_at, t.version,
                (select coalesce(json_agg(json_build_object('clock', k.clock, 'state', k.state, 'due_at', k.due_at,
                        'risk_at', k.risk_at, 'breached_at', k.breached_at,
                        'remaining_seconds', extract(epoch from k.remaining)::float8)), '[]')
                 from sla_clock k where k.ticket_id = t.id and k.ended_at is null) as clocks
            from ticket t where t.customer_id = i.customer_id and t.state not in ('resolved', 'closed')
            order by t.id desc limit 50
        ) t
    ), '[]'),
    -- What they answered to surveys about those contacts.
    'scores', coalesce((
        select json_agg(s) from (
            select interaction_id as interaction, ask, score from survey
            where customer_id = i.customer_id and score is not null order by asked_at desc limit 50
        ) s
    ), '[]'),
    -- Most customers have no contract, and the look is short for them.
    'contracts', case when exists (select from contract where customer_id = i.customer_id)
        then contract_cards(i.customer_id, $3) else '[]' end,
    'value', (
        select row_to_json(v) from (
            select (select tier from customer where id = i.customer_id) as tier, hand_tier is not null as by_hand, hand_reason,
                hand_until, recency + frequency + monetary as points, stage, signals, figures
            from customer_value where customer_id = i.customer_id
        ) v
    ),
    'recent_count', json_build_object('days', 7, 'count', case
        when i.customer_id is not null then (
            select count(*) from interaction where customer_id = i.customer_id and arrived_at > $3::timestamptz - interval '7 days')
        when i.address_kind is not null then (
            select count(*) from interaction
            where address = i.address and customer_id is null and address_kind is not null
            and arrived_at > $3::timestamptz - interval '7 days')
        else 1 end)
)::text as pop
from i;
