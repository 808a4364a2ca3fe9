-- One search for people, tickets and what was written: parts of names, ends of addresses, words of texts outside tickets.

-- Pairs of neighbouring characters, and of scripts with spaces every three too: of names in Latin letters most share their
-- pairs, while names in Chinese often have two characters only. A space before each word, so that one character finds
-- beginnings. As in ticket_words each has the number of 16,384 rows before it: whoever searches looks into one block
-- after the other and stops when enough is found, however common a name is.
create function name_grams(p_id bigint, p_text text) returns text[]
language plpgsql immutable strict
as $$
declare
    v_block text := (p_id >> 14) || ':';
    v_letters text[] := string_to_array(' ' || lower(normalize(p_text, nfkc)), null);
    v_found text[] := '{}';
begin
    for n in 1 .. cardinality(v_letters) - 1 loop
        continue when v_letters[n + 1] = ' ';
        v_found := v_found || (v_block || v_letters[n] || v_letters[n + 1]);
        if v_letters[n] <> ' ' and v_letters[n + 2] <> ' ' and ascii(v_letters[n]) < 11904
           and ascii(v_letters[n + 1]) < 11904 and ascii(v_letters[n + 2]) < 11904 then
            v_found := v_found || (v_block || v_letters[n] || v_letters[n + 1] || v_letters[n + 2]);
        end if;
    end loop;
    return v_found;
end
$$;

-- Those that a text has which holds this word; 11904 is U+2E80, where scripts without spaces begin.
create function grams_sought(p_word text) returns text[]
language sql immutable strict parallel safe
as $$
    select case cardinality(letters) when 1 then array[' ' || letters[1]] when 2 then array[letters[1] || letters[2]] else coalesce((
        select array_agg(distinct gram)
        from generate_series(1, cardinality(letters) - 1) as n,
             lateral (values (case when greatest(ascii(letters[n]), ascii(letters[n + 1])) >= 11904 then letters[n] || letters[n + 1] end),
                             (case when ascii(letters[n]) < 11904 and ascii(letters[n + 1]) < 11904 and ascii(letters[n + 2]) < 11904
                                   then letters[n] || letters[n + 1] || letters[n + 2] end)) as found (gram)
        where gram is not null), '{}') end
    from (select string_to_array(lower(normalize(p_word, nfkc)), null) as letters) as word
$$;

-- The same words as before (0013_ticket_lists.sql), found in a loop: a query over the letters took ten times as long, and most of
-- what a message costs.
create or replace function ticket_words(p_ticket bigint, p_text text) returns text[]
language plpgsql immutable strict cost 10000
as $$
declare
    v_block text := (p_ticket >> 14) || ':';
    v_found text[] := array(
        select v_block || word from unnest(tsvector_to_array(to_tsvector('english',
            regexp_replace(p_text, '[‐-⁞⺀-鿿ꀀ-꓏가-힣豈-﫿𠀀-𯿽]+', ' ', 'g')))) as word);
    v_run text;
    v_letters text[];
begin
    for v_run in select run[1] from regexp_matches(p_text, '[⺀-⿟々-〇぀-鿿ꀀ-꓏가-힣豈-﫿𠀀-𯿽]+', 'g') as run loop
        v_letters := string_to_array(v_run, null);
        for n in 1 .. cardinality(v_letters) loop
            v_found := v_found || (v_block || v_letters[n]);
            if n < cardinality(v_letters) then
                v_found := v_found || (v_block || v_letters[n] || v_letters[n + 1]);
            end if;
        end loop;
    end loop;
    return v_found;
end
$$;

-- Without a list of what is still to be sorted in (fastupdate): a search would read it for each block.
create index customer_grams on customer using gin (name_grams(id, name || ' ' || coalesce(company, ''))) with (fastupdate = off);
drop index customer_words;
drop function bigrams(text);
drop function bigrams_inside(text);

-- Numbers by their last digits, mail addresses by their domain.
create index address_end on address (reverse(value) collate "C");

-- What was written in a contact outside tickets; what belongs to a ticket stands in ticket_text. A line of a chat is sorted in
-- with others: one at a time costs four times as much. What is still to be sorted a search reads once for each block, so there
-- is little of it.
create index message_words on message using gin (ticket_words(id, plain_text(text))) with (gin_pending_list_limit = 64)
where ticket_id is null;

-- What was noted when a contact was wrapped up; of interactions there are many, so these blocks have 65,536.
create index interaction_note_words on interaction using gin (ticket_words(id >> 2, plain_text(note))) with (fastupdate = off)
where note is not null;

-- A search reads the list of what is still to be sorted in once for each block.
alter index ticket_text_words set (gin_pending_list_limit = 64);
