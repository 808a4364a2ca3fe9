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
-- The next version; null when there is no such customer.
update customer set version = version + 1 where id = $1 and merged_into is null returning version;

-- name: change
update customer set name = $2, company = $3, tier = $4, language = $5, note = $6,
    owner_id = (select id from users where name = $7), version = version + 1
where id = $1 returning version;

-- name: customer
-- One customer with all addresses.
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from customer c where c.id = $1;

-- name: by_external_ids
select id, external_id from customer where external_id = any ($1::text[]);

-- name: by_address
-- Customers with an address, the most certain first.
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from address a join customer c on c.id = a.customer_id
where a.kind = any ($1::text[]) and a.value = $2 and c.merged_into is null and c.id > $3
order by c.id limit $4;

-- name: by_words
-- Customers whose name and company hold each of some words, whatever the case and width of their letters.
-- Materialized, since the planner would rather walk the primary key; of words that are everywhere, 10,000 rows are looked at.
with found as materialized (
    select id from customer c
    where bigrams(c.name || ' ' || coalesce(c.company, ''))
          @> (select coalesce(array_agg(pair), '{}') from unnest($1::text[]) as word, unnest(bigrams_inside(word)) as pair)
      and c.id > $2
    limit 10000
)
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from found join customer c using (id)
where c.merged_into is null and not exists (
    select from unnest($1) as word
    where strpos(lower(normalize(c.name || ' ' || coalesce(c.company, ''), nfkc)), lower(normalize(word, nfkc))) = 0)
order by c.id limit $3;

-- name: by_beginning
-- Customers of whose name or company a word begins with one character.
with found as materialized (
    select id from customer c
    where bigrams(c.name || ' ' || coalesce(c.company, '')) @> bigrams($1) and c.id > $2
    limit 10000
)
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from found join customer c using (id) where c.merged_into is null order by c.id limit $3;

-- name: all_ids
-- A page of all customers.
select c.id, c.external_id, c.name, c.company, c.tier, c.language, c.note, c.created_at, c.version, c.merged_into,
       (select name from users where id = c.owner_id) as owner,
       coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'certainty', certainty) order by id)
                 from address where customer_id = c.id), '[]') as addresses
from customer c where c.merged_into is null and c.id > $1 order by c.id limit $2;
