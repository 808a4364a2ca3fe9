-- name: company
select c.id, c.name, c.domains, c.note, c.created_at, c.updated_at, c.version, c.merged_into,
       (select count(*) from customer where company_id = c.id and merged_into is null) as people
from company c where c.id = $1;

-- name: named
-- Companies whose name holds each of some words (store/functions/63_companies.sql).
select c.id, c.name, c.domains, c.note, c.created_at, c.updated_at, c.version, c.merged_into,
       (select count(*) from customer where company_id = c.id and merged_into is null) as people
from unnest(companies_named($1::text[], $2::bigint, $3::integer)) as found (id) join company c using (id) order by c.id;

-- name: all_ids
-- A page of all companies.
select c.id, c.name, c.domains, c.note, c.created_at, c.updated_at, c.version, c.merged_into,
       (select count(*) from customer where company_id = c.id and merged_into is null) as people
from company c where c.merged_into is null and c.id > $1 order by c.id limit $2;

-- name: with_domain
-- Those with a mail domain.
select c.id, c.name, c.domains, c.note, c.created_at, c.updated_at, c.version, c.merged_into,
       (select count(*) from customer where company_id = c.id and merged_into is null) as people
from company c where c.domains <> '{}' and c.domains @> array[$1::text] and c.merged_into is null and c.id > $2 order by c.id limit $3;

-- name: people
-- Who is of it, the newest $2 records, whoever was in contact last first. Each is looked up by itself: of a hot call there is no
-- trace here.
select p.id, p.name, p.tier, (select max(i.arrived_at) from interaction i where i.customer_id = p.id) as last_at
from (select id, name, tier from customer where company_id = $1 and merged_into is null order by id desc limit $2) p
order by last_at desc nulls last, p.id desc;

-- name: tickets
-- Open tickets of its people, the newest $2.
select t.id, t.number, t.subject, t.state, t.priority, (select name from users where id = t.owner_id) as owner, t.updated_at,
       t.customer_id, c.name as customer
from customer c join ticket t on t.customer_id = c.id and t.state not in ('resolved', 'closed')
where c.company_id = $1 order by t.id desc limit $2;

-- name: contracts
-- Contracts of its people that are in force at $2, those that end first, at most $3.
select k.id, k.name, d.title, k.customer_id, c.name as customer, k.starts_on, k.ends_on
from customer c join contract k on k.customer_id = c.id join contract_kind d on d.id = k.kind_id
where c.company_id = $1 and k.starts_at <= $2 and (k.ends_at is null or k.ends_at > $2)
  and (k.cancelled_at is null or k.cancelled_at > $2)
order by k.ends_on nulls last, k.id limit $3;

-- name: lock
-- After customers.
select lock_company($1);

-- name: make
-- Those of some companies that there are not yet, before a list of customers is written row by row.
select make_companies($1::text[]);

-- name: called
-- A company's name as it will stand in the record of a customer who is of it.
select coalesce((select name from company_called($1, company_key($1))), $1);

-- name: called_all
-- The same of many; what is no company yet as it is.
select given, coalesce((select name from company_called(given, company_key(given))), given) from unnest($1::text[]) given;

-- name: holder
-- The company that a name leads to.
select company_id from company_name where key = company_key($1);

-- name: rename
select rename_company($1, $2);

-- name: change
update company set domains = $2, note = $3, updated_at = $4, version = version + 1 where id = $1 returning version;

-- name: forget
-- Where nobody is of it, and nothing is known of it.
select forget_company($1);

-- name: move
-- All that is $1's becomes $2's; answers what that was. The source is at rest from then on: first, so that it stays when its last
-- one leaves.
with at_rest as (
    update company set merged_into = $2, version = version + 1, updated_at = $3 where id = $1 returning domains, note
), named as (
    update company_name set company_id = $2, former = true where company_id = $1 returning key
), told as (
    update company t set version = t.version + 1, updated_at = $3,
        domains = t.domains || array(select one from unnest(s.domains) one where one <> all (t.domains)),
        note = left(nullif(concat_ws(E'\n', t.note, s.note), ''), $4)
    from at_rest s where t.id = $2 returning t.version
)
select (select array_agg(key order by key) from named) as names, (select version from told) as version,
       array(select one from at_rest, unnest(at_rest.domains) one
             where one <> all (select unnest(domains) from company where id = $2)) as domains;

-- name: move_people
-- In the order in which they are locked.
with moved as (
    select id from customer where company_id = $1 order by id for no key update
), changed as (
    update customer c set company_id = $2 from moved where c.id = moved.id returning c.id
)
select coalesce(array_agg(id order by id), '{}') from changed;

-- name: keep
insert into company_merge (source_id, target_id, at, by_id, people, names, domains) values ($1, $2, $3, $4, $5, $6, $7) returning id;

-- name: merge
select id, source_id, target_id, people, names, domains, undone_at from company_merge where id = $1 for update;

-- name: merges
-- Merges into a company, the latest first.
select m.id, m.source_id, s.name as source_name, m.at, (select name from users where id = m.by_id) as by, m.undone_at,
       (select name from users where id = m.undone_by) as undone_by
from company_merge m join company s on s.id = m.source_id where m.target_id = $1 order by m.id desc limit 100;

-- name: give_back
-- The names $3 and domains $4 go from $2 back to $1, which is there again.
with named as (
    update company_name set company_id = $1, former = key <> company_key((select name from company where id = $1))
    where company_id = $2 and key = any ($3::text[])
), told as (
    update company set domains = array(select one from unnest(domains) one where one <> all ($4::text[])), version = version + 1,
        updated_at = $5
    where id = $2
)
update company set merged_into = null, version = version + 1, updated_at = $5 where id = $1 returning version;

-- name: give_people_back
-- Those of $3 who are still of $2.
with moved as (
    select id from customer where company_id = $2 and id = any ($3::bigint[]) order by id for no key update
)
update customer c set company_id = $1 from moved where c.id = moved.id;

-- name: undone
update company_merge set undone_at = $2, undone_by = $3 where id = $1;
