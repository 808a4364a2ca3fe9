-- name: add_customer
-- Nothing when the external id is taken.
insert into customer (external_id, name, company, tier, language, note, owner_id, created_at)
values ($1, $2, $3, $4, $5, $6, (select id from users where name = $7), $8)
on conflict (external_id) do nothing returning id;

-- name: works_here
select exists (select from users where name = $1 and active);

-- name: add_address
-- A certainty is raised, never lowered.
insert into address (customer_id, kind, value, certainty, created_at) values ($1, $2, $3, $4, $5)
on conflict (customer_id, kind, value) do update set certainty = case
    when address.certainty = 'verified' or excluded.certainty = 'verified' then 'verified'
    when address.certainty = 'known' or excluded.certainty = 'known' then 'known' else 'maybe' end;

-- name: touch
-- The next version; null of one who was merged into another, or erased.
update customer set version = version + 1 where id = $1 and merged_into is null and erased_at is null returning version;

-- name: change
update customer set name = $2, company = $3, tier = $4, language = $5, note = $6,
    owner_id = (select id from users where name = $7), version = version + 1
where id = $1 and erased_at is null returning version;

-- name: customer
-- One customer with all addresses.
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into, c.company_id,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from customer c where c.id = $1;

-- name: of_rows
-- Whom the rows of a list may mean: those with the external ids $1; for the names $2 with the addresses $3, $4, who has one of them
-- and that name, or a record of that name that was merged into them; of the names $5, who has neither address nor external id.
-- `id` is the record that is written to, `now` who has its addresses, where it was merged.
with recursive held as materialized (
    select given.name, a.customer_id as now
    from unnest($2::text[], $3::text[], $4::text[]) as given (name, kind, value)
    join address a on a.kind = given.kind and a.value = given.value
), line as (
    select now, now as id from held
    union
    select line.now, c.id from line join customer c on c.merged_into = line.id
), found as (
    select id, customer_now(id) as now from customer where external_id = any ($1::text[])
    union
    (select distinct on (r.name, line.now) r.id, line.now
    from line join customer r on r.id = line.id join held on held.now = line.now and held.name = r.name
    order by r.name, line.now, (r.id = line.now) desc, r.id)
), plain as (
    select c.id from customer c
    where cardinality($5::text[]) > 0 and c.name = any ($5) and c.external_id is null and c.merged_into is null
      and not exists (select from address where customer_id = c.id)
)
select c.id, found.now, c.external_id, c.name, c.company, c.tier, c.language, c.note,
       (select name from users where id = c.owner_id) as owner,
       array(select kind || ' ' || value from address where customer_id = found.now) as addresses
from (select id, now from found union select id, id from plain) found join customer c using (id) order by c.id;

-- name: by_address
-- Customers with an address, the most certain first.
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into, c.company_id,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from address a join customer c on c.id = a.customer_id
where a.kind = any ($1::text[]) and a.value = $2 and c.merged_into is null and c.id > $3
order by c.id limit $4;

-- name: by_words
-- Customers whose name and company hold each of some words (store/functions/62_search.sql).
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into, c.company_id,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from unnest(customers_named($1::text[], $2::bigint, $3::integer)) as found (id) join customer c using (id) order by c.id;

-- name: all_ids
-- A page of all customers.
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into, c.company_id,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from customer c where c.merged_into is null and c.id > $1 order by c.id limit $2;

-- name: lock_import
-- One batch of an import after the other: whom an earlier one makes must be found.
select pg_advisory_xact_lock((12::bigint << 56));
