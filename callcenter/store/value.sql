-- name: by_hand
-- Somebody set the tier (null: leaves it to the rules); it is worked out anew at once.
insert into customer_value (customer_id, hand_tier, hand_reason, hand_until, hand_by, hand_at, due_at)
values ($1, $2, $3, $4, $5, $6, $6)
on conflict (customer_id) do update set hand_tier = excluded.hand_tier, hand_reason = excluded.hand_reason,
    hand_until = excluded.hand_until, hand_by = excluded.hand_by, hand_at = excluded.hand_at, due_at = excluded.due_at;

-- name: standing_by_hand
-- What was set by hand of a customer's tier and is in force.
select to_jsonb(standing) from (
    select hand_tier, hand_reason, hand_until, hand_by, hand_at from customer_value
    where customer_id = $1 and hand_tier is not null and (hand_until is null or hand_until > $2)) standing;

-- name: put_by_hand
-- The tier is set as it was set at another time, or for another record: by whom, why and until when.
update customer_value set (hand_tier, hand_reason, hand_until, hand_by, hand_at) = (
    select hand_tier, hand_reason, hand_until, hand_by, hand_at
    from jsonb_to_record($2) as was (hand_tier text, hand_reason text, hand_until timestamptz, hand_by bigint, hand_at timestamptz))
where customer_id = $1;

-- name: ask
-- Something happened to these customers that may change what they are worth; in order, so that nobody waits in a circle.
insert into customer_value (customer_id, due_at) select id, $2 from customer where id = any ($1::bigint[]) order by id
on conflict (customer_id) do update set due_at = least(customer_value.due_at, excluded.due_at);

-- name: due
-- Customers who are to be looked at, since it is time or since the rules are others, each locked for this transaction alone.
with due as materialized (
    (select customer_id from customer_value where due_at <= $1 order by due_at limit $2)
    union
    (select customer_id from customer_value
     where revision < (select value_revision from organisation) order by revision limit $2)
)
select customer_id from due where pg_try_advisory_xact_lock((4::bigint << 56) | customer_id);

-- name: hold
-- Whoever asks for these customers from now on waits, and asks when they are done: what is read next is the latest.
select from customer_value where customer_id = any ($1::bigint[]) order by customer_id for update;

-- name: next
-- When somebody is to be looked at next, and whether the rules are newer than what was worked out.
select (select min(due_at) from customer_value where due_at is not null) as next_at,
       coalesce((select min(revision) from customer_value) < value_revision, false) as outdated
from organisation;

-- name: has_rules
select value is not null from organisation;

-- name: rules
select value, value_revision from organisation;

-- name: rule_tier
select rule_tier from customer_value where customer_id = $1;

-- name: standing
-- What is kept of these customers, with all that their value is worked out from. $2: today; $3: since when orders count; $4 and
-- $5: since when figures are lately, and since when they are before; $6: after how many days without an order one is a comeback;
-- $7: what currencies are worth; $8: categories of complaints.
select c.id, c.version, c.tier, v.due_at, v.revision, v.hand_tier, v.hand_until, v.stage, v.stage_at, o.*, contacts.*, complaints.*, scores.*
from customer_value v join customer c on c.id = v.customer_id
cross join lateral (
    select min(ordered_on) as first_on, max(ordered_on) as last_on,
           max(ordered_on) filter (where gap >= $6::integer) as comeback_on,
           count(*) filter (where ordered_on > $3::date) as orders,
           coalesce(sum(amount * rate) filter (where ordered_on > $3), 0)::float8 as spent,
           count(*) filter (where ordered_on > $4::date) as orders_lately,
           count(*) filter (where ordered_on > $5::date and ordered_on <= $4) as orders_before
    from (select ordered_on, amount, coalesce(($7::jsonb ->> currency)::numeric, 0) as rate,
                 ordered_on - lag(ordered_on) over (order by ordered_on) as gap
          from customer_order where customer_id = c.id and ordered_on <= $2::date) each
) o
cross join lateral (
    select count(*) filter (where arrived_at > $4::timestamptz) as contacts_lately,
           count(*) filter (where arrived_at <= $4::timestamptz) as contacts_before
    from interaction where customer_id = c.id and arrived_at > $5::timestamptz and direction = 'inbound'
) contacts
cross join lateral (
    select count(*) as complaints from ticket t
    where t.customer_id = c.id and t.created_at > $4::timestamptz and exists (
        select from unnest($8::text[]) as each where t.category = each or starts_with(t.category, each || '/'))
) complaints
cross join lateral (
    select count(*) as bad_scores from survey s
    where s.customer_id = c.id and s.asked_at > $5::timestamptz and s.answered_at > $4::timestamptz and s.score <= s.bad
) scores
where v.customer_id = any ($1::bigint[]) order by c.id;

