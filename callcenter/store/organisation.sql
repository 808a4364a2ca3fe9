-- name: lock
-- One application of a file at a time.
select pg_advisory_xact_lock((6::bigint << 56));

-- name: general
select name, region, timezone, languages, capacity, interrupted_by, default_handling, idle_order from organisation;

-- name: set_general
update organisation set name = $1, region = $2, timezone = $3, languages = $4, capacity = $5, interrupted_by = $6,
    default_handling = $7, idle_order = $8;

-- name: users
select u.name, u.full_name, u.role, u.endpoint, m.name as manager, u.language, u.skills, u.capacity, u.demo, u.active,
       u.email, u.phone, u.notify, u.signature, h.name as hours
from users u left join users m on m.id = u.manager_id left join hours h on h.id = u.hours_id order by u.id;

-- name: file_passwords
select name, password_hash, file_password_hash from users where name = any ($1::text[]);

-- name: hours
select name, timezone, weekly, holidays, closed, open from hours order by id;

-- name: queues
select q.name, q.is_default, h.name as hours, q.needs, q.steps, q.strategy, q.service_level_target, q.service_level_within,
       q.ring_timeout, q.wrap_up_mode, q.wrap_up_limit, q.dispositions, q.tiers, q.overflow, q.greeting, q.closed_announcement,
       q.announce, q.survey, q.signature, q.active, q.language, q.default_language, q.prefer, q.prefer_for, q.prefer_within,
       q.offers_tickets, q.offers_tasks, q.proficiency_weight,
       coalesce((select array_agg(number order by number) from queue_number where queue_id = q.id), '{}') as numbers,
       m.agents, m.delays, m.shifts
from queue q left join hours h on h.id = q.hours_id
left join lateral (
    select coalesce(array_agg(u.name order by u.name), '{}') as agents,
           coalesce(array_agg(delay order by u.name), '{}') as delays,
           coalesce(array_agg(age_shift order by u.name), '{}') as shifts
    from queue_member join users u on u.id = user_id where queue_id = q.id
) m on true
order by q.id;

-- name: policies
select p.name, p.conditions, h.name as hours, p.targets, p.escalations, p.pauses
from sla_policy p left join hours h on h.id = p.hours_id order by p.place;

-- name: free_endpoints
-- Two users may swap theirs.
update users set endpoint = null where name = any ($1::text[]);

-- name: put_user
-- Without the manager, who may come later in the file. A null language or password leaves what there is.
insert into users (name, full_name, role, endpoint, language, skills, capacity, demo, password_hash, file_password_hash, active)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, true)
on conflict (name) do update set
    full_name = excluded.full_name, role = excluded.role, endpoint = excluded.endpoint,
    language = coalesce(excluded.language, users.language), skills = excluded.skills, capacity = excluded.capacity,
    demo = excluded.demo, password_hash = coalesce(excluded.password_hash, users.password_hash),
    file_password_hash = coalesce(excluded.file_password_hash, users.file_password_hash), active = true
returning id;

-- name: put_agent
insert into agent (user_id, presence_at, routing_at) values ($1, $2, $2) on conflict do nothing;

-- name: set_manager
update users set manager_id = (select id from users where name = $2) where name = $1;

-- name: set_reach
update users set email = $2, phone = $3, notify = $4, hours_id = (select id from hours where name = $5) where name = $1;

-- name: webhooks
select name, url, events, secret from webhook where active order by id;

-- name: begin_reading
-- Nobody reads the log for webhooks while none subscribes to anything: the first that does begins here, not with the past.
update log_reader set epoch = o.log_epoch, xid = pg_snapshot_xmin(pg_current_snapshot()), seq = 0
from organisation o
where log_reader.name = 'webhooks' and not exists (select from webhook where active and events <> '{}');

-- name: put_webhook
-- A null secret leaves what there is.
insert into webhook (name, url, events, secret) values ($1, $2, $3, $4)
on conflict (name) do update set url = excluded.url, events = excluded.events,
    secret = coalesce(excluded.secret, webhook.secret), active = true,
    since = case when webhook.active and webhook.events <> '{}' then webhook.since else now() end;

