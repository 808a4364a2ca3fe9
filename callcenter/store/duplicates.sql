-- name: candidates
-- For each of these customers, who has an address in common or works where they do under a name with a word in common.
-- `shared`: kinds and values; those of more than $3 records are a switchboard's. `declined`: they, or a record that was merged
-- into them, were told apart.
with subject as materialized (
    select id, name, company, likeness_keys(name, company) as keys from customer
    where id = any ($1::bigint[]) and merged_into is null and erased_at is null
), shared as (
    select s.id as subject, b.customer_id as id, jsonb_agg(jsonb_build_array(a.kind, a.value)) as addresses
    from subject s
    join address a on a.customer_id = s.id and a.kind = any ($2::text[])
    join address b on b.kind = a.kind and b.value = a.value and b.customer_id <> s.id
    where (select count(*) from (
        select from address x where x.kind = a.kind and x.value = a.value limit $3::integer + 1) y) <= $3::integer
    group by 1, 2
), named as (
    select s.id as subject, o.id from subject s
    cross join lateral (
        select id from customer o where likeness_keys(o.name, o.company) && s.keys and o.id <> s.id
            and o.merged_into is null and o.erased_at is null limit 50) o
    where s.keys <> '{}'
), found as (
    select coalesce(shared.subject, named.subject) as subject, coalesce(shared.id, named.id) as id,
        coalesce(shared.addresses, '[]') as shared
    from shared full join named on named.subject = shared.subject and named.id = shared.id
)
select s.id as subject, s.name as subject_name, s.company as subject_company, o.id, o.name, o.company, f.shared, exists (
        select from duplicate d where d.declined_at is not null and (
            d.one_id = any (r.these) and d.other_id = any (r.those) or d.one_id = any (r.those) and d.other_id = any (r.these))
    ) as declined
from found f join subject s on s.id = f.subject join customer o on o.id = f.id
cross join lateral (select customer_records(s.id) as these, customer_records(o.id) as those) r
where o.merged_into is null and o.erased_at is null;

-- name: some
-- The customers after $1, for the search through all.
select id from customer where id > $1 order by id limit $2;

-- name: come_to
select up_to from duplicate_search;

-- name: go_on
-- The search has come to $2, unless somebody else moved it on from $1.
update duplicate_search set up_to = $2 where up_to = $1;

-- name: keep
-- Of customers $1 to $2 these are the pairs now ($3 with $4, for $5); what was thought before and is not found any more goes.
with found as (
    select one_id, other_id, string_to_array(reasons, ' ') as reasons
    from unnest($3::bigint[], $4::bigint[], $5::text[]) as f (one_id, other_id, reasons)
), gone as (
    delete from duplicate d where one_id > $1 and one_id <= $2 and declined_at is null
        and not exists (select from found f where f.one_id = d.one_id and f.other_id = d.other_id)
)
insert into duplicate as d (one_id, other_id, reasons, found_at) select one_id, other_id, reasons, $6 from found
on conflict (one_id, other_id) do update set reasons = excluded.reasons
where d.declined_at is null and d.reasons <> excluded.reasons;

-- name: decline
insert into duplicate (one_id, other_id, found_at, declined_at, declined_by)
values (least($1::bigint, $2::bigint), greatest($1::bigint, $2::bigint), $3, $3, $4)
on conflict (one_id, other_id) do update set declined_at = excluded.declined_at, declined_by = excluded.declined_by;

-- name: open
-- Pairs that nobody has decided on, the latest found first.
select d.reasons, a.id as one, a.name as one_name, a.company as one_company, b.id as other, b.name as other_name,
    b.company as other_company,
    coalesce((select jsonb_agg(jsonb_build_object('kind', x.kind, 'value', x.value) order by x.id) from address x
              join address y on y.kind = x.kind and y.value = x.value and y.customer_id = b.id
              where x.customer_id = a.id and x.kind = any ($1::text[])), '[]') as shared
from duplicate d join customer a on a.id = d.one_id join customer b on b.id = d.other_id
where d.declined_at is null and a.merged_into is null and b.merged_into is null and a.erased_at is null and b.erased_at is null
order by d.found_at desc, d.one_id, d.other_id limit $2;
