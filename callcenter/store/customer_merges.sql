-- name: states
-- Which of these customers there are, and what they were merged into.
select id, version, merged_into, erased_at from customer where id = any ($1::bigint[]) order by id for update;

-- name: tickets
-- Of these customers, to be locked in this order.
select id from ticket where customer_id = any ($1::bigint[]) or (customers <> '{}' and customers && $1::bigint[]) order by id;

-- name: move
-- All that is $1's becomes $2's. Answers what that was, so that it can be given back. An address that $2 has stays where it is,
-- and $2 has it as certainly as $1 had; what it was worth to us and what it refused is worked out and kept for each of them.
-- `standing`: what was set by hand of $2's tier.
with shared as (
    select t.id, t.certainty, s.certainty as other from address s
    join address t on t.customer_id = $2 and t.kind = s.kind and t.value = s.value where s.customer_id = $1
), raised as (
    update address a set certainty = shared.other from shared
    where a.id = shared.id and (shared.other = 'verified' or shared.certainty = 'maybe') and shared.other <> shared.certainty
    returning a.id, shared.certainty
), addresses as (
    update address a set customer_id = $2
    where customer_id = $1 and not exists (
        select from address o where o.customer_id = $2 and o.kind = a.kind and o.value = a.value) returning id
), interactions as (
    update interaction set customer_id = $2 where customer_id = $1 returning id
), concerned as (
    select id, customer_id, customers from ticket where customer_id = $1 or (customers <> '{}' and customers @> array[$1])
), tickets as (
    update ticket t set customer_id = case when c.customer_id = $1 then $2 else c.customer_id end,
        customers = array(select distinct one from unnest(array_replace(c.customers, $1, $2)) one
                          where one is distinct from case when c.customer_id = $1 then $2 else c.customer_id end order by one)
    from concerned c where t.id = c.id returning t.id, c.customer_id = $1 as main, c.customers
), contracts as (
    update contract set customer_id = $2 where customer_id = $1 returning id
), orders as (
    update customer_order set customer_id = $2 where customer_id = $1 returning id
), surveys as (
    update survey set customer_id = $2 where customer_id = $1 returning id
), letters as (
    update outbox set customer_id = $2 where customer_id = $1 returning id
), refusals as (
    update survey_refusal set customer_id = $2
    where customer_id = $1 and not exists (select from survey_refusal where customer_id = $2) returning id
)
select jsonb_build_object(
    'raised', coalesce((select jsonb_object_agg(id, certainty) from raised), '{}'),
    'addresses', coalesce((select jsonb_agg(id) from addresses), '[]'),
    'interactions', coalesce((select jsonb_agg(id) from interactions), '[]'),
    'tickets', coalesce((select jsonb_agg(id) from tickets where main), '[]'),
    'also', coalesce((select jsonb_object_agg(id, customers) from tickets where customers <> '{}'), '{}'),
    'contracts', coalesce((select jsonb_agg(id) from contracts), '[]'),
    'orders', coalesce((select jsonb_agg(id) from orders), '[]'),
    'surveys', coalesce((select jsonb_agg(id) from surveys), '[]'),
    'letters', coalesce((select jsonb_agg(id) from letters), '[]'),
    'refusals', coalesce((select jsonb_agg(id) from refusals), '[]'),
    'standing', coalesce((select to_jsonb(standing) from (
        select hand_tier, hand_reason, hand_until, hand_by, hand_at from customer_value where customer_id = $2) standing), '{}'));

-- name: rest
-- The source's record is at rest.
update customer set merged_into = $2, version = version + 1 where id = $1 returning version;

-- name: keep
insert into customer_merge (source_id, target_id, at, by_id, moved, taken) values ($1, $2, $3, $4, $5, $6) returning id;

-- name: merge
select id, source_id, target_id, at, moved, taken, undone_at from customer_merge where id = $1 for update;

-- name: of_customer
-- Merges into a customer, the latest first.
select m.id, m.source_id, c.name as source_name, m.at, (select name from users where id = m.by_id) as by, m.undone_at,
       (select name from users where id = m.undone_by) as undone_by
from customer_merge m join customer c on c.id = m.source_id where m.target_id = $1 order by m.id desc limit 100;