-- name: retire_webhooks
-- What is still on its way there goes nowhere; it stays to be seen.
update webhook set active = false where name = any ($1::text[]);

-- name: put_hours
insert into hours (name, timezone, weekly, holidays, closed, open) values ($1, $2, $3, $4, $5, $6)
on conflict (name) do update set timezone = excluded.timezone, weekly = excluded.weekly, holidays = excluded.holidays,
    closed = excluded.closed, open = excluded.open;

-- name: free_numbers
-- Numbers and the default may move from queue to queue.
delete from queue_number where queue_id in (select id from queue where name = any ($1::text[]));

-- name: free_default
update queue set is_default = false where name = any ($1::text[]);

-- name: put_queue
insert into queue (name, is_default, hours_id, needs, steps, strategy, service_level_target, service_level_within,
    ring_timeout, wrap_up_mode, wrap_up_limit, dispositions, tiers, greeting, closed_announcement, language, default_language,
    prefer, prefer_for, prefer_within, overflow, announce, survey, offers_tickets, offers_tasks, proficiency_weight,
    active)
values ($1, $2, (select id from hours where name = $3), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23, $24, $25, $26, true)
on conflict (name) do update set
    is_default = excluded.is_default, hours_id = excluded.hours_id, needs = excluded.needs, steps = excluded.steps,
    strategy = excluded.strategy, service_level_target = excluded.service_level_target,
    service_level_within = excluded.service_level_within, ring_timeout = excluded.ring_timeout,
    wrap_up_mode = excluded.wrap_up_mode, wrap_up_limit = excluded.wrap_up_limit, dispositions = excluded.dispositions,
    tiers = excluded.tiers, greeting = excluded.greeting, closed_announcement = excluded.closed_announcement,
    language = excluded.language, default_language = excluded.default_language, prefer = excluded.prefer,
    prefer_for = excluded.prefer_for, prefer_within = excluded.prefer_within, overflow = excluded.overflow,
    announce = excluded.announce, survey = excluded.survey,
    offers_tickets = excluded.offers_tickets, offers_tasks = excluded.offers_tasks,
    proficiency_weight = excluded.proficiency_weight, active = true
returning id;

-- name: put_number
insert into queue_number (number, queue_id) values ($2, $1);

-- name: drop_members
delete from queue_member where queue_id = $1;

-- name: put_member
insert into queue_member (queue_id, user_id, delay, age_shift) values ($1, (select id from users where name = $2), $3, $4);

-- name: drop_policies
delete from sla_policy where name = any ($1::text[]);

-- name: put_policy
insert into sla_policy (name, place, conditions, hours_id, targets, escalations, pauses)
values ($1, $2, $3, (select id from hours where name = $4), $5, $6, $7)
on conflict (name) do update set place = excluded.place, conditions = excluded.conditions, hours_id = excluded.hours_id,
    targets = excluded.targets, escalations = excluded.escalations, pauses = excluded.pauses;

-- name: revise_promises
-- Every open ticket is worked out anew, a batch at a time, by whoever sweeps.
update organisation set sla_revision = sla_revision + 1;

-- name: revise
update organisation set revision = revision + 1;

-- name: retire_users
-- Whoever leaves keeps the past; sessions, tokens, phone and queues are gone.
with gone as (
    update users set active = false, endpoint = null, email = null, phone = null, notify = '{}' where name = any ($1::text[]) returning id
), sessions as (
    delete from session where user_id in (select id from gone)
), tokens as (
    delete from token where user_id in (select id from gone)
)
delete from queue_member where user_id in (select id from gone);

-- name: retire_queues
with gone as (
    update queue set active = false, is_default = false, hours_id = null where name = any ($1::text[]) returning id
), members as (
    delete from queue_member where queue_id in (select id from gone)
)
delete from queue_number where queue_id in (select id from gone);

-- name: drop_hours
delete from hours where name = any ($1::text[]);

-- name: ticket_rules
select ticket_rules from organisation;

-- name: set_ticket_rules
update organisation set ticket_rules = $1;

-- name: callbacks
select callbacks from organisation;

-- name: set_callbacks
update organisation set callbacks = $1;
