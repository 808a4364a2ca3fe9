-- What an agent has in hand: how much there may be, what follows from it, and what waits for what. For the verbs below.

-- Locks an interaction, everything that the agent has accepted, and the agent. Answers the interactions: no others of
-- this agent may be moved, since locking them later would break the order.
create or replace function lock_hand(p_interaction bigint, p_agent bigint) returns bigint[]
language plpgsql as $$
declare
    v_locked bigint[];
begin
    select array_agg(id order by id) into v_locked from (
        select p_interaction as id
        union select interaction_id from reservation where agent_id = p_agent and state = 'accepted') hand;
    perform lock_interaction(id) from unnest(v_locked) as id;
    perform lock_agent(p_agent);
    return v_locked;
end
$$;

-- The lowest free slot for work of a channel; null when what the agent has in hand leaves none (domain/capacity.py).
create or replace function free_slot(a agent, p_channel text) returns integer
language plpgsql stable as $$
begin
    return (
        select min(slot)
        from users u, organisation o, generate_series(0, coalesce((a.load ->> p_channel)::integer, 0)) as slot
        where u.id = a.user_id
          and coalesce((a.load ->> p_channel)::integer, 0)
              < coalesce(u.capacity ->> p_channel, o.capacity ->> p_channel, '0')::integer
          and not exists (
              select from jsonb_object_keys(a.load) as held(channel)
              where held.channel <> p_channel and not coalesce(o.interrupted_by -> held.channel ? p_channel, false))
          and not exists (
              select from reservation r
              where r.agent_id = a.user_id and r.channel = p_channel and r.slot = slot.slot
                and r.state in ('pending', 'accepted')));
end
$$;

-- What follows from presence and from what is in hand (domain/agent.py: routing_status).
create or replace function routing_status(p_was text, p_presence text, p_hand text) returns text
language sql immutable as $$
    select case
        when p_was = 'private_call' or p_was = 'not_responding' and p_presence = 'on_queue' then p_was
        when p_hand = 'offer' then 'offered'
        when p_hand = 'live' then 'interacting'
        when p_hand = 'wrapping' then 'wrap_up'
        when p_presence = 'on_queue' then 'idle'
        else 'off_queue' end
$$;

-- Writes a locked agent as `a` has them, with what follows from the reservations: load, routing status, and the presence
-- that was chosen for when nothing is in hand any more. Tells the log.
create or replace function settle_agent(
    a agent, p_kind text, p_actor bigint, p_interaction bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    v_hand text;
    v_status text;
begin
    select coalesce(jsonb_object_agg(channel, number), '{}'),
           case when bool_or(offered) then 'offer' when bool_or(live) then 'live' when count(*) > 0 then 'wrapping'
                else 'nothing' end
    into a.load, v_hand
    from (
        select channel, count(*) as number, bool_or(state = 'pending') as offered,
               bool_or(state = 'accepted' and released_at is null) as live
        from reservation where agent_id = a.user_id and state in ('pending', 'accepted') group by channel) hand;
    if v_hand = 'nothing' and a.next_presence is not null then
        a.presence := a.next_presence;
        a.presence_reason := a.next_presence_reason;
        a.presence_at := p_now;
        a.next_presence := null;
        a.next_presence_reason := null;
        p_kind := 'agent.presence';
    end if;
    v_status := routing_status(a.routing_status, a.presence, v_hand);
    update agent set
        presence = a.presence, presence_reason = a.presence_reason, presence_at = a.presence_at,
        next_presence = a.next_presence, next_presence_reason = a.next_presence_reason,
        routing_status = v_status,
        routing_at = case when routing_status = v_status then routing_at else p_now end,
        load = a.load, idle_since = a.idle_since, not_before = a.not_before, failures = a.failures, version = version + 1
    where user_id = a.user_id returning * into a;
    return query select * from log_agent(a, p_kind, p_now, p_actor, p_interaction);
end
$$;

-- What the agent has in hand and `r`, answered now, interrupts is held until `go_on`. p_locked: by lock_hand.
create or replace function interrupt(r reservation, p_locked bigint[], p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    v_held bigint;
begin
    for v_held in
        update segment s set held_at = p_now, hold_reason = 'interrupted'
        from reservation h, organisation o
        where h.agent_id = r.agent_id and h.state = 'accepted' and h.released_at is null
          and h.interaction_id = any (p_locked) and h.channel <> r.channel and o.interrupted_by -> h.channel ? r.channel
          and s.interaction_id = h.interaction_id and s.reservation_id = h.id
          and s.ended_at is null and s.answered_at is not null and s.held_at is null
        returning s.interaction_id
    loop
        update interaction set version = version + 1 where id = v_held returning * into i;
        return query select * from log_interaction(i, 'interaction.held', p_now, r.agent_id, null, jsonb_build_object(
            'reason', 'interrupted', 'by', r.interaction_id));
    end loop;
end
$$;

-- What `r`, over now, interrupted goes on, unless something else in hand interrupts it.
create or replace function go_on(r reservation, p_locked bigint[], p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    v_held bigint;
begin
    for v_held in
        update segment s set hold = s.hold + (p_now - s.held_at), held_at = null, hold_reason = null
        from reservation h, organisation o
        where h.agent_id = r.agent_id and h.state = 'accepted' and h.released_at is null
          and h.interaction_id = any (p_locked)
          and s.interaction_id = h.interaction_id and s.reservation_id = h.id
          and s.ended_at is null and s.hold_reason = 'interrupted'
          and not exists (
              select from reservation other
              where other.agent_id = r.agent_id and other.state = 'accepted' and other.channel <> h.channel
                and o.interrupted_by -> h.channel ? other.channel)
        returning s.interaction_id
    loop
        update interaction set version = version + 1 where id = v_held returning * into i;
        return query select * from log_interaction(i, 'interaction.resumed', p_now, r.agent_id, null, jsonb_build_object(
            'reason', 'interrupted', 'by', r.interaction_id));
    end loop;
end
$$;
