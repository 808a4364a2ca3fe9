-- The verbs of interactions, continued: what happens in a conversation, its end and its wrap-up.

-- An agent's conversation is over and wrap-up begins; the time box is the queue's. For the two verbs below.
create or replace function begin_wrap_up(r reservation, p_queue bigint, p_now timestamptz) returns setof contact_log
language plpgsql as $$
begin
    update reservation set released_at = p_now, version = version + 1,
        due_at = p_now + (select wrap_up_limit from queue where id = p_queue and wrap_up_mode <> 'discretionary')
    where id = r.id;
    return query select * from settle_agent(
        r.agent_id, r.channel, 0, -1, null, null, 'agent.status', null, r.interaction_id, p_now);
end
$$;

create or replace function end_segments(p_interaction bigint, p_reservation bigint, p_cause text, p_now timestamptz)
returns void
language sql as $$
    update segment set ended_at = p_now, cause = p_cause, held_at = null, hold_reason = null,
        hold = hold + coalesce(p_now - held_at, interval '0')
    where interaction_id = p_interaction and ended_at is null
      and (p_reservation is null or reservation_id = p_reservation)
$$;

-- The customer is gone after a conversation: all legs end, agents wrap up, the interaction waits for the last of them.
create or replace function end_interaction(
    p_interaction bigint, p_cause text, p_outcome text, p_node bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
    v_open boolean := false;
begin
    perform lock_interaction(p_interaction);
    perform lock_agent(agent_id) from (
        select agent_id from reservation where interaction_id = p_interaction and state in ('pending', 'accepted')
        order by agent_id) live;
    update interaction set state = 'wrapping', ended_at = p_now, end_cause = p_cause, outcome = p_outcome,
        version = version + 1
    where id = p_interaction and state = 'active' and (p_node is null or node_id = p_node)
    returning * into i;
    if not found then
        return;
    end if;
    perform end_segments(p_interaction, null, p_cause, p_now);
    return query select * from log_interaction(i, 'interaction.ended', p_now, i.agent_id, null, jsonb_build_object(
        'cause', p_cause));
    for r in select * from reservation where interaction_id = p_interaction and state = 'accepted' loop
        v_open := true;
        if r.released_at is null then
            return query select * from begin_wrap_up(r, i.queue_id, p_now);
        end if;
    end loop;
    if not v_open then
        update interaction set state = 'closed', closed_at = p_now, version = version + 1
        where id = p_interaction returning * into i;
        return query select * from log_interaction(i, 'interaction.closed', p_now, i.agent_id, null, jsonb_build_object(
            'outcome', i.outcome));
    end if;
end
$$;

-- One agent left a conversation that goes on without them (a transfer).
create or replace function release(p_reservation bigint, p_cause text, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
begin
    select * into r from reservation where id = p_reservation;
    if not found then
        return;
    end if;
    perform lock_interaction(r.interaction_id), lock_agent(r.agent_id);
    select * into r from reservation where id = p_reservation and state = 'accepted' and released_at is null;
    if not found then
        return;
    end if;
    update interaction set version = version + 1 where id = r.interaction_id returning * into i;
    perform end_segments(r.interaction_id, r.id, p_cause, p_now);
    return query select * from log_interaction(i, 'interaction.left', p_now, r.agent_id, null, jsonb_build_object(
        'reservation', r.id, 'cause', p_cause));
    return query select * from begin_wrap_up(r, i.queue_id, p_now);
end
$$;

-- A new leg took the customer over. A known agent who has room for it, or still wraps this up, gets the interaction as
-- their own, with its pop and wrap-up. Nothing when this leg has the customer already.
create or replace function transfer(
    p_interaction bigint, p_agent bigint, p_endpoint text, p_leg text, p_kind text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    a agent;
    r reservation;
    v_locked bigint[];
    v_slot integer;
begin
    if p_agent is null then
        perform lock_interaction(p_interaction);
    else
        v_locked := lock_hand(p_interaction, p_agent);
    end if;
    update interaction set segments = segments + 1, agent_id = p_agent, version = version + 1
    where id = p_interaction and state = 'active'
      and not exists (select 1 from segment where interaction_id = p_interaction and leg = p_leg and ended_at is null)
    returning * into i;
    if not found then
        return;
    end if;
    -- Whoever had it before and still wraps it up goes on with it.
    update reservation set segment = i.segments, released_at = null, due_at = null, version = version + 1
    where interaction_id = p_interaction and agent_id = p_agent and state = 'accepted' and released_at is not null
    returning * into r;
    select * into a from agent where user_id = p_agent;
    if r.id is null and a.routing_status <> 'private_call' then
        v_slot := free_slot(a, i.channel);
    end if;
    if v_slot is not null then
        -- No queue asked them, so that it is nobody's turn: queue_id stays empty.
        insert into reservation (interaction_id, agent_id, segment, channel, slot, state, reason, created_at, answered_at)
        values (p_interaction, p_agent, i.segments, i.channel, v_slot, 'accepted', 'transfer', p_now, p_now)
        returning * into r;
    end if;
    insert into segment (interaction_id, n, agent_id, reservation_id, kind, leg, endpoint, started_at, answered_at)
    values (p_interaction, i.segments, p_agent, r.id, 'transfer', p_leg, p_endpoint, p_now, p_now);
    return query select * from log_interaction(i, 'interaction.transferred', p_now, p_agent, null, jsonb_build_object(
        'segment', i.segments, 'kind', p_kind, 'reservation', r.id));
    if r.id is not null then
        return query select * from interrupt(r, v_locked, p_now);
        return query select * from settle_agent(
            p_agent, i.channel, (v_slot is not null)::integer, 1, null, null, 'agent.status', null, p_interaction, p_now);
    end if;
end
$$;

-- Hold begins (p_held) or ends on the running segment of an agent.
create or replace function hold(p_interaction bigint, p_held boolean, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update segment set
        hold = case when p_held then hold else hold + (p_now - held_at) end,
        held_at = case when p_held then p_now end, hold_reason = null
    where interaction_id = p_interaction and ended_at is null and answered_at is not null
      and (held_at is null) = p_held
      and exists (select 1 from interaction where id = p_interaction and state = 'active');
    if not found then
        return;
    end if;
    update interaction set version = version + 1 where id = p_interaction returning * into i;
    return query select * from log_interaction(
        i, case when p_held then 'interaction.held' else 'interaction.resumed' end, p_now, i.agent_id, null, '{}');
end
$$;

-- Wrap-up is over: reservation completed, the interaction closed with its last one; what it interrupted goes on, and the
-- agent is what the rest in hand makes of them (with nothing left: idle, or what they chose to be next).
-- When the time is over (p_by 'time') what the agent had typed and chosen counts, as it is kept at this moment: whatever was
-- read before is older than what they have been told is saved. Then disposition and note are for who left none.
create or replace function wrap_up(
    p_reservation bigint, p_disposition text, p_note text, p_by text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
    d draft;
    v_locked bigint[];
begin
    select * into r from reservation where id = p_reservation;
    if not found then
        return;
    end if;
    v_locked := lock_hand(r.interaction_id, r.agent_id);
    select * into r from reservation where id = p_reservation and state = 'accepted' and released_at is not null;
    if not found then
        return;
    end if;
    delete from draft where user_id = r.agent_id and interaction_id = r.interaction_id returning * into d;
    if p_by = 'time' then
        p_disposition := coalesce((
            select d.disposition from interaction x left join queue q on q.id = x.queue_id
            where x.id = r.interaction_id and (coalesce(q.dispositions, '{}') = '{}' or d.disposition = any (q.dispositions))
        ), p_disposition);
        p_note := coalesce(d.note, p_note);
    end if;
    update reservation set state = 'completed', ended_at = p_now, due_at = null, disposition = p_disposition, note = p_note,
        version = version + 1
    where id = r.id returning * into r;
    update interaction set
        disposition = coalesce(p_disposition, disposition),
        note = coalesce(nullif(note, '') || case when p_note <> '' then E'\n' else '' end, '') || coalesce(p_note, ''),
        version = version + 1
    where id = r.interaction_id returning * into i;
    return query select * from log_interaction(i, 'interaction.wrapped', p_now, r.agent_id, r.agent_id, jsonb_build_object(
        'reservation', r.id, 'disposition', p_disposition, 'by', p_by));
    if cardinality(v_locked) > 1 then
        return query select * from go_on(r, v_locked, p_now);
    end if;
    return query select * from settle_agent(
        r.agent_id, r.channel, -1, 0, null, p_now, 'agent.status', r.agent_id, i.id, p_now);
    if i.state = 'wrapping' and not exists (
        select 1 from reservation where interaction_id = i.id and state = 'accepted')
    then
        update interaction set state = 'closed', closed_at = p_now, version = version + 1 where id = i.id returning * into i;
        return query select * from log_interaction(i, 'interaction.closed', p_now, r.agent_id, null, jsonb_build_object(
            'outcome', i.outcome));
    end if;
end
$$;
