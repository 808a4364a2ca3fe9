-- name: kinds
select k.name, k.title, h.name as hours, k.quota, k.visits, k.renewal, k.queues, k.categories, k.products, k.age_shift
from contract_kind k left join hours h on h.id = k.hours_id where k.active order by k.id;

-- name: put
insert into contract_kind (name, title, hours_id, quota, visits, renewal, queues, categories, products, age_shift, active)
values ($1, $2, (select id from hours where name = $3), $4, $5, $6, $7, $8, $9, $10, true)
on conflict (name) do update set title = excluded.title, hours_id = excluded.hours_id, quota = excluded.quota,
    visits = excluded.visits, renewal = excluded.renewal, queues = excluded.queues, categories = excluded.categories,
    products = excluded.products, age_shift = excluded.age_shift, active = true;

-- name: retire
-- No new contracts of this kind; those that there are keep what they say, day and night.
update contract_kind set active = false, hours_id = null where name = any ($1::text[]);

-- name: reschedule
-- Visits and reminders may have moved: contracts that are not over are looked at again.
update contract set next_at = $1 where ended_at is null;

-- name: value
select value from organisation;

-- name: put_value
-- Every customer of whom something is known is looked at anew, a batch at a time.
update organisation set value = $1, value_cuts = null,
    value_revision = value_revision + (value is distinct from $1::jsonb)::integer;
