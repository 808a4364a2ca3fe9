-- Articles that say how something is solved: their languages and versions, who used them for what, what was searched in vain.

-- `review_on`: when somebody is to look whether it still holds; `reminded_at`: when the owner was told that the day has come.
-- `version` counts every change of it, for compare-and-set.
create table solution (
    id bigint generated always as identity primary key,
    external_id text unique,            -- its name where it was imported from
    state text not null default 'draft' check (state in ('draft', 'published', 'retired')),
    public boolean not null default false,
    category text,
    tags text[] not null default '{}',
    owner_id bigint references users,
    review_on date,
    reminded_at timestamptz,
    created_by bigint references users,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    published_at timestamptz,
    version integer not null default 1
);
create index solution_state on solution (state, id desc);
create index solution_public on solution (category, id) where state = 'published' and public;
create index solution_review on solution (review_on) where state = 'published' and reminded_at is null;

-- Every text that was saved; never changed.
create table solution_version (
    solution_id bigint not null references solution on delete cascade,
    language text not null,
    n integer not null,
    title text not null,
    text text not null,
    author_id bigint references users,
    at timestamptz not null,
    restored_from integer,
    primary key (solution_id, language, n)
);

-- The article in one language, as the search has it: version `live`, or `latest` before one was published. `readers`: who finds
-- it. `title_words` and `words` (of title and text): English stems, and grams of what is written without spaces
-- (callcenter/domain/words.py).
create table solution_text (
    solution_id bigint not null references solution on delete cascade,
    language text not null,
    latest integer not null,
    live integer,
    title text not null,
    text text not null,
    readers text not null default 'nobody' check (readers in ('nobody', 'staff', 'all')),
    title_words tsvector not null,
    words tsvector not null,
    primary key (solution_id, language)
);
-- Written seldom and read by those who wait: entries go to their place at once.
create index solution_text_title_words on solution_text using gin (title_words) with (fastupdate = off);
create index solution_text_words on solution_text using gin (words) with (fastupdate = off);
create index solution_text_proposed on solution_text (solution_id) where latest is distinct from live;

-- In how many published texts a word stands; the count of all texts stands at the empty word.
create table solution_word (
    word text primary key,
    count integer not null
);

-- An article that helped with a ticket, or with a contact.
create table solution_use (
    id bigint generated always as identity primary key,
    solution_id bigint not null references solution on delete cascade,
    ticket_id bigint references ticket,
    interaction_id bigint references interaction,
    how text not null check (how in ('inserted', 'solved')),
    user_id bigint references users,
    at timestamptz not null,
    check (num_nonnulls(ticket_id, interaction_id) = 1)
);
create unique index solution_use_ticket on solution_use (ticket_id, solution_id, how) where ticket_id is not null;
create unique index solution_use_interaction on solution_use (interaction_id, solution_id, how) where interaction_id is not null;
create index solution_use_solution on solution_use (solution_id, at);

-- How often an article was opened, by whom in general.
create table solution_shown (
    solution_id bigint not null references solution on delete cascade,
    day date not null,
    place text not null check (place in ('desk', 'help')),
    count integer not null,
    primary key (solution_id, day, place)
);

-- What visitors of the help pages said; `voter` is the hash of a random number that they keep for this article alone.
create table solution_vote (
    solution_id bigint not null references solution on delete cascade,
    voter bytea not null,
    helped boolean not null,
    at timestamptz not null,
    primary key (solution_id, voter)
);

-- What was searched, without who did; `missed`: how often nothing was found.
create table solution_search (
    query text not null,
    place text not null check (place in ('desk', 'help')),
    count integer not null,
    missed integer not null,
    last_at timestamptz not null,
    primary key (query, place)
);
create index solution_search_last on solution_search (last_at);

-- Notices of other things than clocks of tickets; `kind` of these here: review.
alter table notice
    alter column ticket_id drop not null,
    alter column clock drop not null,
    alter column due_at drop not null,
    add column if not exists kind text not null default 'sla',
    add column solution_id bigint references solution on delete cascade;
