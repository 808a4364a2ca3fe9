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

-- name: add_day
-- Of queue $1 and agent $2 before $6: $3 answered in time, $4 late, $5 abandoned.
insert into interaction (channel, state, outcome, queue_id, agent_id, arrived_at, queued_at, answered_at, closed_at)
select 'phone', 'closed', case when n > $3::integer + $4::integer then 'abandoned' else 'handled' end, $1::bigint, $2::bigint, at, at,
    case when n <= $3 + $4 then at + case when n <= $3 then interval '9 s' else interval '70 s' end end, at
from (select n, $6::timestamptz - n * interval '70 s' as at from generate_series(1, $3::integer + $4::integer + $5::integer) n) x;
