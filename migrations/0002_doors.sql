-- What the doors to other programs need: search of customers by parts of a name, exports by day, passwords from a file.

-- Pairs of neighbouring characters, so that a name of two Chinese characters is found by an index (trigrams find none).
-- A space is put before the text, so that a single character finds the beginnings of words.
create function bigrams(p_text text) returns text[]
language sql immutable strict parallel safe
as $$
    select coalesce(array_agg(distinct letters[n] || letters[n + 1]), '{}')
    from (select string_to_array(' ' || lower(normalize(p_text, nfkc)), null) as letters) as text,
         generate_series(1, cardinality(letters) - 1) as n
$$;

create index customer_words on customer using gin (bigrams(name || ' ' || coalesce(company, '')));

-- Rows lie in the order of their arrival, so a summary per block range finds a day; it costs next to nothing to keep.
create index interaction_arrived on interaction using brin (arrived_at) with (pages_per_range = 32, autosummarize = on);

-- The hash of the password that an organisation file last gave this user: applying the same file again must not undo
-- the password that the user has chosen since.
alter table users add column file_password_hash text;

-- Those of a text that may stand in the middle of another: without the beginning that only `bigrams` adds.
create function bigrams_inside(p_text text) returns text[]
language sql immutable strict parallel safe
as $$
    select coalesce(array_agg(distinct letters[n] || letters[n + 1]), '{}')
    from (select string_to_array(lower(normalize(p_text, nfkc)), null) as letters) as text,
         generate_series(1, cardinality(letters) - 1) as n
$$;

-- What tickets are promised, in the order of the organisation file; no conditions: for all that no other policy fits.
create table sla_policy (
    name text primary key,
    place integer not null,
    conditions jsonb not null default '{}',
    hours_id bigint references hours,
    targets jsonb not null default '{}',
    escalations jsonb not null default '[]'
);
