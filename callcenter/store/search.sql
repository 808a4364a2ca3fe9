-- name: everything
-- What was understood of a search, in one question: customers, companies, tickets, and contacts outside them. $5 is written
-- with spaces and has stems, $6 are the other words; $9: who asks, null for those who read all.
with asked as materialized (
    select array(select unnest(tsvector_to_array(to_tsvector('english', $5::text)))) || $6::text[] as words
)
select (select coalesce(jsonb_agg(to_jsonb(c)), '[]')
        from search_customers($1::text[], $2::text[], $3::text[], $10::integer) as c) as customers,
       (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', (select name from company where id = found.id)) order by id), '[]')
        from unnest(case when cardinality($3) > 0 then companies_named($3, 0, $10) end) as found (id)) as companies,
       (select coalesce(jsonb_agg(to_jsonb(t)), '[]')
        from search_tickets($4::bigint, words, $7::text[], $8::text[], $10::integer) as t) as tickets,
       (select coalesce(jsonb_agg(to_jsonb(i)), '[]')
        from search_contacts(words, $7::text[], $8::text[], $9::bigint, $10::integer) as i) as contacts
from asked;

-- name: customers
select * from search_customers($1::text[], $2::text[], $3::text[], $4::integer);
