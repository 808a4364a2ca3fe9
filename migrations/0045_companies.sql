-- The company of a customer is a record of its own: found by its name however it is written, or made with the first who is of it.

-- A company's name as it is compared: whatever case, width, spaces, signs and script it is written in (`folded`), and without the
-- legal form at its end. What only says that it is a company is kept where nothing else would be left. Empty: no name at all.
-- What is ASCII alone needs no table of characters, and most of the time that one takes.
create function company_key(p_name text) returns text
language sql immutable strict parallel safe
return coalesce(nullif(replace(
        case when octet_length(p_name) = length(p_name) then regexp_replace(
            btrim(regexp_replace(translate(lower(p_name), '''`', ''), '[^a-z0-9$%^=]+', ' ', 'g')),
            '( (co|company|corp|corporation|inc|incorporated|ltd|limited|llc|llp|lp|plc|gmbh|mbh|ag|kg|ohg|ug|se|sa|sas|sarl|srl|spa|sl|'
                || 'bv|nv|ab|as|oy|oyj|aps|pty|pte|sdn|bhd|kk|l l c|s a|s a s|s r l|s p a|s l|b v|n v|k k))+$', '')
        else regexp_replace(regexp_replace(array_to_string(folded_words(p_name), ' '),
            '( (co|company|corp|corporation|inc|incorporated|ltd|limited|llc|llp|lp|plc|gmbh|mbh|ag|kg|ohg|ug|se|sa|sas|sarl|srl|spa|sl|'
                || 'bv|nv|ab|as|oy|oyj|aps|pty|pte|sdn|bhd|kk|l l c|s a|s a s|s r l|s p a|s l|b v|n v|k k))+$', ''),
            '(?<=..)((股份|有限责任|责任)?(有限)?公司|株式会社|有限会社|合同会社)$|^(株式会社|有限会社|合同会社)(?=..)', '')
        end, ' ', ''), ''), lower(normalize(replace(p_name, ' ', ''), nfkc)));

-- `domains`: mail domains that are the company's. `merged_into`: the company that has its people and its names.
create table company (
    id bigint generated always as identity primary key,
    name text not null,
    domains text[] not null default '{}',
    note text,
    merged_into bigint references company (id) on delete cascade,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1
);
create index company_domains on company using gin (domains) where domains <> '{}';
create index company_merged on company (merged_into) where merged_into is not null;
-- A name that is written as it is here needs no key.
create index company_spelling on company (name) where merged_into is null;
create index company_grams on company using gin (name_grams(id, name)) with (gin_pending_list_limit = 64);

-- What leads to a company: its name and those it had (`former`). Whoever is of a name that it had is of it.
-- Checked at the end: a name is taken before there is the company.
create table company_name (
    key text primary key,
    company_id bigint not null references company (id) on delete cascade deferrable initially deferred,
    former boolean not null default false
);
create index company_name_company on company_name (company_id);

-- `people`, `names` and `domains`: what the target has from the source, so that it can be given back.
create table company_merge (
    id bigint generated always as identity primary key,
    source_id bigint not null references company (id) on delete cascade,
    target_id bigint not null references company (id) on delete cascade,
    at timestamptz not null,
    by_id bigint references users (id),
    people bigint[] not null,
    names text[] not null,
    domains text[] not null,
    undone_at timestamptz,
    undone_by bigint references users (id)
);
create index company_merge_target on company_merge (target_id);
create index company_merge_source on company_merge (source_id);

-- From what there is: the oldest spelling is the company's.
create temporary table spelling on commit drop as select text, company_key(text) as key
from (select distinct company as text from customer where company is not null) as every;
with made as (
    insert into company (name, created_at, updated_at)
    select distinct on (key) company, created_at, created_at from customer join spelling on text = company
    where key <> '' order by key, id returning id, name
)
insert into company_name (key, company_id) select key, id from made join spelling on text = name;
set constraints all immediate;

alter table customer add company_id bigint;
update customer c set company_id = n.company_id from spelling join company_name n using (key) where c.company = text;
create index customer_company on customer (company_id, id) where company_id is not null;
alter table customer add foreign key (company_id) references company (id);

-- Open tickets of many people at once.
create index ticket_open_customer on ticket (customer_id, id desc) where state not in ('resolved', 'closed');
