-- name: add_past
-- $6 earlier contacts of customer $1 with agent $2 by number $3 before $4, of every channel; $5: one text for all of them.
insert into interaction (channel, state, outcome, customer_id, agent_id, address_kind, address, subject,
    arrived_at, queued_at, answered_at, ended_at, closed_at, disposition, note)
select (array['phone', 'email', 'phone', 'chat', 'visit', 'fax', 'form'])[n % 7 + 1], 'closed',
    case when n % 5 = 3 then 'abandoned' else 'handled' end, $1::bigint, case when n % 5 <> 3 then $2::bigint end,
    'phone', $3::text,
    case n % 3 when 0 then coalesce($5::text, 'Where is my refund?') when 1 then coalesce($5, '退款何时到账') end,
    at, at, case when n % 5 <> 3 then at + interval '20 s' end, at + n * interval '37 s', at + interval '400 s',
    case when n % 5 <> 3 then (array['solved', 'call_back', 'refund'])[n % 3 + 1] end,
    case n % 4 when 0 then coalesce($5, 'Promised to call back on Tuesday with the bank reference.')
        when 2 then coalesce($5, '已说明退款流程，预计三个工作日到账。') end
from (select n, $4::timestamptz - (n * n * 5 - 3) * interval '1 hour' as at from generate_series(1, $6::integer) n) x;

-- name: add_ticket
insert into ticket (number, subject, state, priority, customer_id, owner_id, created_at, updated_at)
values ($1::integer, $2, (array['open', 'pending', 'new'])[$1::integer % 3 + 1],
    (array['normal', 'high', 'urgent'])[$1::integer % 3 + 1], $3, $4, $5, $5);

-- name: add_news
-- What somebody is told of the first tickets, one each.
insert into notice (user_id, ticket_id, kind, at)
select $1, t.id, k.kind, $3 from unnest($2::text[]) with ordinality as k (kind, n) join ticket t on t.id = k.n;

-- name: add_day
-- Of queue $1 and agent $2 before $6: $3 answered in time, $4 late, $5 abandoned.
insert into interaction (channel, state, outcome, queue_id, agent_id, arrived_at, queued_at, answered_at, closed_at)
select 'phone', 'closed', case when n > $3::integer + $4::integer then 'abandoned' else 'handled' end, $1::bigint, $2::bigint, at, at,
    case when n <= $3 + $4 then at + case when n <= $3 then interval '9 s' else interval '70 s' end end, at
from (select n, $6::timestamptz - n * interval '70 s' as at from generate_series(1, $3::integer + $4::integer + $5::integer) n) x;

-- name: add_story
-- The tickets of customer $1 lie in queue $2 and owe something; $3 and $4 wrote in the first, which $4 has open. Now is $5.
with moved as (
    update ticket set queue_id = $2, category = 'refund/bank', due_at = $5::timestamptz + interval '37 minutes' * (id % 9 - 2)
    where customer_id = $1 and state not in ('resolved', 'closed') returning id, due_at, created_at
), first as (select min(id) as id from moved), clocks as (
    insert into sla_clock (ticket_id, clock, state, target, started_at, due_at, risk_at)
    select id, 'resolution', 'running', '8 hours', created_at, due_at, due_at - interval '50 minutes' from moved
), kept as (
    insert into sla_clock (ticket_id, clock, state, target, started_at, due_at, met_at, ended_at, difference)
    select id, 'first_response', 'met', '1 hour', $5, $5, $5, $5, interval '21 minutes' from first
), said as (
    insert into message (ticket_id, author_id, kind, public, text, at)
    select id, author, kind, kind <> 'note', coalesce($6, text), $5::timestamptz - ago from first, (values
        ($3::bigint, 'note', '客户称银行尚未收到退款，已要求提供银行流水号。', interval '3 hours'),
        (null, 'inbound', 'Here is the bank reference: 20261109-4471. When will it arrive?', interval '2 hours'),
        ($4::bigint, 'outbound', 'Thank you. The bank books it within three working days; we call you on Tuesday.', interval '50 minutes')
    ) as m (author, kind, text, ago)
)
insert into ticket_reader (ticket_id, user_id, until, writing_until)
select id, $4, $5::timestamptz + interval '1 day', $5::timestamptz + interval '1 day' from first;

-- name: add_entitlements
-- Contracts of customer $1 in every state, one used up; and what they are worth.
with kind as (
    insert into contract_kind (name, title, quota, products) values
        ('care', 'Kitchen Care', '{"cases": 24, "per": "year"}', '{"steam ovens"}'),
        ('plus', 'Home Plus 延保', '{"minutes": 60, "per": "month"}', '{}') returning id, name
), made as (
    insert into contract (customer_id, kind_id, name, starts_on, ends_on, starts_at, ends_at, quota, created_at)
    select $1, (select id from kind where name = c.kind), c.name, c.a, c.b, c.a, c.b, c.quota::jsonb, c.a
    from (values ('care', '', date '2025-10-01', date '2026-09-30', null),
                 ('plus', '上海徐汇店', date '2025-01-01', date '2027-12-31', '{"cases": 1, "per": "term"}'),
                 ('plus', '', date '2025-02-01', date '2026-02-01', null)) as c (kind, name, a, b, quota)
    returning id, name
), cases as (
    insert into ticket (number, subject, state, customer_id, created_at, updated_at)
    values (90, '面板失灵', 'closed', $1, '2026-01-01', '2026-01-02') returning id
), counted as (
    insert into ticket_sla (ticket_id, over_at, contract_id)
    select cases.id, '2026-01-02', made.id from cases, made where made.name <> ''
)
insert into customer_value (customer_id, recency, frequency, monetary, stage, signals, figures)
values ($1, 5, 4, 4, 'at_risk', '{complaints,fewer_orders}',
    '{"orders": 9, "spent": 12400, "currency": "CNY", "last_on": "2026-02-20", "complaints": 2, "orders_lately": 1, "orders_before": 4}');

-- name: open_tickets
-- The first two open tickets of customer $1.
select id from ticket where customer_id = $1 and state not in ('resolved', 'closed') order by id limit 2;
