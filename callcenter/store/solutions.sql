-- name: solution
select id, state, public, category, tags, owner_id, review_on, created_by, created_at, updated_at, published_at, version
from solution where id = $1;

-- name: many
select id, state, public, category, tags, owner_id, review_on, created_by, created_at, updated_at, published_at, version
from solution where id = any ($1::bigint[]);

-- name: variants
select solution_id, language, latest, live, title, text from solution_text where solution_id = any ($1::bigint[])
order by solution_id, language;

-- name: list
-- Articles below an id ($1), the newest first, at most $2; null leaves a condition out. $7: those with a text that was saved
-- since the last publication. $8: those published ones whose review is due on that day.
select s.id from solution s
where s.id < $1 and ($3::text is null or s.state = $3) and ($4::boolean is null or s.public = $4)
  and ($5::text is null or s.category = $5) and ($6::text is null or $6 = any (s.tags))
  and ($7::boolean is null or $7 = exists (select from solution_text x where x.solution_id = s.id and x.latest is distinct from x.live))
  and ($8::date is null or s.state = 'published' and s.review_on <= $8)
order by s.id desc limit $2;

-- name: search
select id, language, title, text, rank, public, category, state from search_solutions($1, $2, $3, $4, $5);

-- name: suggest
select id, language, title, text, rank, public, category, state from suggest_solutions($1, $2, $3, $4, $5);

-- name: versions
select v.language, v.n, v.title, v.text, v.at, v.restored_from, v.author_id as author, t.live = v.n as live
from solution_version v join solution_text t using (solution_id, language)
where v.solution_id = $1 and ($2::text is null or v.language = $2) and ($3::integer is null or v.n = $3)
order by v.at desc, v.language, v.n desc limit 200;

-- name: categories
-- Categories in use, with the number of articles; $1: who looks (staff or all).
select s.category, count(*)::integer as count from solution s
where s.state = 'published' and ($1 = 'staff' or s.public) group by s.category order by s.category;

-- name: shelf
-- Published articles of a category ($1; null: those without) or of all ($2), for the public or for all ($3), by their titles in
-- the reader's language ($4) or the next best.
select distinct on (s.id) s.id, s.category, t.language, t.title
from solution s join solution_text t on t.solution_id = s.id and t.live is not null
where s.state = 'published' and ($3 = 'staff' or s.public) and ($2 or s.category is not distinct from $1)
order by s.id, t.language = $4 desc, left(t.language, 2) = left($4, 2) desc, t.language limit 500;

-- name: add
insert into solution (public, category, tags, owner_id, review_on, created_by, created_at, updated_at, external_id)
values ($1, $2, $3, $4, $5, $6, $7, $7, $8) returning id;

-- name: imported
select id from solution where external_id = $1;

-- name: change
update solution set state = $2, public = $3, category = $4, tags = $5, owner_id = $6, review_on = $7,
    reminded_at = case when review_on is not distinct from $7 then reminded_at end,
    published_at = case when $8 then $9 else published_at end, updated_at = $9, version = version + 1
where id = $1;

-- name: add_version
insert into solution_version (solution_id, language, n, title, text, author_id, at, restored_from)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: version
select title, text from solution_version where solution_id = $1 and language = $2 and n = $3;

-- name: put_text
-- How the search has the article in a language. $8, $10: what title and whole text have with spaces; $9, $11: grams.
insert into solution_text (solution_id, language, latest, live, title, text, readers, title_words, words)
values ($1, $2, $3, $4, $5, $6, $7, to_tsvector('english', $8) || $9::text::tsvector, to_tsvector('english', $10) || $11::text::tsvector)
on conflict (solution_id, language) do update set latest = excluded.latest, live = excluded.live, title = excluded.title,
    text = excluded.text, readers = excluded.readers, title_words = excluded.title_words, words = excluded.words;

-- name: counted
-- The words of an article's texts that readers find, a row for each text.
select tsvector_to_array(words) as words from solution_text where solution_id = $1 and readers <> 'nobody';

-- name: count_words
-- $1: how much more often each of the words $2 is there; always in the same order, so that two of these wait for each other.
insert into solution_word (word, count) select * from unnest($2::text[], $1::integer[]) as w (word, count) order by word
on conflict (word) do update set count = solution_word.count + excluded.count;

-- name: add_use
insert into solution_use (solution_id, ticket_id, interaction_id, how, user_id, at) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing returning id;

-- name: drop_use
delete from solution_use
where solution_id = $1 and ticket_id is not distinct from $2 and interaction_id is not distinct from $3 and how = $4 returning id;

-- name: uses
-- What was used for a ticket ($1; and for its contacts) or a contact ($2).
select solution_id, how from solution_use
where ticket_id = $1 or interaction_id = $2 or interaction_id in (select id from interaction where ticket_id = $1);

-- name: shown
insert into solution_shown (solution_id, day, place, count) values ($1, $2, $3, $4)
on conflict (solution_id, day, place) do update set count = solution_shown.count + excluded.count;

-- name: vote
insert into solution_vote (solution_id, voter, helped, at) values ($1, $2, $3, $4)
on conflict (solution_id, voter) do update set helped = excluded.helped, at = excluded.at;

-- name: own_vote
select helped from solution_vote where solution_id = $1 and voter = $2;

-- name: note_search
insert into solution_search (query, place, count, missed, last_at) values ($1, $2, 1, $3, $4)
on conflict (query, place) do update set count = solution_search.count + 1, missed = solution_search.missed + excluded.missed,
    last_at = excluded.last_at;

-- name: due_review
-- Published articles whose day has come ($1) and of whom nobody was told; locked, those that another node holds left out.
select id, coalesce(owner_id, created_by) as user_id from solution
where state = 'published' and reminded_at is null and review_on <= $1 order by review_on limit 100 for update skip locked;

-- name: reminded
update solution set reminded_at = $2 where id = any ($1::bigint[]);

-- name: supervisors
select id from users where active and role in ('supervisor', 'administrator') order by id;

-- name: add_notice
insert into notice (kind, user_id, solution_id, at) values ('review', $1, $2, $3);

-- name: purge_searches
delete from solution_search where last_at < $1;

-- name: purge_votes
-- What was said of an article long ago is no news of what it says now.
delete from solution_vote where at < $1;

-- name: about
-- What a ticket ($1) or a contact ($2) is about, in their own words: subject, note, and what was last written.
select concat_ws(E'\n', t.subject, i.subject, i.note, d.note,
    (select string_agg(left(m.text, 2000), E'\n') from (
        select text from (
            (select id, text from message where ticket_id = t.id order by id desc limit 3)
            union
            (select id, text from message where interaction_id = $2 and kind = 'inbound' order by id desc limit 3)) latest
        order by id desc limit 3) m)) as text
from (select 1) one
left join interaction i on i.id = $2
left join ticket t on t.id = coalesce($1, i.ticket_id)
left join draft d on d.interaction_id = i.id and d.user_id = $3;

-- name: active
select id from users where id = any ($1::bigint[]) and active;
