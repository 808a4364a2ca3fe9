-- The company on a customer's row, a text, and the company's record, kept in step by triggers: whoever writes a customer (a page,
-- an import, a merge and its undoing, an erasure) writes the text, and need not know that there is a record.

create or replace function lock_company(p_id bigint) returns void language sql as $$ select lock_aggregate(16, p_id) $$;

-- Makes a company, unless there is one by now.
create or replace function make_company(p_name text, p_key text) returns void
language sql as $$
    with taken as (
        insert into company_name (key, company_id) values (p_key, nextval(pg_get_serial_sequence('company', 'id')))
        on conflict (key) do nothing returning company_id
    )
    insert into company (id, name) overriding system value select company_id, btrim(p_name) from taken
$$;

-- The same of many, those that there are not yet. In the order of their keys, so that two who make many wait for each other and
-- not in a circle; who comes second finds what the first one made.
create or replace function make_companies(p_names text[]) returns void
language sql as $$
    with given as (
        select distinct on (key) key, name
        from (select name, company_key(name) as key, min(place) as place
              from unnest(p_names) with ordinality as g (name, place) group by name) as spelling
        where key <> '' order by key, place
    )
    select make_company(name, key) from given
    where not exists (select from company_name n where n.key = given.key) order by key
$$;

-- The company that a name leads to, and that name as it is to be written: as given, but by the company's own where it is one that
-- it had. Nothing when there is none. It is kept from being renamed or taken away meanwhile.
create or replace function company_called(p_name text, p_key text, out id bigint, out name text)
language sql as $$
    select c.id, case when n.former then c.name else p_name end
    from company_name n join company c on c.id = n.company_id where n.key = p_key for key share of c
$$;

create or replace function follow_company() returns trigger
language plpgsql as $$
declare
    v_key text;
    v_called record;
begin
    if new.company_id is not null and tg_op = 'UPDATE' and new.company is not distinct from old.company then
        -- Put there by the company's id: of a company they have that one's name.
        select name into new.company from company where id = new.company_id for key share;
        return new;
    end if;
    -- Most names are written as the company writes its own: to find it by its key takes ten times as long.
    select id into new.company_id from company where name = new.company and merged_into is null limit 1 for key share;
    if found then
        return new;
    end if;
    v_key := company_key(new.company);
    if coalesce(v_key, '') = '' then
        return new;
    end if;
    loop
        select * into v_called from company_called(new.company, v_key);
        exit when v_called.id is not null;
        perform make_company(new.company, v_key);
    end loop;
    new.company_id := v_called.id;
    new.company := v_called.name;
    return new;
end
$$;
create or replace trigger company_of_new before insert on customer for each row
when (new.company is not null or new.company_id is not null) execute function follow_company();
create or replace trigger company_of_changed before update of company, company_id on customer for each row
when ((old.company, old.company_id) is distinct from (new.company, new.company_id)) execute function follow_company();

-- A company about which nobody has noted anything is no more than the word in its people's records: it goes with the last of them.
create or replace function forget_company(p_id bigint) returns void
language plpgsql as $$
begin
    if exists (select from customer where company_id = p_id)
        or not exists (select from company where id = p_id and domains = '{}' and note is null and merged_into is null)
    then
        return;
    end if;
    -- Looked at again once nobody can come to it.
    perform from company where id = p_id for update;
    delete from company where id = p_id and domains = '{}' and note is null and merged_into is null
        and not exists (select from customer where company_id = p_id);
end
$$;

create or replace function leave_company() returns trigger
language plpgsql as $$
begin
    perform forget_company(old.company_id);
    return null;
end
$$;
create or replace trigger company_left after update of company, company_id on customer for each row
when (old.company_id is not null and old.company_id is distinct from new.company_id) execute function leave_company();

-- Those who were of it by its name are of it by its new one. Locked by rising id before the company is, as whoever writes a
-- customer does.
create or replace function rename_company(p_id bigint, p_name text) returns void
language plpgsql as $$
begin
    perform from customer where company_id = p_id order by id for no key update;
    perform from company where id = p_id for update;
    update company_name set former = true where company_id = p_id and not former;
    insert into company_name (key, company_id) values (company_key(p_name), p_id)
    on conflict (key) do update set former = false where company_name.company_id = p_id;
    update company set name = p_name where id = p_id;
    update customer set company = p_name where company_id = p_id and company is distinct from p_name;
end
$$;

-- Companies whose name holds each of some words, whatever the case and width of their letters; by id.
create or replace function companies_named(p_words text[], p_after bigint, p_limit integer) returns bigint[]
language plpgsql stable set enable_seqscan = off as $$
declare
    v_plain text[] := array(select lower(normalize(word, nfkc)) from unnest(p_words) as word);
    v_grams text[] := array(select distinct gram from unnest(p_words) as word, unnest(grams_sought(word)) as gram);
    v_keys text[];
    v_found bigint[] := '{}';
begin
    for v_block in p_after >> 14 .. coalesce((select max(id) from company), -1) >> 14 loop
        v_keys := array(select v_block || ':' || gram from unnest(v_grams) as gram);
        v_found := v_found || array(
            with hits as materialized (select id from company where name_grams(id, name) @> v_keys)
            select c.id from (select id from hits where id > p_after order by id) as hit
            cross join lateral (
                select id from company c
                where c.id = hit.id and c.merged_into is null and not exists (
                    select from unnest(v_plain) as word where strpos(lower(normalize(c.name, nfkc)), word) = 0)
                offset 0
            ) as c
            limit p_limit - cardinality(v_found));
        exit when cardinality(v_found) >= p_limit;
    end loop;
    return v_found;
end
$$;

-- The company that a mail address is of: the only one that has its domain, or one above it. Null for none, and for several.
create or replace function company_of_mail(p_address text) returns bigint
language sql stable as $$
    with labels as (select string_to_array(split_part(lower(p_address), '@', 2), '.') as all_of_them),
    found as (
        select c.id from labels, company c
        where c.domains <> '{}' and c.merged_into is null and c.domains && array(
            select array_to_string(all_of_them[n:], '.') from generate_series(1, cardinality(all_of_them) - 1) as n)
        limit 2
    )
    select case when count(*) = 1 then max(id) end from found
$$;
