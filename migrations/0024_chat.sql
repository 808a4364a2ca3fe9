-- Chats on web pages: the widgets that stand there, and the visitor's side of each chat.

-- A widget on the pages of some sites. Its key stands in their source: it is a name, and no secret.
create table widget (
    id bigint generated always as identity primary key,
    key text not null unique,
    queue_id bigint not null references queue (id),
    sites text[] not null,              -- origins whose pages may use it
    languages text[] not null default '{}',     -- that it speaks, the first where a page's is none of them; none: all
    greeting jsonb not null default '{}',       -- by language
    ask text[] not null default '{}' check (ask <@ '{name,email}'),    -- what is asked before the first message
    form text,                          -- of the web forms: in place of the chat while the queue is closed
    secret text,                        -- signs who a visitor is, on the site's own word
    active boolean not null default true
);

-- What a chat has beside its interaction. Lines are counted from 1; each side has read up to one.
create table chat (
    interaction_id bigint primary key references interaction (id),
    widget_id bigint not null references widget (id),
    token_hash bytea not null unique,   -- SHA-256 of what the visitor's browser keeps to come back
    identity text not null check (identity in ('anonymous', 'typed', 'verified')),
    language text not null,
    page text,                          -- where the visitor is, without what stands behind a question mark
    page_title text,
    last integer not null default 0,
    visitor_read integer not null default 0,
    agent_read integer not null default 0,
    node_id bigint,                     -- where the visitor's connection is, or was last
    gone_at timestamptz                 -- no connection since; null: one is there
) with (fillfactor = 70);
create index chat_gone on chat (gone_at) where gone_at is not null;

-- The lines of a chat in their order. `client_id` is the sender's, so that a line that is sent again stands there once.
create table chat_line (
    interaction_id bigint not null references chat (interaction_id) on delete cascade,
    n integer not null,
    by_visitor boolean not null,
    client_id text not null,
    message_id bigint not null unique references message (id) on delete cascade,
    primary key (interaction_id, n)
);
create unique index chat_line_once on chat_line (interaction_id, by_visitor, client_id);
