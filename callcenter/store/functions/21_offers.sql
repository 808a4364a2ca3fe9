-- The verbs of interactions, continued: from the reservation to the answer, or back into the queue.

-- An agent who has no other offer and room for this one gets it: interaction queued → offered, agent offered, reservation
-- pending in the lowest free slot. p_queue: only while it waits there (null: wherever it does). p_revision: only while that
-- organisation is in force, by which it was decided who is a member and has the skills (null: whatever is in force; a person
-- chose). One that is applied at the same moment comes after this reservation. p_actor: who chose.
create or replace function reserve(
    p_interaction bigint, p_queue bigint, p_agent bigint, p_agent_version integer, p_reason text, p_decision jsonb,
    p_due timestamptz, p_now timestamptz, p_revision integer default null, p_actor bigint default null)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    r bigint;
    v_slot integer := 0;
begin
    perform lock_interaction(p_interaction), lock_agent(p_agent);
    -- Mostly the agent has nothing in hand, and one statement is enough.
    update interaction x set state = 'offered', agent_id = p_agent, segments = segments + 1, version = version + 1
    where id = p_interaction and state = 'queued' and (p_queue is null or queue_id = p_queue)
      and exists (
          select from agent a, users u, organisation o
          where a.user_id = p_agent and a.presence = 'on_queue' and a.routing_status = 'idle' and a.load = '{}'
            and (p_agent_version is null or a.version = p_agent_version)
            and (p_revision is null or o.revision = p_revision)
            and u.id = p_agent and coalesce(u.capacity ->> x.channel, o.capacity ->> x.channel, '0')::integer > 0)
    returning * into i;
    if not found then
        select free_slot(a, x.channel) into v_slot
        from interaction x, agent a
        where x.id = p_interaction and x.state = 'queued' and (p_queue is null or x.queue_id = p_queue)
          and a.user_id = p_agent and a.presence = 'on_queue'
          and a.routing_status in ('interacting', 'wrap_up') and a.next_presence is null
          and (p_agent_version is null or a.version = p_agent_version)
          and (p_revision is null or exists (select from organisation where revision = p_revision));
        if v_slot is null then
            return;
        end if;
        update interaction set state = 'offered', agent_id = p_agent, segments = segments + 1, version = version + 1
        where id = p_interaction returning * into i;
    end if;
    if i.channel <> 'phone' then
        -- A phone's ring begins later, with a limit of its own; a card is on the screen from now on.
        p_due := p_now + coalesce((select ring_timeout from queue where id = i.queue_id), p_due - p_now);
    end if;
    insert into reservation (interaction_id, agent_id, queue_id, segment, channel, slot, reason, created_at, due_at, decision)
    values (p_interaction, p_agent, i.queue_id, i.segments, i.channel, v_slot, p_reason, p_now, p_due, p_decision)
    returning id into r;
    return query select * from log_interaction(i, 'interaction.reserved', p_now, p_agent, p_actor, jsonb_build_object(
        'reservation', r, 'reason', p_reason, 'segment', i.segments, 'due_at', p_due));
    return query select * from settle_agent(
        p_agent, i.channel, 1, 0, true, null, 'agent.status', null, p_interaction, p_now);
end
$$;

-- Several at once, for a burst: one round trip and one commit. Each stands or falls by itself.
create or replace function reserve_all(
    p_interactions bigint[], p_queues bigint[], p_agents bigint[], p_agent_versions integer[], p_reasons text[], p_decisions jsonb,
    p_due timestamptz, p_now timestamptz, p_revision integer default null)
returns setof contact_log
language plpgsql as $$
begin
    -- All of the one kind before any of the other, each kind in order: two bursts at once wait for each other in line.
    perform lock_interaction(id) from (select unnest(p_interactions) as id order by 1) ordered;
    perform lock_agent(id) from (select unnest(p_agents) as id order by 1) ordered;
    for n in 1..cardinality(p_interactions) loop
        return query select * from reserve(
            p_interactions[n], p_queues[n], p_agents[n], p_agent_versions[n], p_reasons[n], p_decisions -> (n - 1), p_due, p_now,
            p_revision);
    end loop;
end
$$;

