-- name: kinds
-- Kinds of contracts that may be given to customers.
select id, name, title from contract_kind where active order by id;

-- name: kind
select id from contract_kind where name = $1 and active;

-- name: contract
-- One contract with what its kind says.
select c.id, c.external_id, c.customer_id, k.name as kind, k.title, c.name, (select name from users where id = c.owner_id) as owner,
       c.owner_id, c.note, c.starts_on, c.ends_on, c.starts_at, c.ends_at, c.targets, c.quota, c.queues, c.categories, c.products,
       c.created_at, c.begun_at, c.ended_at, c.cancelled_at, c.next_at, c.version, k.visits as kind_visits,
       k.renewal as kind_renewal
from contract c join contract_kind k on k.id = c.kind_id where c.id = $1;

-- name: list
-- Contracts, the newest first, below id $1; null leaves a condition out. $4: coming, in_force, ended or cancelled at $5;
-- $6: ends before then.
select c.id, c.external_id, c.customer_id, k.name as kind, k.title, c.name, (select name from users where id = c.owner_id) as owner,
       c.owner_id, c.note, c.starts_on, c.ends_on, c.starts_at, c.ends_at, c.targets, c.quota, c.queues, c.categories, c.products,
       c.created_at, c.begun_at, c.ended_at, c.cancelled_at, c.next_at, c.version, k.visits as kind_visits,
       k.renewal as kind_renewal
from contract c join contract_kind k on k.id = c.kind_id
where c.id < $1 and ($2::bigint is null or c.customer_id = $2) and ($3::text is null or k.name = $3)
  and ($4::text is null or $4 = case when c.cancelled_at <= $5::timestamptz then 'cancelled' when c.starts_at > $5 then 'coming'
       when c.ends_at <= $5 then 'ended' else 'in_force' end)
  and ($6::timestamptz is null or c.ends_at < $6)
order by c.id desc limit $7;

-- name: customers
select id, name, company from customer where id = any ($1::bigint[]);

-- name: by_external_ids
select id, external_id from contract where external_id = any ($1::text[]);

-- name: customer_ids
-- Customers by what another system calls them.
select customer_now(id) as id, external_id, id as record from customer where external_id = any ($1::text[]);

-- name: is_customer
select exists (select from customer where id = $1 and merged_into is null);

-- name: add
-- Nothing when the external id is taken.
insert into contract (external_id, customer_id, kind_id, name, owner_id, note, starts_on, ends_on, starts_at, ends_at, targets,
    quota, queues, categories, products, created_at, next_at, record_id)
values ($1, $2, (select id from contract_kind where name = $3), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
on conflict (external_id) do nothing returning id;

-- name: change
update contract set kind_id = (select id from contract_kind where name = $2), name = $3, owner_id = $4, note = $5, starts_on = $6,
    ends_on = $7, starts_at = $8, ends_at = $9, targets = $10, quota = $11, queues = $12, categories = $13, products = $14,
    begun_at = $15, ended_at = $16, cancelled_at = $17, next_at = $18, version = version + 1
where id = $1 returning version;

-- name: lock
-- A contract is locked before its customer is looked at, after tickets and customers that are held already.
select pg_advisory_xact_lock((8::bigint << 56) | $1::bigint);

-- name: due
-- Contracts for which something is to be done by itself, each locked for this transaction alone.
with due as materialized (select id from contract where next_at <= $1 order by next_at limit $2)
select id from due where pg_try_advisory_xact_lock((8::bigint << 56) | id);

-- name: next
select min(next_at) as next_at from contract where next_at is not null;

-- name: progress
-- What was done for a contract by itself; nothing that an administrator sees of it changes.
update contract set begun_at = $2, ended_at = $3, next_at = $4 where id = $1;

-- name: done
-- The day of the last visit that was planned, and whether somebody was reminded of the end on day $2.
select (select max(day) from contract_duty where contract_id = $1 and what = 'visit') as planned_to,
       exists (select from contract_duty where contract_id = $1 and what = 'renewal' and day = $2) as reminded;

-- name: add_duty
-- Nothing when it was done before.
insert into contract_duty (contract_id, what, day, done_at, late) values ($1, $2, $3, $4, $5) on conflict do nothing returning day;

-- name: set_duty_ticket
update contract_duty set ticket_id = $4 where contract_id = $1 and what = $2 and day = $3;

-- name: duties
-- The latest first.
select what, day, ticket_id as ticket, done_at, late from contract_duty where contract_id = $1 order by day desc, what limit 100;

-- name: told_of_renewal
-- Whom the end of a contract concerns: its owner, else who looks after the customer, else all supervisors.
select coalesce(
    (select array[id] from users where id = $1 and active),
    (select array[u.id] from customer c join users u on u.id = c.owner_id where c.id = $2 and u.active),
    (select array_agg(id order by id) from users where active and role = 'supervisor'), '{}') as users;

-- name: cards
-- A customer's contracts as JSON, with what is used of their quotas.
select contract_cards($1, $2)::text;

-- name: ask_review
select ask_review($1::bigint[]);

-- name: note_reviews
-- What began before this moment may know the old tier: a review waits until it has ended.
update promise_review set horizon = pg_snapshot_xmax(pg_current_snapshot())
where id in (select id from promise_review where horizon is null order by id limit $1 for update skip locked);

-- name: asks_review
select exists (select from promise_review);

-- name: reviews_due
-- Asked once: what is due a moment later was not looked at by `revalued`, and waits for the next turn.
select id from promise_review where horizon <= pg_snapshot_xmin(pg_current_snapshot()) order by id limit $1;

-- name: review
select review_promises($1, $2);

-- name: revalued
-- Work in queues of the customers of these reviews: their tier, language or contracts may be others.
select i.id from interaction i
where i.closed_at is null and i.state = 'queued'
  and i.customer_id in (select customer_id from promise_review where id = any ($1::bigint[]) and after_ticket = 0)
union
select i.id from offered_work w join interaction i on i.id = w.interaction_id
where i.closed_at is null and i.state = 'queued'
  and w.customer_id in (select customer_id from promise_review where id = any ($1::bigint[]) and after_ticket = 0);


-- name: entitlements
-- What these contracts give in the end, their own terms or their kind's; with what is used of the quota of the period of $2 (of
-- the last one, of what has ended).
select c.id, coalesce(c.queues, k.queues) as queues, coalesce(c.categories, k.categories) as categories,
       coalesce(c.products, k.products) as products, (select name from hours where id = k.hours_id) as hours, q.quota,
       contract_used(c.id, case when q.quota ? 'cases' then 'cases' else 'minutes' end, p.begins_on, p.next_on, o.timezone) as used,
       p.begins_on, p.next_on
from contract c
join contract_kind k on k.id = c.kind_id
cross join organisation o
cross join lateral (select coalesce(c.quota, k.quota) as quota) q
left join lateral contract_period(c.starts_on, q.quota ->> 'per',
    least(($2::timestamptz at time zone o.timezone)::date, coalesce(c.ends_on, 'infinity'))) p on q.quota is not null
where c.id = any ($1::bigint[]);

-- name: add_notice
insert into notice (user_id, ticket_id, clock, due_at, at) values ($1, $2, $3, $4, $5);
