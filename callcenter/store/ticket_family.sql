-- name: rules
select ticket_rules::text from organisation;

-- name: strangers
-- Of some users those who do not work here, and of some customers those who do not exist (any more).
select (select coalesce(array_agg(id), '{}') from unnest($1::bigint[]) as given (id)
        where not exists (select from users u where u.id = given.id and u.active)) as users,
       (select coalesce(array_agg(id), '{}') from unnest($2::bigint[]) as given (id)
        where not exists (select from customer c where c.id = given.id and c.merged_into is null)) as customers;

-- name: heir
-- Whose a reopened ticket is: of its owner $1 and of who looks after its customer $2, the first who is on shift.
select u.id
from (values ($1::bigint, 1), ((select owner_id from customer where id = $2), 2)) as asked (id, place)
join users u on u.id = asked.id join agent a on a.user_id = u.id
where u.active and a.presence not in ('offline', 'out_of_office') order by place limit 1;

-- name: tell
-- A notice to each of some users, but to those who have not seen an earlier one that says the same.
insert into notice (user_id, ticket_id, kind, at)
select u.id, $1, $3, $4 from users u
where u.id = any ($2::bigint[]) and u.active and not exists (
    select from notice n where n.user_id = u.id and n.ticket_id = $1 and n.kind = $3 and n.seen_at is null)
order by u.id returning user_id;

-- name: lock_families
-- Whoever gives a ticket a parent waits here for others who do: a circle could come of several who look at different tickets.
select pg_advisory_xact_lock(11::bigint << 56);

-- name: above
-- A ticket and those above it, the nearest first.
with recursive way as (
    select id, number, parent_id, 1 as depth from ticket where id = $1
    union all select t.id, t.number, t.parent_id, way.depth + 1 from way join ticket t on t.id = way.parent_id where way.depth < 100
)
select id, number from way order by depth;

-- name: depth_below
-- How many levels of children a ticket has.
with recursive way as (
    select id, 0 as depth from ticket where id = $1
    union all select t.id, way.depth + 1 from way join ticket t on t.parent_id = way.id where way.depth < 100
)
select coalesce(max(depth), 0) from way;

-- name: open_below
-- Tickets below this one that are not over, those without open ones below them first.
with recursive way as (
    select id, number, state, 1 as depth from ticket where parent_id = $1
    union all select t.id, t.number, t.state, way.depth + 1 from way join ticket t on t.parent_id = way.id where way.depth < 100
)
select id, number from way where state not in ('resolved', 'closed') order by depth desc, id;

-- name: children
select id from ticket where parent_id = $1 order by id;

-- name: family
-- What belongs to a ticket, by its id: children, parent, tickets that were merged into it or into which it was, those it has to do with.
with kin (id, kin) as (
    select id, 'child' from ticket where parent_id = $1
    union all select parent_id, 'parent' from ticket where id = $1 and parent_id is not null
    union all select id, 'merged' from ticket where merged_into = $1
    union all select merged_into, 'merged_into' from ticket where id = $1 and merged_into is not null
    union all select high_id, case kind when 'split' then 'split_to' else kind end from ticket_relation where low_id = $1
    union all select low_id, case kind when 'split' then 'split_from' else kind end from ticket_relation where high_id = $1
)
select kin.kin, t.id, t.number, t.subject, t.state, t.owner_id
from kin join ticket t on t.id = kin.id order by kin.kin, t.id limit 500;

-- name: interactions
select id from interaction where ticket_id = $1 order by id;

-- name: move_messages
-- Everything that was written in ticket $1 stands in ticket $2.
update message set ticket_id = $2 where ticket_id = $1 returning id;

-- name: move_tasks
-- What is still to be done in ticket $1 is to be done in ticket $2; how many each time tells the log.
update task set ticket_id = $2, version = version + 1, updated_at = $3
where ticket_id = $1 and state in ('waiting', 'open') returning id;

-- name: move_notices
-- What nobody has seen yet leads to where the case goes on; a call that waits says its number.
with moved as (update notice set ticket_id = $2 where ticket_id = $1 and seen_at is null returning id)
update phone_notice c set number = $3 from moved where c.notice_id = moved.id and c.state = 'waiting';

-- name: move_surveys
-- The bad scores that a ticket was opened for.
update survey set ticket_id = $2 where ticket_id = $1;

-- name: move_message
-- No row when the message is not one of ticket $1.
update message set ticket_id = $3 where id = $2 and ticket_id = $1 returning id;

-- name: relate
-- Nothing when they are related already.
insert into ticket_relation (low_id, high_id, kind, created_by, created_at)
values (least($1::bigint, $2::bigint), greatest($1, $2), $3, $4, $5) on conflict do nothing returning low_id;

-- name: unrelate
delete from ticket_relation where low_id = least($1::bigint, $2::bigint) and high_id = greatest($1, $2) and kind = 'related'
returning low_id;

-- name: remember
-- A change of what no column of the ticket holds.
insert into ticket_history (ticket_id, version, field, before, after, actor_id, at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (ticket_id, version, field) do update set after = excluded.after;

-- name: history
-- What was changed of a ticket below a version, the latest first, each version as a whole; kind and rule are those of the log,
-- while it has them.
with past as (
    select * from ticket_history where ticket_id = $1 and version < $2
    order by version desc fetch first $3 rows with ties
), told as (
    select distinct on (version) version, kind, coalesce(data ->> 'rule', 'policy:' || (data ->> 'policy')) as rule
    from contact_log
    where ticket_id = $1 and kind like 'ticket.%' and version in (select version from past) order by version, seq
)
select past.version, field, before, after, actor_id, at, kind, rule
from past left join told on told.version = past.version order by past.version desc, field;

-- name: number_of
select number from ticket where id = $1;

-- name: with_number
-- The ticket of a number, or the one in which its case goes on.
with recursive way as (
    select id, merged_into from ticket where number = $1
    union all select t.id, t.merged_into from way join ticket t on t.id = way.merged_into
)
select id from way where merged_into is null;
