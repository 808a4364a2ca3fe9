-- The verbs of interactions that begin on our side: callbacks, calls that we place, and what other PBXs tell us of.

-- Somebody is to be called back: in the queue at once, with the time of what it takes the place of, or from p_due on.
-- Raises unique_violation when this number is to be called back already.
create or replace function ask_callback(
    p_external_id text, p_customer bigint, p_number text, p_name text, p_subject text, p_queue bigint,
    p_queued_at timestamptz, p_due timestamptz, p_origin bigint, p_attempt integer, p_ticket bigint, p_language text,
    p_actor bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    v_customer bigint := coalesce(customer_now(p_customer), find_customer('phone', p_number));
    v_more jsonb;
begin
    if p_customer is not null and not exists (select from customer where id = p_customer) then
        raise foreign_key_violation using message = 'there is no customer ' || p_customer;
    end if;
    insert into interaction (
        channel, state, external_id, customer_id, queue_id, ticket_id, address_kind, address, address_name, subject,
        arrived_at, queued_at, language, preferred, preferred_as)
    select 'callback', case when p_due is null then 'queued' else 'new' end, p_external_id, v_customer, p_queue, p_ticket,
        'phone', p_number, p_name, p_subject, p_now, case when p_due is null then coalesce(p_queued_at, p_now) end,
        p_language, agents, what
    from preferred(p_queue, v_customer, p_now) returning * into i;
    insert into callback (interaction_id, origin_id, attempt, number, due_at)
    values (i.id, p_origin, p_attempt, p_number, p_due);
    v_more := jsonb_build_object(
        'external_id', p_external_id, 'origin', p_origin, 'attempt', p_attempt, 'due_at', p_due);
    return query select * from log_interaction(i, 'interaction.arrived', p_now, null, p_actor, v_more);
    if p_due is null then
        return query select * from log_interaction(i, 'interaction.queued', p_now, null, null, '{}');
    end if;
end
$$;

-- Its time has come: into the queue, with the place that it had there before, if it had one.
create or replace function queue_callback(p_interaction bigint, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set state = 'queued', queued_at = coalesce(queued_at, p_now), version = version + 1,
        (preferred, preferred_as) = (select agents, what from preferred(queue_id, customer_id, p_now))
    where id = p_interaction and state = 'new' returning * into i;
    if found then
        update callback set due_at = null where interaction_id = p_interaction;
        return query select * from log_interaction(i, 'interaction.queued', p_now, null, null, '{}');
    end if;
end
$$;

-- Out of the queue until p_due (nobody is called outside the hours); its place stays.
create or replace function put_off(p_interaction bigint, p_due timestamptz, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set state = 'new', version = version + 1
    where id = p_interaction and state = 'queued' returning * into i;
    if found then
        update callback set due_at = p_due where interaction_id = p_interaction;
        return query select * from log_interaction(i, 'interaction.put_off', p_now, null, null, jsonb_build_object(
            'due_at', p_due));
    end if;
end
$$;

-- Work that comes to an agent without a queue: a call that they place, or that a PBX rings them with. It has no time limit of
-- ours. Nothing when they have another offer, or no room for it.
create or replace function give_to_agent(p_interaction bigint, p_agent bigint, p_reason text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    r bigint;
    v_slot integer;
begin
    perform lock_interaction(p_interaction), lock_agent(p_agent);
    select free_slot(a, x.channel) into v_slot from interaction x, agent a
    where x.id = p_interaction and x.state = 'new' and a.user_id = p_agent and not a.offer
      and a.routing_status <> 'private_call';
    if v_slot is null then
        return;
    end if;
    update interaction set state = 'offered', agent_id = p_agent, segments = segments + 1, version = version + 1
    where id = p_interaction returning * into i;
    insert into reservation (interaction_id, agent_id, queue_id, segment, channel, slot, reason, created_at)
    values (p_interaction, p_agent, i.queue_id, i.segments, i.channel, v_slot, p_reason, p_now) returning id into r;
    return query select * from log_interaction(i, 'interaction.reserved', p_now, p_agent, null, jsonb_build_object(
        'reservation', r, 'reason', p_reason, 'segment', i.segments, 'due_at', null));
    return query select * from settle_agent(
        p_agent, i.channel, 1, 0, true, null, 'agent.status', null, p_interaction, p_now);
end
$$;

-- Answered by somebody who has no room for it in hand, or whom we do not know (null): told, and nothing follows at a desk.
create or replace function connect_call(p_interaction bigint, p_agent bigint, p_endpoint text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set state = 'active', answered_at = p_now, agent_id = p_agent, segments = segments + 1,
        version = version + 1
    where id = p_interaction and state = 'new' returning * into i;
    if found then
        insert into segment (interaction_id, n, agent_id, endpoint, started_at, answered_at)
        values (p_interaction, i.segments, p_agent, p_endpoint, p_now, p_now);
        return query select * from log_interaction(i, 'interaction.answered', p_now, p_agent, null, jsonb_build_object(
            'reservation', null, 'segment', i.segments));
    end if;
end
$$;

-- Whom a call is with, told after it was known that there is one.
create or replace function complete_call(
    p_interaction bigint, p_kind text, p_address text, p_called text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set address_kind = p_kind, address = p_address, called = coalesce(called, p_called),
        customer_id = coalesce(customer_id, find_customer(p_kind, p_address)), version = version + 1
    where id = p_interaction and address is null returning * into i;
    if found then
        return query select * from log_interaction(i, 'interaction.identified', p_now, i.agent_id, null, '{}');
    end if;
end
$$;
