-- name: people
-- 200 agents in 20 queues, 100,000 customers.
with agents as (
    insert into users (name, full_name, role) select 'agent' || n, 'Agent ' || n, 'agent' from generate_series(1, 200) n
), queues as (
    insert into queue (name) select 'queue' || n from generate_series(1, 20) n
)
insert into customer (name) select 'Customer ' || n from generate_series(1, 100000) n;

-- name: vocabulary
-- 4,000 English words of syllables, 400 words of two and three Chinese characters; the first of each come most often.
create unlogged table bench_word as
select n, (array['ba','co','di','fu','ge','ho','ki','lo','ma','ne','pi','ro','sa','to','vu','wi','ze','tra','ste','pla'])[1 + n % 20]
    || (array['nd','ter','mo','ling','ck','ra','ser','ty','ban','dle'])[1 + n / 20 % 10]
    || (array['','er','ing','al','ic','o','ure','ent','ow','is','ey','ot','um','ag','en','ib','op','ud','ax','el'])[1 + n / 200 % 20] as word,
    (select string_agg(substr('退款电饭煲热水器漏坏修理换货发票保期订单物流快递客户投诉师傅上门安装配件说明书质量问题价格优惠积分会员地址电话', 1 + (n * k * 7919 + k * 31) % 55, 1), '')
     from generate_series(1, 2 + n % 2) k) as sign
from generate_series(0, 3999) n;
create index on bench_word (n) include (word, sign);

-- name: tickets
-- Tickets $1 to $2, of every state; of those that are open most owe something, one in seven too late at $3.
insert into ticket (number, subject, state, priority, category, queue_id, owner_id, customer_id, created_at, updated_at, due_at)
select n, 'subject', state, (array['low', 'normal', 'normal', 'normal', 'high', 'urgent'])[1 + n % 6], 'category' || n % 50, 1 + n * 7 % 20,
    case when state <> 'new' and n % 4 > 0 then 1 + n * 31 % 200 end, 1 + n * 17 % 100000, at, at + interval '1 hour' * (n % 50),
    case when state in ('new', 'open', 'on_hold') and n % 10 > 0 then $3::timestamptz + interval '1 second' * (n * 7919 % 600000 - 90000)
         else 'infinity' end
from (select n, $3::timestamptz - interval '30 seconds' * (1000000 - n) as at,
          (array['new', 'open', 'open', 'open', 'open', 'open', 'open', 'open', 'open', 'pending', 'pending', 'pending', 'on_hold', 'resolved', 'resolved', 'closed', 'closed', 'closed', 'closed', 'closed'])[1 + n * 13 % 20] as state
      from generate_series($1::bigint, $2::bigint) n) t;

-- name: texts
-- What is said in tickets $1 to $2: a dozen words of both scripts, common ones more often, and a number of their own.
insert into ticket_text (ticket_id, text)
select ticket, 'order ' || 100000 + ticket || ' ' || (
    select string_agg(case when k % 3 = 0 then w.sign else w.word end, ' ')
    from generate_series(1, 12) k
    join bench_word w on w.n = floor(power(abs(hashint8(ticket * 16 + k)) / 2147483648.0, 3) * 4000)::bigint % 4000)
from generate_series($1::bigint, $2::bigint) ticket;

-- name: clocks
insert into sla_clock (ticket_id, clock, state, target, started_at, due_at, risk_at)
select id, 'resolution', case when due_at <= $1 then 'breached' else 'running' end, '1 day', created_at, due_at, due_at - interval '6 hours'
from ticket where due_at < 'infinity';
