-- Persons who are not to be known any more: what was emptied, without a word of what it held.

alter table customer add column erased_at timestamptz;

create table erasure (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customer (id),
    at timestamptz not null,
    by_id bigint references users (id),
    reason text not null,           -- the request's reference; never the person's words
    emptied jsonb not null          -- rows by table
);
create index erasure_customer on erasure (customer_id, id desc);
