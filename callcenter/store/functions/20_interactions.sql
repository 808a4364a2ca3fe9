-- The verbs of interactions. Each is one round trip and one transaction: locks, compare-and-set moves, log rows.
-- Each returns the log rows it wrote; none means that the move lost a race or the state did not allow it.
-- Which states a verb may start from is told by the tables in callcenter/domain; a test holds the two together.

-- The only customer of this address, or the only one whose certainty is above all others; else nobody: a person decides.
create or replace function find_customer(p_kind text, p_value text) returns bigint
language sql stable as $$
    with found as materialized (
        select customer_id, case certainty when 'verified' then 3 when 'known' then 2 else 1 end as rank
        from address where kind = p_kind and value = p_value
    )
    select min(customer_id) from found where rank = (select max(rank) from found) having count(*) = 1
$$;

-- First contact. A known external id changes nothing and returns nothing. Written for speed: it is half of what a pop waits
-- for, so the common case of one customer is looked up in place and the after-image is built from the arguments.
create or replace function arrive(
    p_channel text, p_direction text, p_external_id text, p_pbx text, p_leg text,
    p_address_kind text, p_address text, p_address_name text, p_called text, p_subject text,
    p_queue bigint, p_priority integer, p_state text, p_node bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    v_id bigint;
    v_customer bigint;
    v_found integer;
    v_queued_at timestamptz := case when p_state = 'queued' then p_now end;
    v_data jsonb;
begin
    if p_address_kind is not null then
        select count(*), min(customer_id) into v_found, v_customer
        from address where kind = p_address_kind and value = p_address;
        if v_found > 1 then
            v_customer := find_customer(p_address_kind, p_address);
        end if;
    end if;
    insert into interaction (
        channel, direction, state, external_id, pbx, leg, customer_id, queue_id, address_kind, address, address_name,
        called, subject, priority, arrived_at, queued_at, node_id)
    values (
        p_channel, p_direction, p_state, p_external_id, p_pbx, p_leg, v_customer, p_queue, p_address_kind, p_address,
        p_address_name, p_called, p_subject, p_priority, p_now, v_queued_at, p_node)
    on conflict (channel, external_id) where external_id is not null do nothing
    returning id into v_id;
    if not found then
        return;
    end if;
    v_data := jsonb_build_object(
        'state', p_state, 'queued_at', v_queued_at, 'priority', p_priority, 'node', p_node,
        'channel', p_channel, 'external_id', p_external_id);
    if v_queued_at is null then
        return query
            insert into contact_log (kind, at, interaction_id, customer_id, queue_id, version, data)
            values ('interaction.arrived', p_now, v_id, v_customer, p_queue, 1, v_data)
            returning *;
    else
        return query
            insert into contact_log (kind, at, interaction_id, customer_id, queue_id, version, data)
            values ('interaction.arrived', p_now, v_id, v_customer, p_queue, 1, v_data),
                   ('interaction.queued', p_now, v_id, v_customer, p_queue, 1, v_data)
            returning *;
    end if;
end
$$;

-- From new into a queue; its place is given by p_now.
create or replace function enqueue(p_interaction bigint, p_queue bigint, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set state = 'queued', queue_id = p_queue, queued_at = p_now, version = version + 1
    where id = p_interaction and state = 'new' returning * into i;
    if found then
        return query select * from log_interaction(i, 'interaction.queued', p_now, null, null, '{}');
    end if;
end
$$;

-- Another node holds the call now (its own died, or gave it up); its place and its times stay.
create or replace function adopt(p_interaction bigint, p_node bigint, p_leg text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set node_id = p_node, leg = coalesce(p_leg, leg), version = version + 1
    where id = p_interaction and state in ('new', 'queued', 'offered', 'active') returning * into i;
    if found then
        return query select * from log_interaction(i, 'interaction.adopted', p_now, null, null, '{}');
    end if;
end
$$;

-- An agent gets the offer: interaction queued → offered, agent idle → offered, reservation pending.
create or replace function reserve(
    p_interaction bigint, p_agent bigint, p_agent_version integer, p_slot integer, p_reason text, p_decision jsonb,
    p_due timestamptz, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    a agent;
    r bigint;
begin
    perform lock_interaction(p_interaction), lock_agent(p_agent);
    update interaction set state = 'offered', agent_id = p_agent, segments = segments + 1, version = version + 1
    where id = p_interaction and state = 'queued'
      and exists (select 1 from agent where user_id = p_agent and presence = 'on_queue' and routing_status = 'idle'
                  and (p_agent_version is null or version = p_agent_version))
    returning * into i;
    if not found then
        return;
    end if;
    update agent set routing_status = 'offered', routing_at = p_now, version = version + 1
    where user_id = p_agent returning * into a;
    insert into reservation (interaction_id, agent_id, segment, channel, slot, reason, created_at, due_at, decision)
    values (p_interaction, p_agent, i.segments, i.channel, p_slot, p_reason, p_now, p_due, p_decision)
    returning id into r;
    return query select * from log_interaction(i, 'interaction.reserved', p_now, p_agent, null, jsonb_build_object(
        'reservation', r, 'reason', p_reason, 'segment', i.segments, 'due_at', p_due));
    return query select * from log_agent(a, 'agent.status', p_now, null, p_interaction);
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

-- The agent took it: reservation accepted, interaction active, agent interacting.
create or replace function answer(p_reservation bigint, p_leg text, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
    a agent;
begin
    select * into r from reservation where id = p_reservation;
    if not found then
        return;
    end if;
    perform lock_interaction(r.interaction_id), lock_agent(r.agent_id);
    update reservation set state = 'accepted', answered_at = p_now, due_at = null, version = version + 1
    where id = p_reservation and state = 'pending' returning * into r;
    if not found then
        return;
    end if;
    update interaction set state = 'active', answered_at = coalesce(answered_at, p_now), version = version + 1
    where id = r.interaction_id returning * into i;
    update agent set routing_status = 'interacting', routing_at = p_now, failures = 0, not_before = null,
        version = version + 1
    where user_id = r.agent_id returning * into a;
    insert into segment (interaction_id, n, agent_id, reservation_id, leg, started_at, answered_at)
    values (r.interaction_id, r.segment, r.agent_id, r.id, p_leg, p_now, p_now)
    on conflict (interaction_id, n) do update set answered_at = excluded.answered_at, leg = excluded.leg;
    return query select * from log_interaction(i, 'interaction.answered', p_now, r.agent_id, null, jsonb_build_object(
        'reservation', r.id, 'segment', r.segment));
    return query select * from log_agent(a, 'agent.status', p_now, null, r.interaction_id);
end
$$;

-- Ends a pending reservation of a locked interaction and frees its agent; for the verbs below.
create or replace function end_reservation(
    r reservation, p_state text, p_reason text, p_agent_status text, p_not_before timestamptz, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    a agent;
begin
    update reservation set state = p_state, reason = p_reason, ended_at = p_now, due_at = null, version = version + 1
    where id = r.id;
    update segment set ended_at = p_now, cause = p_reason where interaction_id = r.interaction_id and n = r.segment;
    update agent set
        routing_status = case when presence = 'on_queue' then p_agent_status else 'off_queue' end,
        routing_at = p_now, not_before = p_not_before,
        failures = case when p_not_before is null then failures else failures + 1 end, version = version + 1
    where user_id = r.agent_id returning * into a;
    return query
        insert into contact_log (kind, at, interaction_id, agent_id, version, data)
        values ('reservation.' || p_state, p_now, r.interaction_id, r.agent_id, r.version + 1,
                jsonb_build_object('reservation', r.id, 'reason', p_reason))
        returning *;
    return query select * from log_agent(a, 'agent.status', p_now, null, r.interaction_id);
end
$$;

-- The offer came to nothing: the interaction goes back with its original time.
-- p_backoff: seconds for a first failure, doubled with each one in a row up to a minute; null: none.
create or replace function return_to_queue(
    p_reservation bigint, p_state text, p_reason text, p_agent_status text, p_backoff interval, p_now timestamptz)
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
    return query select * from end_reservation(r, p_state, p_reason, p_agent_status, v_not_before, p_now);
    update interaction set state = 'queued', agent_id = null, version = version + 1
    where id = r.interaction_id and state = 'offered' returning * into i;
    if found then
        return query select * from log_interaction(i, 'interaction.queued', p_now, null, null, jsonb_build_object(
            'returned', p_state));
    end if;
end
$$;

-- The customer left before any agent connected, or nobody could be asked: outcome abandoned, short_abandoned,
-- flow_out, missed, failed or unknown. p_node: only while that node holds the call.
create or replace function leave_unserved(
    p_interaction bigint, p_outcome text, p_cause text, p_node bigint, p_now timestamptz)
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
    update interaction set state = 'closed', outcome = p_outcome, ended_at = p_now, closed_at = p_now, end_cause = p_cause,
        version = version + 1
    where id = p_interaction and state in ('new', 'queued', 'offered') and (p_node is null or node_id = p_node)
    returning * into i;
    if not found then
        return;
    end if;
    select * into r from reservation where interaction_id = p_interaction and state = 'pending';
    if found then
        return query select * from end_reservation(r, 'cancelled', p_outcome, 'idle', null, p_now);
    end if;
    if p_outcome in ('abandoned', 'short_abandoned') then
        return query select * from log_interaction(i, 'interaction.abandoned', p_now, v_agent, null, jsonb_build_object(
            'outcome', p_outcome, 'cause', p_cause));
    end if;
    return query select * from log_interaction(i, 'interaction.closed', p_now, v_agent, null, jsonb_build_object(
        'outcome', p_outcome, 'cause', p_cause));
end
$$;

-- An agent's conversation is over and wrap-up begins; the time box is the queue's. For the two verbs below.
create or replace function begin_wrap_up(r reservation, p_queue bigint, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    a agent;
begin
    update reservation set released_at = p_now, version = version + 1,
        due_at = p_now + (select wrap_up_limit from queue where id = p_queue and wrap_up_mode <> 'discretionary')
    where id = r.id;
    update agent set routing_status = 'wrap_up', routing_at = p_now, version = version + 1
    where user_id = r.agent_id returning * into a;
    return query select * from log_agent(a, 'agent.status', p_now, null, r.interaction_id);
end
$$;

create or replace function end_segments(p_interaction bigint, p_reservation bigint, p_cause text, p_now timestamptz)
returns void
language sql as $$
    update segment set ended_at = p_now, cause = p_cause, held_at = null,
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

-- A new leg took the customer over. A known agent who is free, or still wraps this up, gets the interaction as their own,
-- with its pop and wrap-up. Nothing when this leg has the customer already.
create or replace function transfer(
    p_interaction bigint, p_agent bigint, p_endpoint text, p_leg text, p_kind text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    a agent;
    r bigint;
begin
    perform lock_interaction(p_interaction);
    if p_agent is not null then
        perform lock_agent(p_agent);
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
    returning id into r;
    update agent set routing_status = 'interacting', routing_at = p_now, version = version + 1
    where user_id = p_agent and (r is not null or routing_status in ('idle', 'off_queue', 'not_responding')
      and not exists (select 1 from reservation where agent_id = p_agent and channel = i.channel and slot = 0
                      and state in ('pending', 'accepted')))
    returning * into a;
    if found and r is null then
        insert into reservation (interaction_id, agent_id, segment, channel, state, reason, created_at, answered_at)
        values (p_interaction, p_agent, i.segments, i.channel, 'accepted', 'transfer', p_now, p_now) returning id into r;
    end if;
    insert into segment (interaction_id, n, agent_id, reservation_id, kind, leg, endpoint, started_at, answered_at)
    values (p_interaction, i.segments, p_agent, r, 'transfer', p_leg, p_endpoint, p_now, p_now);
    return query select * from log_interaction(i, 'interaction.transferred', p_now, p_agent, null, jsonb_build_object(
        'segment', i.segments, 'kind', p_kind, 'reservation', r));
    if r is not null then
        return query select * from log_agent(a, 'agent.status', p_now, null, p_interaction);
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
        held_at = case when p_held then p_now end
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

-- Wrap-up is over: reservation completed, agent idle (or off queue, as they chose), the interaction closed with its last one.
create or replace function wrap_up(
    p_reservation bigint, p_disposition text, p_note text, p_by text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    r reservation;
    i interaction;
    a agent;
begin
    select * into r from reservation where id = p_reservation;
    if not found then
        return;
    end if;
    perform lock_interaction(r.interaction_id), lock_agent(r.agent_id);
    update reservation set state = 'completed', ended_at = p_now, due_at = null, disposition = p_disposition, note = p_note,
        version = version + 1
    where id = p_reservation and state = 'accepted' and released_at is not null returning * into r;
    if not found then
        return;
    end if;
    update interaction set
        disposition = coalesce(p_disposition, disposition),
        note = coalesce(nullif(note, '') || case when p_note <> '' then E'\n' else '' end, '') || coalesce(p_note, ''),
        version = version + 1
    where id = r.interaction_id returning * into i;
    delete from draft where user_id = r.agent_id and interaction_id = r.interaction_id;
    return query select * from log_interaction(i, 'interaction.wrapped', p_now, r.agent_id, r.agent_id, jsonb_build_object(
        'reservation', r.id, 'disposition', p_disposition, 'by', p_by));
    update agent set routing_status = case when presence = 'on_queue' then 'idle' else 'off_queue' end, routing_at = p_now,
        idle_since = p_now, version = version + 1
    where user_id = r.agent_id returning * into a;
    return query select * from log_agent(a, 'agent.status', p_now, r.agent_id, i.id);
    if i.state = 'wrapping' and not exists (
        select 1 from reservation where interaction_id = i.id and state = 'accepted')
    then
        update interaction set state = 'closed', closed_at = p_now, version = version + 1 where id = i.id returning * into i;
        return query select * from log_interaction(i, 'interaction.closed', p_now, r.agent_id, null, jsonb_build_object(
            'outcome', i.outcome));
    end if;
end
$$;

-- Who this is, decided by a person (or null: nobody we know). The address is remembered with a higher certainty.
create or replace function identify(p_interaction bigint, p_customer bigint, p_actor bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    if p_customer is not null and not exists (select from customer where id = p_customer) then
        raise foreign_key_violation using message = 'there is no customer ' || p_customer;
    end if;
    perform lock_interaction(p_interaction);
    update interaction set customer_id = p_customer, version = version + 1 where id = p_interaction returning * into i;
    if not found then
        return;
    end if;
    if i.address_kind is not null and p_customer is not null then
        insert into address (customer_id, kind, value, certainty, created_at)
        values (p_customer, i.address_kind, i.address, 'known', p_now)
        on conflict (customer_id, kind, value) do update set certainty =
            case address.certainty when 'maybe' then 'known' else 'verified' end;
    end if;
    return query select * from log_interaction(i, 'interaction.identified', p_now, i.agent_id, p_actor, '{}');
end
$$;
