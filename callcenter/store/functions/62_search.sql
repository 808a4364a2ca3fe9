-- Finding people, tickets and contacts. Functions for the sake of `enable_seqscan`, as with solutions, and of loops: blocks of
-- rows are looked into one after the other until enough is found, so that a word that stands everywhere costs no more than
-- a rare one.

-- Customers whose name and company hold each of some words, whatever the case and width of their letters; by id.
create or replace function customers_named(p_words text[], p_after bigint, p_limit integer) returns bigint[]
language plpgsql stable set enable_seqscan = off as $$
declare
    v_plain text[] := array(select lower(normalize(word, nfkc)) from unnest(p_words) as word);
    v_grams text[] := array(select distinct gram from unnest(p_words) as word, unnest(grams_sought(word)) as gram);
    v_keys text[];
    v_found bigint[] := '{}';
begin
    for v_block in p_after >> 14 .. coalesce((select max(id) from customer), -1) >> 14 loop
        v_keys := array(select v_block || ':' || gram from unnest(v_grams) as gram);
        v_found := v_found || array(
            with hits as materialized (
                select id from customer where name_grams(id, name || ' ' || coalesce(company, '')) @> v_keys
            )
            select c.id from (select id from hits where id > p_after order by id) as hit
            cross join lateral (
                select id from customer c
                where c.id = hit.id and c.merged_into is null and c.erased_at is null and not exists (
                    select from unnest(v_plain) as word
                    where strpos(lower(normalize(c.name || ' ' || coalesce(c.company, ''), nfkc)), word) = 0)
                offset 0
            ) as c
            limit p_limit - cardinality(v_found));
        exit when cardinality(v_found) >= p_limit;
    end loop;
    return v_found;
end
$$;

-- Customers one of whose addresses begins or ends so, those first, then those with the words in their names. `address`: the
-- one that was found. Of a beginning or an end that many have, 50 are looked at. U+FFFF stands behind all that is written, in
-- the order of bytes and in that of a language.
create or replace function search_customers(p_beginnings text[], p_endings text[], p_words text[], p_limit integer)
returns table (id bigint, name text, company text, tier text, address text)
language plpgsql stable set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_named bigint[] := '{}';
begin
    if cardinality(p_words) > 0 then
        v_named := customers_named(p_words, 0, p_limit);
    end if;
    return query
    with reached as (
        select a.customer_id, a.value, 1 as place from unnest(p_beginnings) as beginning cross join lateral (
            select customer_id, value from address
            where kind = any ('{phone,email,fax,web,external}') and value >= beginning and value < beginning || U&'\FFFF' limit 50) a
        union all
        select a.customer_id, a.value, 2 from unnest(p_endings) as ending cross join lateral (
            select customer_id, value from address
            where reverse(value) collate "C" >= reverse(ending) and reverse(value) collate "C" < reverse(ending) || U&'\+10FFFF'
            limit 50) a
    ),
    found as (
        select distinct on (customer_id) customer_id, value, place
        from (select * from reached union all select one, null, 3 from unnest(v_named) as one) as all_of_them
        order by customer_id, place
    )
    select c.id, c.name, c.company, c.tier, f.value
    from found f join customer c on c.id = f.customer_id and c.merged_into is null and c.erased_at is null
    order by f.place, c.id limit p_limit;
end
$$;

-- A part of a text around the first of some words, which are in small letters; null when it has none of them.
create or replace function cut_around(p_text text, p_terms text[]) returns text
language sql immutable as $$
    select substr(p_text, greatest(1, place - 60), 240)
    from (select min(nullif(strpos(lower(left(p_text, 10000)), term), 0)) as place from unnest(p_terms) as term) as first
    where place > 0
$$;

-- The ticket with a number; then the newest with all of the words in subject and messages. p_words: as ticket_words has them;
-- p_phrases must stand there as they are; p_terms: what the text is cut around.
create or replace function search_tickets(p_number bigint, p_words text[], p_phrases text[], p_terms text[], p_limit integer)
returns table (id bigint, number bigint, subject text, state text, customer_id bigint, customer text, at timestamptz, cut text)
language plpgsql stable set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_keys text[];
    v_found bigint[] := array(select id from ticket where number = p_number);
    v_top bigint := case when cardinality(p_words) > 0 then coalesce((select max(ticket_id) from ticket_text), -1) else -1 end;
