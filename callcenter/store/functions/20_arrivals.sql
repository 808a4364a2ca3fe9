-- The verbs of interactions. Each is one round trip and one transaction: locks, compare-and-set moves, log rows.
-- Each returns the log rows it wrote; none means that the move lost a race or the state did not allow it.
-- Which states a verb may start from is told by the tables in callcenter/domain; a test holds the two together.

-- The only customer of this address, or the only one whose certainty is above all others; else nobody: a person decides.
-- A record that was merged keeps what the other one had too, so that they can be taken apart; it is nobody by itself.
create or replace function find_customer(p_kind text, p_value text) returns bigint
language sql stable as $$
    with found as materialized (
        select customer_id, case certainty when 'verified' then 3 when 'known' then 2 else 1 end as rank
        from address join customer c on c.id = customer_id and c.merged_into is null where kind = p_kind and value = p_value
    )
    select min(customer_id) from found where rank = (select max(rank) from found) having count(*) = 1
$$;

-- For whom a queue lets a customer's work wait first, and as what (`last_agent`, `owner`); nulls: nobody.
create or replace function preferred(
    p_queue bigint, p_customer bigint, p_now timestamptz, out agents bigint[], out what text)
language sql stable as $$
    select array[agent], prefer from (
        select prefer, case prefer
            when 'owner' then (select owner_id from customer where id = p_customer)
            when 'last_agent' then (
                select s.agent_id from interaction i join segment s on s.interaction_id = i.id
                where i.customer_id = p_customer and i.arrived_at >= p_now - q.prefer_within
                  and s.answered_at is not null and s.agent_id is not null
                order by i.arrived_at desc, i.id desc, s.n desc limit 1)
            end as agent
        from queue q where id = p_queue and p_customer is not null
    ) found where agent is not null
$$;

-- First contact. A known external id changes nothing and returns nothing. Written for speed: it is half of what a pop waits
-- for, so the common case of one customer is looked up in place and the after-image is built from the arguments.
-- p_asks: what the arrival itself asks for (`language`; `preferred`, agents); null also where the queue prefers nobody.
-- p_agent, who was free a moment ago, is reserved in the same breath, as `reserve` does it; when they no longer are, it waits
-- as any other.
create or replace function arrive(
    p_channel text, p_direction text, p_external_id text, p_pbx text, p_leg text,
    p_address_kind text, p_address text, p_address_name text, p_called text, p_subject text,
    p_queue bigint, p_priority integer, p_state text, p_node bigint, p_now timestamptz, p_asks jsonb default null,
    p_agent bigint default null, p_agent_version integer default null, p_reason text default null,
    p_decision jsonb default null, p_due timestamptz default null, p_revision integer default null)
returns setof contact_log
language plpgsql as $$
declare
    a agent;
    v_id bigint;
    v_offered boolean := false;
    v_reservation bigint;
    v_customer bigint;
    v_found integer;
    v_language text := p_asks ->> 'language';
    v_tier text;
    v_spoken text;
    v_contract double precision;
    v_preferred bigint[];
    v_preferred_as text;
    v_queued_at timestamptz := case when p_state = 'queued' then p_now end;
    v_data jsonb;
