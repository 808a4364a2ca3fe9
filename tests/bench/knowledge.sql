-- name: articles
insert into solution (state, created_at, updated_at) select 'published', now(), now() from generate_series(1, $1::integer);

-- name: words
insert into solution_word
select word, ndoc from ts_stat('select words from solution_text') union all select '', count(*) from solution_text;

-- name: by_key
select title, text from solution_text where solution_id = $1 and language = $2;

-- name: indexes
select indexname, indexdef from pg_indexes where tablename = 'solution_text' and indexdef like '%USING gin%';
