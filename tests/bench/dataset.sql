-- name: customers
-- Customers $1 to $2; surnames and given names in two scripts ($3 to $6); one in ten is gold, two in ten are silver.
insert into customer (id, external_id, name, company, tier, language, created_at)
overriding system value
select n, 'c' || n,
       case when dice < 0.6 then ($3::text[])[1 + n % cardinality($3::text[])] || ($4::text[])[1 + n / 7 % cardinality($4::text[])]
            else ($5::text[])[1 + n % cardinality($5::text[])] || ' ' || ($6::text[])[1 + n / 7 % cardinality($6::text[])] end,
       case when n % 5 = 0 then 'Company ' || n / 50 end,
       case when n % 10 = 0 then 'gold' when n % 10 < 3 then 'silver' end,
       case when dice < 0.6 then 'zh_CN' else 'en' end,
       now() - interval '3 years'
from (select n, random() as dice from generate_series($1::bigint, $2) n) as drawn;

-- name: addresses
-- A mobile number and a mail address for each of the customers $1 to $2.
insert into address (customer_id, kind, value, certainty, created_at)
select n, kind, case kind when 'phone' then '+86138' || lpad((n - 1)::text, 8, '0') else 'c' || n || '@example.org' end,
       case when n % 3 = 0 then 'verified' else 'known' end, now() - interval '3 years'
from generate_series($1::bigint, $2) n, unnest(array['phone', 'email']) kind;

-- name: agents
-- Agents agent0001 to agent$1, the queue they sit on comes with the organisation file.
with made as (
    insert into users (name, full_name, role, endpoint)
    select 'agent' || lpad(n::text, 4, '0'), 'Agent ' || n, 'agent', 'PJSIP/' || 10000 + n from generate_series(1, $1::integer) n
    returning id
)
insert into agent (user_id) select id from made;

-- name: queue
insert into queue (name) values ('support') returning id;

-- name: interactions
-- Interactions $1 to $2 of $3 in all, of $4 customers, of whom a few come a thousand times; taken by $5 agents on queue $6.
-- They arrived in order over three years, up to yesterday.
insert into interaction (
    id, channel, state, outcome, external_id, customer_id, queue_id, agent_id, address_kind, address, called, subject,
    arrived_at, queued_at, answered_at, ended_at, closed_at, disposition, note, end_cause, segments)
overriding system value
select n, channel, 'closed', 'handled', 'h' || n, customer, $6, (select min(user_id) from agent) + n % $5,
       case channel when 'visit' then null when 'email' then 'email' when 'form' then 'email' else 'phone' end,
       case channel when 'visit' then null when 'email' then mail when 'form' then mail else phone end,
       case channel when 'phone' then '95500' end,
       case when channel in ('email', 'form') then 'About order ' || n % 100000 end,
       at, at, at + interval '9 seconds', at + interval '3 minutes', at + interval '4 minutes',
       case when n % 4 = 0 then 'call_back' else 'solved' end,
       case when n % 2 = 0 then 'Asked about the delivery of order ' || n % 100000 || '; promised an answer by tomorrow.' end,
       'hung up', 1
from (
    select n, customer, '+86138' || lpad((customer - 1)::text, 8, '0') as phone, 'c' || customer || '@example.org' as mail,
           (array['phone', 'phone', 'phone', 'phone', 'email', 'chat', 'form', 'fax', 'visit', 'message'])[1 + n % 10] as channel,
           now() - interval '1 day' - interval '3 years' * (1 - n / $3::double precision) as at
    from (
        select n, 1 + floor($4::bigint * power(random(), 1.6))::bigint * 7919 % $4::bigint as customer
        from generate_series($1::bigint, $2) n
    ) as drawn
) as told;

-- name: tickets
-- A ticket for every tenth of $1 customers, one in five of them open.
insert into ticket (number, subject, state, priority, queue_id, customer_id, created_at, updated_at, closed_at)
select nextval('ticket_number'), 'Delivery of order ' || n, case when n % 50 = 0 then 'open' else 'closed' end, 'normal', $2, n,
       now() - interval '30 days', now() - interval '20 days', case when n % 50 <> 0 then now() - interval '20 days' end
from generate_series(10, $1::bigint, 10) n;

-- name: sequences
-- The identities go on after what was loaded.
select setval(pg_get_serial_sequence('customer', 'id'), (select max(id) from customer)),
       setval(pg_get_serial_sequence('interaction', 'id'), (select max(id) from interaction));

-- name: floor_rows
-- The same customers and interactions in the floor's narrow tables.
insert into floor.customer select id, name from customer;
insert into floor.phone select value, customer_id from address where kind = 'phone';
insert into floor.interaction
    select id, customer_id, channel, arrived_at, agent_id, coalesce(subject, called), external_id from interaction;

-- name: secondary_indexes
-- What is rebuilt after loading: every index of the loaded tables that no constraint needs.
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
from pg_index
where indrelid = any(array['customer', 'address', 'interaction', 'ticket']::regclass[])
  and not exists (select from pg_constraint where conindid = indexrelid);

-- name: clear
-- Takes away what measurements wrote after loading, above the interaction $1; the loaded history stays.
-- Rows are taken in any order: nothing is left that points to them (cascade: surveys have their words among the messages).
do $do$
begin
    set local session_replication_role = replica;
    truncate contact_log, reservation, segment, message, draft, floor.log cascade;
    delete from interaction where id > {loaded};
    truncate mail, mail_attachment, mail_flood, outbox, ticket_sla, sla_clock, ticket_history cascade;
    delete from ticket_text where ticket_id > {cases};
    delete from ticket where id > {cases};
    delete from floor.interaction where id > {loaded};
    update agent set presence = 'offline', routing_status = 'off_queue', desk_node_id = null, desk_lost_at = '-infinity',
        not_before = null, failures = 0, load = '{}', offer = false, live = 0, next_presence = null;
end
$do$;
