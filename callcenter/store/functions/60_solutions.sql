-- Finding solutions. Functions for the sake of `enable_seqscan`: the words of a text are kept apart from its row, which the
-- planner does not reckon with, so that reading all of them looks cheap to it.

-- Texts with all of the words: p_spaced is what is written with spaces, p_rest a tsquery of the rest. The reader's language first,
-- then what has the words in its title. A word that stands nearly everywhere finds many: 200 of those that have it in the
-- title are ranked, and 200 of the others.
create or replace function search_solutions(p_spaced text, p_rest text, p_readers text[], p_language text, p_limit integer)
returns table (id bigint, language text, title text, text text, rank float8, public boolean, category text, state text)
language plpgsql stable set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_query tsquery := plainto_tsquery('english', p_spaced) && p_rest::tsquery;
begin
    return query
    with found as (
        (select solution_id, language from solution_text where title_words @@ v_query and readers = any (p_readers) limit 200)
        union
        (select solution_id, language from solution_text where words @@ v_query and readers = any (p_readers) limit 200)
    ),
    ranked as (
        select t.solution_id, t.language, t.title, t.text,
               4 * ts_rank(t.title_words, v_query) + ts_rank(t.words, v_query, 1) as rank,
               (t.language = p_language)::integer * 2 + (left(t.language, 2) = left(p_language, 2))::integer as near
        from found join solution_text t using (solution_id, language)
    ),
    best as (select distinct on (solution_id) * from ranked order by solution_id, near desc, rank desc)
    select b.solution_id, b.language, b.title, b.text, b.rank::float8, s.public, s.category, s.state
    from best b join solution s on s.id = b.solution_id
    order by b.near desc, b.rank desc, b.solution_id desc limit p_limit;
end
$$;

-- Articles about what a text says: its part with spaces and its pairs of characters. A word counts for more the fewer texts have
-- it, and three times in a title; what many have says nothing. An article needs two of the words, or one in its title, and
-- a third of what the best one has.
create or replace function suggest_solutions(p_spaced text, p_pairs text[], p_readers text[], p_language text, p_limit integer)
returns table (id bigint, language text, title text, text text, rank float8, public boolean, category text, state text)
language plpgsql stable set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_texts float8 := (select count from solution_word where word = '');
begin
    return query
    with terms as materialized (
        select w.word, ln((v_texts + 1) / (w.count + 0.5)) as weight,
               ('''' || replace(replace(w.word, '\', '\\'), '''', '''''') || '''')::tsquery as query
        from solution_word w
        where w.word = any (tsvector_to_array(to_tsvector('english', p_spaced)) || p_pairs) and w.word <> ''
          and w.count > 0 and w.count <= least(1000, greatest(10, v_texts * 0.3))
        order by w.count, w.word limit 16
    ),
    -- A case may be told in two languages, and the article written in both: each word counts once.
    hits as (
        select t.solution_id, terms.word, bool_or(t.title_words @@ terms.query) as titled,
               max(terms.weight * case when t.title_words @@ terms.query then 3 else 1 end) as score
        from terms join solution_text t on t.words @@ terms.query
        where t.readers = any (p_readers)
        group by t.solution_id, terms.word
    ),
    best as materialized (
        select solution_id, sum(score) as score from hits
        group by solution_id having count(*) > 1 or bool_or(titled)
    )
    select b.solution_id, t.language, t.title, t.text, b.score::float8, s.public, s.category, s.state
    from best b
    join solution s on s.id = b.solution_id
    join lateral (
        select x.language, x.title, x.text from solution_text x
        where x.solution_id = b.solution_id and x.readers = any (p_readers)
        order by x.language = p_language desc, left(x.language, 2) = left(p_language, 2) desc, x.language limit 1
    ) t on true
    where b.score >= (select max(score) from best) / 3
    order by b.score desc, b.solution_id desc limit p_limit;
end
$$;
