-- For which record of a customer another system named an order or a contract: one that was merged since goes apart again with it.
-- Null: nobody named one.
alter table customer_order add column record_id bigint references customer (id);
alter table contract add column record_id bigint references customer (id);
