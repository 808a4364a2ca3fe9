-- How much older waiting work of customers with such a contract looks to the router; null: no older.
alter table contract_kind add column age_shift interval;

-- It takes another argument now.
drop function if exists review_promises(integer);
