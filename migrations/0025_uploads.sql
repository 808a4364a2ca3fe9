-- Files that people upload: with forms, chats, the portal, and answers of agents. What comes by mail stays in its mail.

-- `type`: what its content says it is, which its sender may have said wrongly. `owner`: who uploaded it before it is sent with
-- a message, and may send it (`user:7`, `chat:3`, …); null: whoever has it in hand.
create table upload (
    id bigint generated always as identity primary key,
    message_id bigint references message (id) on delete cascade,    -- null: not sent yet; purged after a day
    owner text,
    name text not null,
    type text not null,
    size integer not null,
    data bytea not null,
    created_at timestamptz not null
);
-- Most of what is uploaded is compressed already.
alter table upload alter column data set storage external;
create index upload_message on upload (message_id) where message_id is not null;
create index upload_unsent on upload (created_at) where message_id is null;