-- The dial, or the card, has gone out.
create or replace function offer(p_reservation bigint, p_due timestamptz, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
begin
    select * into r from reservation where id = p_reservation;
    perform lock_interaction(r.interaction_id);
    update reservation set offered_at = p_now, due_at = p_due, version = version + 1
    where id = p_reservation and state = 'pending' and offered_at is null returning * into r;
    if not found then
        return;
    end if;
    update interaction set version = version + 1 where id = r.interaction_id returning * into i;
    insert into segment (interaction_id, n, agent_id, reservation_id, started_at, endpoint)
    select r.interaction_id, r.segment, r.agent_id, r.id, p_now, endpoint from users where id = r.agent_id;
    return query select * from log_interaction(i, 'interaction.offered', p_now, r.agent_id, null, jsonb_build_object(
        'reservation', r.id, 'due_at', p_due));
end
$$;

-- The card of written work stands on its agent's desk. What is dialled is told by `offer`, when the dial goes out.
create or replace function show_offer(p_reservation bigint, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
begin
    select * into r from reservation where id = p_reservation;
    perform lock_interaction(r.interaction_id);
    update reservation set offered_at = p_now, version = version + 1
    where id = p_reservation and state = 'pending' and offered_at is null and channel not in ('phone', 'callback')
    returning * into r;
    if not found then
        return;
    end if;
    update interaction set version = version + 1 where id = r.interaction_id returning * into i;
    return query select * from log_interaction(i, 'interaction.offered', p_now, r.agent_id, null, jsonb_build_object(
        'reservation', r.id, 'due_at', r.due_at));
end
$$;

-- The agent took it: reservation accepted, interaction active, agent interacting. What it interrupts is held.
create or replace function answer(p_reservation bigint, p_leg text, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
    v_locked bigint[];
begin
    select * into r from reservation where id = p_reservation;
    if not found then
        return;
    end if;
    v_locked := lock_hand(r.interaction_id, r.agent_id);
    update reservation set state = 'accepted', answered_at = p_now, due_at = null, version = version + 1
    where id = p_reservation and state = 'pending' returning * into r;
    if not found then
        return;
    end if;
    update interaction set state = 'active', answered_at = coalesce(answered_at, p_now), version = version + 1
    where id = r.interaction_id returning * into i;
    insert into segment (interaction_id, n, agent_id, reservation_id, leg, started_at, answered_at)
    values (r.interaction_id, r.segment, r.agent_id, r.id, p_leg, p_now, p_now)
    on conflict (interaction_id, n) do update set answered_at = excluded.answered_at, leg = excluded.leg;
    return query select * from log_interaction(i, 'interaction.answered', p_now, r.agent_id, null, jsonb_build_object(
        'reservation', r.id, 'segment', r.segment));
    if cardinality(v_locked) > 1 then
        return query select * from interrupt(r, v_locked, p_now);
    end if;
    update agent set failures = 0, not_before = null
    where user_id = r.agent_id and (failures > 0 or not_before is not null);
    return query select * from settle_agent(
        r.agent_id, r.channel, 0, 1, false, null, 'agent.status', null, r.interaction_id, p_now);
end
$$;

-- Ends a pending reservation of a locked interaction and agent; for the verbs below. p_missed: the agent is not responding.
create or replace function end_reservation(
    r reservation, p_state text, p_reason text, p_missed boolean, p_not_before timestamptz, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
begin
    update reservation set state = p_state, reason = p_reason, ended_at = p_now, due_at = null, version = version + 1
    where id = r.id;
    update segment set ended_at = p_now, cause = p_reason where interaction_id = r.interaction_id and n = r.segment;
    return query
        insert into contact_log (kind, at, interaction_id, agent_id, version, data)
        values ('reservation.' || p_state, p_now, r.interaction_id, r.agent_id, r.version + 1,
                jsonb_build_object('reservation', r.id, 'reason', p_reason))
        returning *;
    update agent set
        routing_status = case when p_missed then 'not_responding' else routing_status end,
        routing_at = case when p_missed then p_now else routing_at end,
        not_before = p_not_before, failures = case when p_not_before is null then failures else failures + 1 end
    where user_id = r.agent_id;
    return query select * from settle_agent(
        r.agent_id, r.channel, -1, 0, false, null, 'agent.status', null, r.interaction_id, p_now);
end
$$;

-- The offer came to nothing: the interaction goes back with its original time.
-- p_backoff: seconds for a first failure, doubled with each one in a row up to a minute; null: none.
create or replace function return_to_queue(
    p_reservation bigint, p_state text, p_reason text, p_missed boolean, p_backoff interval, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
    v_not_before timestamptz;
begin
    select * into r from reservation where id = p_reservation;
    if not found then
        return;
    end if;
    perform lock_interaction(r.interaction_id), lock_agent(r.agent_id);
    select * into r from reservation where id = p_reservation and state = 'pending';
    if not found then
        return;
    end if;
    if p_backoff is not null then
        select p_now + least(p_backoff * power(2, least(failures, 10)), interval '1 minute') into v_not_before
        from agent where user_id = r.agent_id;
    end if;
    return query select * from end_reservation(r, p_state, p_reason, p_missed, v_not_before, p_now);
    -- What came to the agent without a queue (give_to_agent) waits in none.
    update interaction set state = case when queued_at is null then 'new' else 'queued' end, agent_id = null,
        version = version + 1
    where id = r.interaction_id and state = 'offered' returning * into i;
    if found then
        return query select * from log_interaction(i, case i.state when 'queued' then 'interaction.queued' else
            'interaction.returned' end, p_now, null, null, jsonb_build_object('returned', p_state));
    end if;
end
$$;

-- The customer left before any agent connected, or nobody could be asked: outcome abandoned, short_abandoned,
-- flow_out, missed, failed or unknown. p_node: only while that node holds the call.
create or replace function leave_unserved(
    p_interaction bigint, p_outcome text, p_cause text, p_node bigint, p_now timestamptz,
    p_actor bigint default null)
returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
    v_agent bigint;
begin
    perform lock_interaction(p_interaction);
    select agent_id into v_agent from reservation where interaction_id = p_interaction and state = 'pending';
    if found then
        perform lock_agent(v_agent);
    end if;
    -- Who was answered and then handed to a colleague who did not take it has not abandoned anything.
    update interaction set state = 'closed', outcome = case when answered_at is null then p_outcome else 'handled' end,
        ended_at = p_now, closed_at = p_now, end_cause = p_cause, version = version + 1
    where id = p_interaction and state in ('new', 'queued', 'offered') and (p_node is null or node_id = p_node)
    returning * into i;
    if not found then
        return;
    end if;
    p_outcome := i.outcome;
    select * into r from reservation where interaction_id = p_interaction and state = 'pending';
    if found then
        return query select * from end_reservation(r, 'cancelled', p_outcome, false, null, p_now);
    end if;
    if p_outcome in ('abandoned', 'short_abandoned') then
        return query select * from log_interaction(i, 'interaction.abandoned', p_now, v_agent, p_actor, jsonb_build_object(
            'outcome', p_outcome, 'cause', p_cause));
    end if;
    return query select * from log_interaction(i, 'interaction.closed', p_now, v_agent, p_actor, jsonb_build_object(
        'outcome', p_outcome, 'cause', p_cause));
end
$$;

-- Waiting work goes into another queue, or forward or back in line (null: as it is); its time stays, and the rules of that
-- queue count from now. The queue that it leaves counts it as flow-out. p_from: only while it waits there, so that two leaders
-- move it once. p_why: more for the log.
create or replace function move(
    p_interaction bigint, p_queue bigint, p_priority integer, p_actor bigint, p_now timestamptz, p_from bigint, p_why jsonb)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    v_from bigint;
    v_entered_at timestamptz;
begin
    perform lock_interaction(p_interaction);
    select queue_id, coalesce(entered_at, queued_at) into v_from, v_entered_at from interaction where id = p_interaction;
    update interaction set queue_id = coalesce(p_queue, queue_id), priority = coalesce(p_priority, priority),
        entered_at = case when p_queue <> queue_id then p_now else entered_at end, version = version + 1
    where id = p_interaction and state = 'queued' and (p_from is null or queue_id = p_from) returning * into i;
    if found and i.queue_id <> v_from then
        insert into flow_out (queue_id, interaction_id, entered_at, left_at) values (v_from, i.id, v_entered_at, p_now);
    end if;
    if i.id is not null and i.queue_id is distinct from v_from and i.preferred_as is distinct from 'named' then
        update interaction set (preferred, preferred_as) = (
            select agents, what from preferred(p_queue, work_customer(id, customer_id, channel), p_now))
        where id = p_interaction returning * into i;
    end if;
    if i.id is not null then
        return query select * from log_interaction(
            i, 'interaction.moved', p_now, null, p_actor, p_why || jsonb_build_object('from', v_from));
    end if;
end
$$;

-- A supervisor takes waiting work out of its queue; p_reason becomes its note.
create or replace function take_out(p_interaction bigint, p_reason text, p_actor bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
begin
    perform lock_interaction(p_interaction);
    if not exists (select from interaction where id = p_interaction and state in ('queued', 'offered')) then
        return;
    end if;
    -- It locks the agent who has the offer; nothing may be written before.
    return query select * from leave_unserved(p_interaction, 'flow_out', 'taken_out', null, p_now, p_actor);
    update interaction set note = coalesce(p_reason, note) where id = p_interaction;
end
$$;
