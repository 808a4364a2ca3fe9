alter table floor.customer add primary key (id);
create unique index phone_value on floor.phone (value) include (customer_id);
alter table floor.interaction add primary key (id);
create index interaction_customer on floor.interaction (customer_id, arrived_at desc, id desc);
analyze floor.log;