-- name: give_back
-- $3, what merge $5 moved at $4, goes from $2 back to $1. So does what came since: from an address that goes back, with the
-- tickets that were opened of it alone, what was asked and written about these, and what was named for that record or for one
-- that was merged into it. What somebody has put elsewhere since, or has verified since, stays as it is.
with recursive below as (
    select $1::bigint as id union select c.id from customer c join below on c.merged_into = below.id
), ids as materialized (
    select kind.key, one.id::bigint from jsonb_each($3::jsonb - '{raised,also,standing}'::text[]) kind,
        jsonb_array_elements_text(kind.value) one (id)
), lowered as (
    update address a set certainty = r.value from jsonb_each_text($3::jsonb -> 'raised') r
    where a.id = r.key::bigint and a.customer_id = $2
      and exists (select from address s where (s.customer_id, s.kind, s.value, s.certainty) = ($1, a.kind, a.value, a.certainty))
), addresses as (
    -- Another record that was merged since may have made it more certain.
    update address a set customer_id = $1, certainty = coalesce(
        (select m.moved -> 'raised' ->> a.id::text from customer_merge m
         where m.target_id = $2 and m.id > $5 and m.undone_at is null and m.moved -> 'raised' ? a.id::text order by m.id limit 1),
        a.certainty)
    from ids where key = 'addresses' and a.id = ids.id and a.customer_id = $2
    returning a.kind, a.value
), late as (
    select i.id, i.ticket_id from interaction i join addresses a on a.kind = i.address_kind and a.value = i.address
    where i.customer_id = $2 and i.arrived_at >= $4
), interactions as (
    update interaction i set customer_id = $1
    where customer_id = $2 and (id in (select id from ids where key = 'interactions') or id in (select id from late)) returning id
), concerned as (
    select t.id, t.customer_id = $2 and (
               t.id in (select id from ids where key = 'tickets')
               or (t.created_at >= $4 and t.id in (select ticket_id from late)
                   and not exists (select from interaction o where o.ticket_id = t.id and o.id not in (select id from late)))
           ) as main,
           $3::jsonb -> 'also' -> t.id::text as also
    from ticket t
    where (t.customer_id = $2 or (t.customers <> '{}' and t.customers @> array[$2]))
), tickets as (
    update ticket t set customer_id = case when c.main then $1 else t.customer_id end,
        customers = case when c.also is null then t.customers else array(
            select distinct one from unnest(t.customers || array(select jsonb_array_elements_text(c.also)::bigint)) one
            where one <> $2 or c.also @> to_jsonb($2) order by one) end
    from concerned c where t.id = c.id and (c.main or c.also is not null)
), contracts as (
    update contract set customer_id = $1
    where customer_id = $2 and (id in (select id from ids where key = 'contracts') or record_id in (select id from below))
), orders as (
    update customer_order set customer_id = $1
    where customer_id = $2 and (record_id in (select id from below)
                                or (record_id is distinct from $2 and id in (select id from ids where key = 'orders')))
), surveys as (
    update survey set customer_id = $1
    where customer_id = $2 and (id in (select id from ids where key = 'surveys') or interaction_id in (select id from late))
    returning id
), letters as (
    update outbox o set customer_id = $1
    where customer_id = $2 and (
        id in (select id from ids where key = 'letters')
        or (created_at >= $4 and (interaction_id in (select id from late) or ticket_id in (select id from concerned where main)
                                  or recipient in (select value from addresses where kind = 'email'))))
), refusals as (
    update survey_refusal set customer_id = $1
    where customer_id = $2 and (id in (select id from ids where key = 'refusals') or survey_id in (select id from surveys))
      and not exists (select from survey_refusal where customer_id = $1)
)
update customer set merged_into = null, version = version + 1 where id = $1 returning version;

-- name: inherit
-- Addresses that went from $1 with record $2, and that another one which is still merged into them had as well, are theirs by that.
with lost as (
    select distinct on (a.kind, a.value) a.id, m.id as merge
    from customer_merge m join customer c on c.id = m.source_id and c.merged_into = m.target_id
    join address a on a.customer_id = c.id
    where m.target_id = $1 and m.source_id <> $2 and m.undone_at is null
      and exists (select from address g where g.customer_id = $2 and g.kind = a.kind and g.value = a.value)
      and not exists (select from address o where o.customer_id = $1 and o.kind = a.kind and o.value = a.value)
    order by a.kind, a.value, m.id
), addresses as (
    update address a set customer_id = $1 from lost where a.id = lost.id
)
update customer_merge m set moved = jsonb_set(m.moved, '{addresses}', coalesce(m.moved -> 'addresses', '[]') || ids)
from (select merge, jsonb_agg(id) as ids from lost group by merge) lost where m.id = lost.merge;

-- name: undone
update customer_merge set undone_at = $2, undone_by = $3 where id = $1;
