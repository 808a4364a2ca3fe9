-- What callers who wait are told by phone, as the organisation file says it; null: nothing.
alter table queue add column announce jsonb;