begin
    if p_agent is not null then
        -- Nobody can know the interaction yet: the agent may be locked without it.
        perform lock_agent(p_agent);
        select exists (
            select from agent, users u, organisation o
            where agent.user_id = p_agent and presence = 'on_queue' and routing_status = 'idle' and load = '{}'
              and (p_agent_version is null or agent.version = p_agent_version)
              and (p_revision is null or o.revision = p_revision)
              and u.id = p_agent and coalesce(u.capacity ->> p_channel, o.capacity ->> p_channel, '0')::integer > 0
        ) into v_offered;
    end if;
    if p_address_kind is not null then
        select count(*), min(c.id), min(c.tier), min(c.language), min(contract_shift(c.id))
        into v_found, v_customer, v_tier, v_spoken, v_contract
        from address join customer c on c.id = customer_id and c.merged_into is null
        where kind = p_address_kind and value = p_address;
        if v_found > 1 then
            v_customer := find_customer(p_address_kind, p_address);
            select tier, language, contract_shift(id) into v_tier, v_spoken, v_contract from customer where id = v_customer;
        end if;
    end if;
    if p_asks ? 'preferred' then
        select array_agg(agent::bigint order by n), 'named' into v_preferred, v_preferred_as
        from jsonb_array_elements_text(p_asks -> 'preferred') with ordinality as named (agent, n);
    elsif p_asks is not null and v_queued_at is not null then
        select agents, what into v_preferred, v_preferred_as from preferred(p_queue, v_customer, p_now);
    end if;
    insert into interaction (
        channel, direction, state, external_id, pbx, leg, customer_id, queue_id, address_kind, address, address_name,
        called, subject, priority, arrived_at, queued_at, node_id, language, preferred, preferred_as,
        agent_id, segments, version)
    values (
        p_channel, p_direction, case when v_offered then 'offered' else p_state end, p_external_id, p_pbx, p_leg, v_customer, p_queue, p_address_kind, p_address,
        p_address_name, p_called, p_subject, p_priority, p_now, v_queued_at, p_node, v_language, v_preferred,
        v_preferred_as, case when v_offered then p_agent end, v_offered::integer, 1 + v_offered::integer)
    on conflict (channel, external_id) where external_id is not null do nothing
    returning id into v_id;
    if not found then
        return;
    end if;
    if v_queued_at is null then
        v_tier := null;
        v_spoken := null;
        v_contract := null;
    end if;
    v_data := jsonb_build_object(
        'state', p_state, 'queued_at', v_queued_at, 'priority', p_priority, 'node', p_node, 'tier', v_tier,
        'language', coalesce(v_language, v_spoken), 'channel', p_channel, 'external_id', p_external_id);
    if v_contract is not null then
        v_data := v_data || jsonb_build_object('contract', v_contract);
    end if;
    if v_preferred is not null then
        v_data := v_data || jsonb_build_object('preferred', v_preferred, 'preferred_as', v_preferred_as);
    end if;
    if v_offered then
        if p_channel <> 'phone' then
            p_due := p_now + coalesce((select ring_timeout from queue where id = p_queue), p_due - p_now);
        end if;
        insert into reservation (interaction_id, agent_id, queue_id, segment, channel, slot, reason, created_at, due_at, decision)
        values (v_id, p_agent, p_queue, 1, p_channel, 0, p_reason, p_now, p_due, p_decision)
        returning id into v_reservation;
        update agent set routing_status = 'offered', routing_at = p_now, load = jsonb_build_object(p_channel, 1),
            offer = true, version = version + 1
        where user_id = p_agent returning * into a;
        return query
            insert into contact_log (kind, at, interaction_id, customer_id, agent_id, queue_id, version, data)
            values ('interaction.arrived', p_now, v_id, v_customer, null::bigint, p_queue, 1, v_data),
                   ('interaction.queued', p_now, v_id, v_customer, null, p_queue, 1, v_data),
                   ('interaction.reserved', p_now, v_id, v_customer, p_agent, p_queue, 2, jsonb_build_object(
                       'state', 'offered', 'channel', p_channel, 'queued_at', v_queued_at, 'priority', p_priority,
                       'node', p_node, 'tier', null, 'reservation', v_reservation, 'reason', p_reason, 'segment', 1,
                       'due_at', p_due)),
                   ('agent.status', p_now, v_id, null, p_agent, null, a.version, agent_image(a))
            returning *;
    elsif v_queued_at is null then
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
    update interaction set state = 'queued', queue_id = p_queue, queued_at = p_now, version = version + 1,
        (preferred, preferred_as) = (
            select agents, what from preferred(p_queue, work_customer(id, customer_id, channel), p_now))
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

-- Who this is, decided by a person (or null: nobody we know). The address is remembered with a higher certainty. Whom its queue
-- prefers is asked anew while it waits; value and language of its customer are read for every event of what waits.
create or replace function identify(p_interaction bigint, p_customer bigint, p_actor bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    if p_customer is not null and not exists (select from customer where id = p_customer) then
        raise foreign_key_violation using message = 'there is no customer ' || p_customer;
    end if;
    p_customer := customer_now(p_customer);
    perform lock_interaction(p_interaction);
    update interaction set customer_id = p_customer, version = version + 1 where id = p_interaction returning * into i;
    if not found then
        return;
    end if;
    if i.state in ('queued', 'offered') and i.preferred_as is distinct from 'named' then
        update interaction set (preferred, preferred_as) = (
            select agents, what from preferred(queue_id, work_customer(id, customer_id, channel), p_now))
        where id = p_interaction returning * into i;
    end if;
    -- Whoever was asked how it was is not asked again.
    update survey set customer_id = p_customer where interaction_id = p_interaction and customer_id is distinct from p_customer;
    -- An address that a visitor only typed, in a chat or a form, is not theirs yet: whoever owns it might write from it, and be
    -- taken for them. (The portal's, 'my', is proven.)
    if i.address_kind is not null and p_customer is not null and not (i.channel = 'form' and i.called is distinct from 'my')
        and not exists (select from chat where interaction_id = i.id and identity = 'typed') then
        insert into address (customer_id, kind, value, certainty, created_at)
        values (p_customer, i.address_kind, i.address, 'known', p_now)
        on conflict (customer_id, kind, value) do update set certainty =
            case address.certainty when 'maybe' then 'known' else 'verified' end;
    end if;
    return query select * from log_interaction(i, 'interaction.identified', p_now, i.agent_id, p_actor, '{}');
end
$$;
