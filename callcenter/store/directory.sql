-- name: organisation
select name, region, timezone, languages, default_handling, ticket_rules, callbacks from organisation;

-- name: users
select u.id, u.name, u.full_name, u.role, u.language, u.manager_id, u.endpoint, u.skills, u.capacity, u.demo, u.active, u.email,
       u.phone, u.notify, h.name as hours_name, h.timezone as hours_timezone, h.weekly, h.holidays, h.closed, h.open
from users u left join hours h on h.id = u.hours_id order by u.id;

-- name: queues
-- Queues with their numbers, members and opening hours.
select q.id, q.name, q.is_default, q.ring_timeout, q.service_level_target, q.service_level_within, q.wrap_up_mode,
       q.wrap_up_limit, q.dispositions, q.tiers, q.greeting, q.closed_announcement, q.announce, q.survey, q.strategy, q.needs,
       q.steps, q.active, q.language, q.default_language, q.prefer, q.prefer_for, q.offers_tickets, q.offers_tasks,
       coalesce((select array_agg(number order by number) from queue_number where queue_id = q.id), '{}') as numbers,
       coalesce((select array_agg(user_id order by user_id) from queue_member where queue_id = q.id), '{}') as members,
       h.name as hours_name, h.timezone as hours_timezone, h.weekly, h.holidays, h.closed, h.open
from queue q left join hours h on h.id = q.hours_id order by q.id;

-- name: lacks_phone
-- Whether this is a call, and the agent has nothing that could ring.
select i.channel = 'phone' and u.endpoint is null from interaction i, users u where i.id = $1 and u.id = $2;
