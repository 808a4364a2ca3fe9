-- name: take_turn
-- One import at a time: the second one finds what the first one brought.
select pg_advisory_xact_lock(hashtext('callcenter.bulk'));

-- name: is_untouched
-- Whether nobody has ever been in contact here.
select not exists (select 1 from customer) and not exists (select 1 from interaction) and not exists (select 1 from ticket);

-- name: make_months
-- Months of the log from a moment in the past up to the next month.
select ensure_log_months($1::timestamptz, $2::integer);

-- name: tell_interactions
-- The log of what was copied in, in the order in which it happened, with the after-images that the verbs would have written;
-- of interactions that arrived since $1.
with offer as materialized (
    select r.*, i.queued_at, i.customer_id, i.ticket_id
    from reservation r join interaction i on i.id = r.interaction_id
    where i.arrived_at >= $1
), lately as materialized (
    select * from interaction where arrived_at >= $1
), told (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version, state, queued_at, data) as (
    select 'interaction.arrived', arrived_at, id, customer_id, null::bigint, queue_id, ticket_id, null::bigint, 1,
           case when queued_at is null then 'new' else 'queued' end, queued_at,
           jsonb_build_object('channel', channel, 'external_id', external_id)
    from lately
    union all
    select 'interaction.queued', queued_at, id, customer_id, null, queue_id, ticket_id, null, 1, 'queued', queued_at, '{}'
    from lately where queued_at is not null
    union all
    select 'interaction.reserved', created_at, interaction_id, customer_id, agent_id, queue_id, ticket_id, null,
           segment * 3 - 1, 'offered', queued_at,
           jsonb_build_object('reservation', id, 'segment', segment,
               'reason', case state when 'completed' then reason else 'longest_idle' end)
    from offer
    union all
    select 'interaction.offered', offered_at, interaction_id, customer_id, agent_id, queue_id, ticket_id, null,
           segment * 3, 'offered', queued_at, jsonb_build_object('reservation', id)
    from offer where offered_at is not null
    union all
    select 'interaction.answered', answered_at, interaction_id, customer_id, agent_id, queue_id, ticket_id, null,
           segment * 3 + 1, 'active', queued_at, jsonb_build_object('reservation', id, 'segment', segment)
    from offer where answered_at is not null
    union all
    select 'reservation.' || state, ended_at, interaction_id, customer_id, agent_id, queue_id, ticket_id, null,
           2, state, queued_at, jsonb_build_object('reservation', id, 'reason', reason)
    from offer where state in ('timed_out', 'rejected', 'failed', 'cancelled')
    union all
    select 'interaction.queued', ended_at, interaction_id, customer_id, null, queue_id, ticket_id, null,
           segment * 3 + 1, 'queued', queued_at, jsonb_build_object('returned', state)
    from offer where state in ('timed_out', 'rejected', 'failed')
    union all
    select 'interaction.ended', ended_at, id, customer_id, agent_id, queue_id, ticket_id, null,
           version - 2, 'wrapping', queued_at, jsonb_build_object('cause', end_cause)
    from lately where outcome = 'handled'
    union all
    select 'interaction.wrapped', closed_at, id, customer_id, agent_id, queue_id, ticket_id, agent_id,
           version - 1, 'wrapping', queued_at, jsonb_build_object('disposition', disposition, 'by', 'agent')
    from lately where outcome = 'handled'
    union all
    select case when outcome in ('abandoned', 'short_abandoned') then 'interaction.abandoned' else 'interaction.closed' end,
           closed_at, id, customer_id, agent_id, queue_id, ticket_id, null, version, 'closed', queued_at,
           jsonb_build_object('outcome', outcome, 'cause', end_cause)
    from lately
)
insert into contact_log (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version, data)
select kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version,
       jsonb_build_object('state', state, 'queued_at', queued_at, 'priority', 0, 'node', null) || data
from told order by at, interaction_id, version;

-- name: tell_tickets
-- The same of tickets opened since $1: opened, resolved, closed.
insert into contact_log (kind, at, customer_id, queue_id, ticket_id, actor_id, version, data)
select e.kind, e.at, t.customer_id, t.queue_id, t.id, e.actor, e.version, jsonb_build_object('state', e.state, 'priority', t.priority)
from ticket t
cross join lateral (
    select 'ticket.opened' as kind, t.created_at as at, t.created_by as actor, 1 as version, 'new' as state
    union all
    select 'ticket.resolved', least(t.updated_at, coalesce(t.closed_at, t.updated_at)), t.owner_id, t.version - 1, 'resolved'
    where t.state in ('resolved', 'closed')
    union all
    select 'ticket.closed', t.closed_at, null, t.version, 'closed'
    where t.state = 'closed'
) e
where t.created_at >= $1
order by e.at, t.id;

-- name: promise_tickets
-- What the clocks of the open ones are worked out from, by the first sweep. Where the first contact was a conversation, it
-- was the first answer; who owns a ticket has owned it from the beginning.
insert into ticket_sla (ticket_id, owned_at, answered_at)
select t.id, case when t.owner_id is not null then t.created_at end, case
    when (select channel in ('phone', 'chat', 'callback', 'visit') from interaction where ticket_id = t.id order by id limit 1)
    then t.created_at
    else (select min(at) from message where ticket_id = t.id and kind = 'outbound' and author_id is not null) end
from ticket t where t.state not in ('resolved', 'closed');

-- name: pause_tickets
insert into sla_pause (ticket_id, began_at, reason) select id, updated_at, state from ticket where state in ('pending', 'on_hold');

-- name: go_on_from
-- The next generated id and ticket number come after those that were copied in.
select setval(pg_get_serial_sequence('customer', 'id'), greatest((select max(id) from customer), 1)),
       setval(pg_get_serial_sequence('interaction', 'id'), greatest((select max(id) from interaction), 1)),
       setval(pg_get_serial_sequence('reservation', 'id'), greatest((select max(id) from reservation), 1)),
       setval(pg_get_serial_sequence('ticket', 'id'), greatest((select max(id) from ticket), 1)),
       setval('ticket_number', greatest((select max(number) from ticket), 1000));
