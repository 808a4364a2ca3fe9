-- What callers who wait are told by phone, as the organisation file says it; null: nothing.
alter table queue add column announce jsonb;

-- Contacts that left a queue for another one, with nobody's answer and without hanging up. `entered_at`: into the queue they left.
create table flow_out (
    queue_id bigint not null,
    interaction_id bigint not null,
    entered_at timestamptz not null,
    left_at timestamptz not null
);
create index flow_out_entered on flow_out (entered_at) include (queue_id);
