-- Tickets and tasks that nobody has, as work of their queue: what should be on offer and is not, what is and should not be, and
-- the verb that puts both right.

-- How many minutes longer than it has a ticket of this priority seems to wait.
create or replace function priority_minutes(p_priority text) returns integer
language sql immutable as $$
    select case p_priority when 'low' then -60 when 'high' then 60 when 'urgent' then 240 else 0 end
$$;

-- Tickets and tasks that should be on offer and are not: nobody has them, their queue offers such, nothing of theirs is with
-- somebody or on the way there, and no supervisor took them out since they were changed last.
create or replace function unoffered_tickets() returns table (id bigint, queue_id bigint, minutes integer, customer_id bigint)
language sql stable as $$
    select t.id, t.queue_id, priority_minutes(t.priority), t.customer_id
    from ticket t join queue q on q.id = t.queue_id
    where q.offers_tickets and q.active
      and t.owner_id is null and t.merged_into is null and t.state in ('new', 'open') and t.queue_id is not null
      -- Not by closed_at: while statistics are old the index of all that is open would be read for each ticket.
      and not exists (select from interaction c where c.ticket_id = t.id and c.state <> 'closed')
      and not exists (select from offered_work w join interaction i on i.id = w.interaction_id where w.ticket_id = t.id
                      and (i.closed_at is null or i.end_cause = 'taken_out' and i.closed_at >= t.updated_at))
$$;

create or replace function unoffered_tasks() returns table (id bigint, queue_id bigint, minutes integer, customer_id bigint)
language sql stable as $$
    select k.id, k.queue_id, priority_minutes(t.priority), t.customer_id
    from task k join queue q on q.id = k.queue_id left join ticket t on t.id = k.ticket_id
    where q.offers_tasks and q.active and k.user_id is null and k.state = 'open' and k.queue_id is not null
      and not exists (select from offered_work w join interaction i on i.id = w.interaction_id where w.task_id = k.id
                      and (i.closed_at is null or i.end_cause = 'taken_out' and i.closed_at >= k.updated_at))
$$;

-- What waits or is offered, why it no longer should (null: it should), how many minutes and which customer it should have now, and
-- whether it waits by others.
create or replace function offered_now() returns table (
    interaction_id bigint, ticket_id bigint, task_id bigint, state text, reason text, minutes integer, customer_id bigint,
    outdated boolean)
language sql stable as $$
    select w.interaction_id, w.ticket_id, w.task_id, i.state,
        case when w.ticket_id is not null then case
                when t.merged_into is not null then 'ticket_merged'
                when t.state in ('resolved', 'closed') then 'ticket_over'
                when t.state in ('pending', 'on_hold') then 'ticket_paused'
                when t.owner_id is not null then 'ticket_taken'
                when t.queue_id is distinct from w.queue_id or not q.offers_tickets or not q.active then 'ticket_moved'
                -- The customer has written or called meanwhile: what they said brings the ticket to somebody.
                when exists (select from interaction c where c.ticket_id = t.id and c.state <> 'closed') then 'ticket_in_contact' end
            else case
                when k.state <> 'open' then 'task_over'
                when k.user_id is not null then 'task_taken'
                when k.queue_id is distinct from w.queue_id or not q.offers_tasks or not q.active then 'task_moved' end
            end,
        priority_minutes(about.priority), about.customer_id,
        i.state = 'queued' and (w.minutes, w.customer_id) is distinct from (priority_minutes(about.priority), about.customer_id)
    from interaction i
    join offered_work w on w.interaction_id = i.id
    join queue q on q.id = w.queue_id
    left join ticket t on t.id = w.ticket_id
    left join task k on k.id = w.task_id
    left join ticket about on about.id = coalesce(w.ticket_id, k.ticket_id)
    where i.closed_at is null and i.state in ('queued', 'offered') and i.channel in ('ticket', 'task')
$$;

-- Tickets and tasks, p_limit of each kind at most, that should be on offer and are not, or are and should not be so.
-- Always by the indexes: a plan made while few things were on offer would read all of them for each ticket of many.
create or replace function offers_amiss(p_limit integer, out tickets bigint[], out tasks bigint[])
language plpgsql stable set enable_seqscan = off as $$
begin
    tickets := array(select u.id from unoffered_tickets() u order by u.id limit p_limit) || array(
        select o.ticket_id from offered_now() o where o.ticket_id is not null
            and (o.reason is not null or o.outdated) limit p_limit);
    tasks := array(select u.id from unoffered_tasks() u order by u.id limit p_limit) || array(
        select o.task_id from offered_now() o where o.task_id is not null
            and (o.reason is not null or o.outdated) limit p_limit);
