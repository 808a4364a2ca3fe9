-- What an agent has in hand: how much there may be, what follows from it, and what waits for what. For the verbs below.

-- Locks an interaction, everything live in the agent's hand, and the agent. Answers the interactions: no others of this
-- agent may be moved, since locking them later would break the order.
create or replace function lock_hand(p_interaction bigint, p_agent bigint) returns bigint[]
language plpgsql as $$
declare
    v_locked bigint[];
begin
    if (select live from agent where user_id = p_agent) = 0 then
        perform lock_interaction(p_interaction), lock_agent(p_agent);
        return array[p_interaction];
    end if;
    v_locked := array(
        select p_interaction
        union select interaction_id from reservation where agent_id = p_agent and state = 'accepted'
        order by 1);
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

-- Whether agents count as idle since they became ready for work, and not since their last contact (domain/agent.py: IdleOrder).
create or replace function ready_counts() returns boolean
language sql stable as $$
    select idle_order = 'available' from organisation
$$;

-- What moves in the hand of a locked agent, and what follows: routing status, and with nothing left in hand the presence that
-- was chosen for then. p_in_hand, p_live: how many more (fewer) of the channel are in hand, and of all live; p_offer: whether
-- an offer is pending now (null: as before); p_idle_since: when a contact was over (null: none was). Tells the log.
create or replace function settle_agent(
    p_agent bigint, p_channel text, p_in_hand integer, p_live integer, p_offer boolean, p_idle_since timestamptz,
    p_kind text, p_actor bigint, p_interaction bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    a agent;
    v_number integer;
    v_status text;
    v_ready boolean;
begin
    select * into a from agent where user_id = p_agent;
    if p_in_hand <> 0 then
        v_number := coalesce((a.load ->> p_channel)::integer, 0) + p_in_hand;
        a.load := case when v_number > 0 then a.load || jsonb_build_object(p_channel, v_number) else a.load - p_channel end;
    end if;
    a.live := a.live + p_live;
    a.offer := coalesce(p_offer, a.offer);
    if a.load = '{}' and a.next_presence is not null then
        a.presence := a.next_presence;
        a.presence_reason := a.next_presence_reason;
        a.presence_at := p_now;
        a.next_presence := null;
        a.next_presence_reason := null;
        p_kind := 'agent.presence';
    end if;
    v_status := routing_status(a.routing_status, a.presence, case
        when a.offer then 'offer' when a.live > 0 then 'live' when a.load <> '{}' then 'wrapping' else 'nothing' end);
    -- An offer that was taken back is no fault of the agent's, who keeps their place.
    v_ready := v_status = 'idle' and a.routing_status not in ('idle', 'offered');
    if v_status <> a.routing_status then
        a.routing_status := v_status;
        a.routing_at := p_now;
    end if;
    update agent set
        presence = a.presence, presence_reason = a.presence_reason, presence_at = a.presence_at,
        next_presence = a.next_presence, next_presence_reason = a.next_presence_reason,
        routing_status = a.routing_status, routing_at = a.routing_at, load = a.load, offer = a.offer, live = a.live,
        idle_since = coalesce(case when v_ready and ready_counts() then p_now end, p_idle_since, idle_since),
        version = version + 1
    where user_id = p_agent returning * into a;
    return query select * from log_agent(a, p_kind, p_now, p_actor, p_interaction);
end
$$;

-- Hold that `r` has begun or ended for another contact in the same hand, told by that contact.
create or replace function tell_hold(p_interaction bigint, p_kind text, r reservation, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    update interaction set version = version + 1 where id = p_interaction returning * into i;
    return query select * from log_interaction(i, p_kind, p_now, r.agent_id, null, jsonb_build_object(
        'reason', 'interrupted', 'by', r.interaction_id));
end
$$;

-- What the agent has in hand and `r`, answered now, interrupts is held until `go_on`. p_locked: by lock_hand.
create or replace function interrupt(r reservation, p_locked bigint[], p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
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
        return query select * from tell_hold(v_held, 'interaction.held', r, p_now);
    end loop;
end
$$;

-- What `r`, over now, interrupted goes on, unless something else in hand interrupts it.
create or replace function go_on(r reservation, p_locked bigint[], p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
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
        return query select * from tell_hold(v_held, 'interaction.resumed', r, p_now);
    end loop;
end
$$;
