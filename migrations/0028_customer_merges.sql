-- Two records of one customer become one, and two again when they were not.

create table customer_merge (
    id bigint generated always as identity primary key,
    source_id bigint not null references customer (id),     -- whose record is at rest from then on
    target_id bigint not null references customer (id),     -- who has it all
    at timestamptz not null,
    by_id bigint references users (id),
    moved jsonb not null default '{}',      -- what was the source's: ids of rows by table
    taken jsonb not null default '{}',      -- fields of the target's record: [what it was, what the source had]
    undone_at timestamptz,
    undone_by bigint references users (id),
    check (source_id <> target_id)
);
create unique index customer_merge_source on customer_merge (source_id) where undone_at is null;
create index customer_merge_target on customer_merge (target_id, id desc);