-- name: put
update customer_value set due_at = $2, assessed_at = $3, recency = $4, frequency = $5, monetary = $6, rule_tier = $7, stage = $8,
    stage_at = $9, figures = $10, signals = $11, revision = $12, hand_tier = case when hand_until <= $3 then null else hand_tier end
where customer_id = $1;

-- name: set_tier
update customer set tier = $2, version = version + 1 where id = $1;

-- name: cuts
select value_cuts from organisation;

-- name: keep_cuts
update organisation set value_cuts = $1;

-- name: fifths
-- The marks that part all who ordered since $2 into fifths: by days since the last order, orders, money.
select percentile_cont(array[0.2, 0.4, 0.6, 0.8]) within group (order by $1::date - last_on) as recency,
       percentile_cont(array[0.2, 0.4, 0.6, 0.8]) within group (order by orders) as frequency,
       percentile_cont(array[0.2, 0.4, 0.6, 0.8]) within group (order by spent) as monetary
from (
    select max(ordered_on) as last_on, count(*) as orders,
           sum(amount * coalesce(($3::jsonb ->> currency)::numeric, 0))::float8 as spent
    from customer_order where ordered_on > $2::date and ordered_on <= $1 group by customer_id
) each;

-- name: customers_by
-- Whose orders these are: by what another system calls them ($1), or the only customer of a phone number or mail address.
-- `record`: which of the records that were merged into one is meant.
select c.external_id, customer_now(c.id) as id, c.id as record from customer c where c.external_id = any ($1::text[]);

-- name: at_addresses
-- Of each address the customer, where there is one only, and the record that it came from; $1 kinds, $2 values.
select given.kind, given.value, found.customer, coalesce(
    (select m.source_id from address a
     join customer_merge m on m.target_id = a.customer_id and m.undone_at is null and m.moved -> 'addresses' @> to_jsonb(a.id)
     where a.customer_id = found.customer and a.kind = given.kind and a.value = given.value
     order by m.id limit 1), found.customer) as record
from unnest($1::text[], $2::text[]) as given (kind, value)
cross join lateral (select find_customer(given.kind, given.value) as customer) found;

-- name: put_orders
-- Each order once: a number that is known is brought up to date. Answers whose orders are new or changed.
with given as (
    select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::date[], $5::numeric[], $6::text[])
        as o (number, customer_id, record_id, ordered_on, amount, currency) order by number
)
insert into customer_order (number, customer_id, record_id, ordered_on, amount, currency) select * from given
on conflict (number) do update set customer_id = excluded.customer_id, record_id = excluded.record_id,
    ordered_on = excluded.ordered_on, amount = excluded.amount, currency = excluded.currency
where (customer_order.customer_id, customer_order.ordered_on, customer_order.amount, customer_order.currency)
    is distinct from (excluded.customer_id, excluded.ordered_on, excluded.amount, excluded.currency)
    or customer_order.record_id <> excluded.record_id
returning customer_id, xmax = 0 as added;

-- name: orders
-- The newest first, below id $2.
select id, number, ordered_on, amount::text as amount, currency from customer_order
where customer_id = $1 and id < $2 order by id desc limit $3;

-- name: value
-- What is known of a customer's value; no row when nothing is.
select v.customer_id, c.tier, v.rule_tier, v.hand_tier, v.hand_reason, v.hand_until, (select name from users where id = v.hand_by) as hand_by,
       v.hand_at, v.recency, v.frequency, v.monetary, v.stage, v.stage_at, v.figures, v.signals, v.assessed_at
from customer_value v join customer c on c.id = v.customer_id where v.customer_id = $1;