begin
    for v_block in reverse v_top >> 14 .. 0 loop
        exit when cardinality(v_found) >= p_limit;
        v_keys := array(select v_block || ':' || word from unnest(p_words) as word);
        v_found := v_found || array(
            with hits as materialized (
                select ticket_id from ticket_text where ticket_words(ticket_id, text) @> v_keys
            )
            select x.ticket_id from (select ticket_id from hits order by ticket_id desc) as hit
            cross join lateral (
                select ticket_id from ticket_text x
                where x.ticket_id = hit.ticket_id and x.ticket_id <> all (v_found)
                  and not exists (select from unnest(p_phrases) as phrase where strpos(x.text, phrase) = 0)
                offset 0
            ) as x
            limit p_limit - cardinality(v_found));
    end loop;
    return query
    select t.id, t.number, t.subject, t.state, t.customer_id, c.name, t.updated_at, (
        select cut from (select text from message where ticket_id = t.id order by id desc limit 50) as m,
                        lateral (select cut_around(m.text, p_terms) as cut) as found
        where cut is not null limit 1)
    from unnest(v_found) with ordinality as f (id, place) join ticket t on t.id = f.id left join customer c on c.id = t.customer_id
    order by f.place;
end
$$;

-- Whether somebody may read a contact: their own work, and what is over and belongs to a customer. p_reader null: whoever
-- reads all. The same rule as `readable` in callcenter/web/rights.py.
create or replace function may_read(p_interaction bigint, p_reader bigint) returns boolean
language sql stable as $$
    select p_reader is null or exists (
        select from interaction i
        where i.id = p_interaction and (
            i.agent_id = p_reader or (i.closed_at is not null and i.customer_id is not null)
            or exists (select from segment where interaction_id = i.id and agent_id = p_reader and answered_at is not null)))
$$;

-- Contacts in which the words were written or noted, outside tickets, the newest first; each once. p_reader: null for
-- whoever reads all; agents read their own work, and what is over and belongs to a customer (callcenter/web/rights.py).
create or replace function search_contacts(p_words text[], p_phrases text[], p_terms text[], p_reader bigint, p_limit integer)
returns table (id bigint, channel text, at timestamptz, customer_id bigint, customer text, ticket bigint, cut text)
language plpgsql stable set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_keys text[];
    v_written bigint[] := '{}';
    v_noted bigint[] := '{}';
begin
    if cardinality(p_words) = 0 then
        return;
    end if;
    for v_block in reverse coalesce((select max(id) from message), -1) >> 14 .. 0 loop
        v_keys := array(select v_block || ':' || word from unnest(p_words) as word);
        v_written := v_written || array(
            with hits as materialized (
                select id from message where ticket_id is null and ticket_words(id, plain_text(text)) @> v_keys
            )
            select m.id from (select id from hits order by id desc) as hit
            cross join lateral (
                select m.id from message m
                where m.id = hit.id and may_read(m.interaction_id, p_reader)
                  and not exists (select from unnest(p_phrases) as phrase where strpos(plain_text(m.text), phrase) = 0)
                offset 0
            ) as m
            limit p_limit - cardinality(v_written));
        exit when cardinality(v_written) >= p_limit;
    end loop;
    for v_block in reverse coalesce((select max(id) from interaction), -1) >> 16 .. 0 loop
        v_keys := array(select v_block || ':' || word from unnest(p_words) as word);
        v_noted := v_noted || array(
            with hits as materialized (
                select id from interaction where note is not null and ticket_words(id >> 2, plain_text(note)) @> v_keys
            )
            select i.id from (select id from hits order by id desc) as hit
            cross join lateral (
                select i.id from interaction i
                where i.id = hit.id and may_read(i.id, p_reader) and i.channel not in ('ticket', 'task')
                  and not exists (select from unnest(p_phrases) as phrase where strpos(plain_text(i.note), phrase) = 0)
                offset 0
            ) as i
            limit p_limit - cardinality(v_noted));
        exit when cardinality(v_noted) >= p_limit;
    end loop;
    return query
    with found as (
        select distinct on (id) * from (
            select interaction_id as id, at, text from message where id = any (v_written)
            union all
            select id, coalesce(closed_at, arrived_at), note from interaction where id = any (v_noted)
        ) as told order by id, at desc
    )
    select i.id, i.channel, f.at, i.customer_id, c.name, t.number, coalesce(cut_around(f.text, p_terms), left(f.text, 240))
    from found f join interaction i on i.id = f.id left join customer c on c.id = i.customer_id left join ticket t on t.id = i.ticket_id
    order by f.at desc, i.id desc limit p_limit;
end
$$;