end
$$;

-- Offers these tickets and tasks where they should be on offer, takes back those that should not be, and moves what has another
-- priority now. Any number of servers may do it at once: each ticket and task is looked at again behind its lock, and one that
-- somebody else holds is left to them: they offer it, or tell of a change that brings it here again.
create or replace function reconcile_offers(p_tickets bigint[], p_tasks bigint[], p_now timestamptz)
returns setof contact_log
language plpgsql set enable_seqscan = off as $$
declare
    i interaction;
    v_tickets bigint[];
    v_tasks bigint[];
    v_had integer;
    w record;
begin
    -- What a ticket's tasks wait by is the ticket's.
    p_tasks := p_tasks || array(
        select f.task_id from task k join offered_work f on f.task_id = k.id where k.ticket_id = any (p_tickets));
    -- In the order of all locks, and before anything is written: interactions, agents, tickets, tasks.
    perform lock_interaction(o.interaction_id) from (
        select x.id as interaction_id from offered_work f join interaction x on x.id = f.interaction_id
        where (f.ticket_id = any (p_tickets) or f.task_id = any (p_tasks)) and x.state <> 'closed' order by 1) o;
    perform lock_agent(a.agent_id) from (
        select distinct r.agent_id from offered_work f join reservation r on r.interaction_id = f.interaction_id
        where (f.ticket_id = any (p_tickets) or f.task_id = any (p_tasks)) and r.state = 'pending' order by 1) a;
    v_tickets := array(
        with ordered as materialized (select distinct x from unnest(p_tickets) as x order by 1)
        select x from ordered where pg_try_advisory_xact_lock((3::bigint << 56) | x));
    v_tasks := array(
        with ordered as materialized (select id, ticket_id from task where id = any (p_tasks) order by id)
        select id from ordered where case when ticket_id is not null then pg_try_advisory_xact_lock((3::bigint << 56) | ticket_id)
            else pg_try_advisory_xact_lock((9::bigint << 56) | id) end);
    for w in
        select * from offered_now() o
        where o.ticket_id = any (p_tickets) or o.task_id = any (p_tasks) order by o.interaction_id
    loop
        if w.reason is not null then
            return query select * from leave_unserved(w.interaction_id, 'flow_out', w.reason, null, p_now);
        elsif w.outdated then
            select f.minutes into v_had from offered_work f where f.interaction_id = w.interaction_id;
            update offered_work f set minutes = w.minutes, customer_id = w.customer_id where f.interaction_id = w.interaction_id;
            update interaction set (preferred, preferred_as) = (select agents, what from preferred(queue_id, w.customer_id, p_now))
            where id = w.interaction_id and preferred_as is distinct from 'named';
            if v_had = w.minutes then
                return query select * from revalue_waiting(w.interaction_id, p_now);
                continue;
            end if;
            return query select * from move(w.interaction_id, null, w.minutes, null, p_now, null, '{"reason": "priority"}');
        end if;
    end loop;
    for w in
        select u.id as ticket, null::bigint as task, u.queue_id, u.minutes, u.customer_id from unoffered_tickets() u
        where u.id = any (v_tickets)
        union all
        select null, u.id, u.queue_id, u.minutes, u.customer_id from unoffered_tasks() u where u.id = any (v_tasks)
        order by 1, 2
    loop
        insert into interaction (channel, direction, state, queue_id, priority, arrived_at, queued_at, preferred, preferred_as)
        select case when w.task is null then 'ticket' else 'task' end, 'internal', 'queued', w.queue_id, w.minutes, p_now, p_now,
               agents, what
        from preferred(w.queue_id, w.customer_id, p_now)
        returning * into i;
        insert into offered_work (interaction_id, ticket_id, task_id, queue_id, minutes, customer_id)
        values (i.id, w.ticket, w.task, w.queue_id, w.minutes, w.customer_id);
        return query select * from log_interaction(i, 'interaction.arrived', p_now, null, null,
            jsonb_build_object('external_id', null, i.channel, coalesce(w.ticket, w.task)));
        return query select * from log_interaction(i, 'interaction.queued', p_now, null, null, '{}');
    end loop;
end
$$;
