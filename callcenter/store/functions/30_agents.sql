-- The verbs of agents: what they choose (presence), and whether their desk is open.

-- A chosen presence. Whoever leaves the queue with something in hand does so when nothing is any more: until then they
-- get nothing new, their presence stays what it is, and choosing on_queue takes the other choice back.
create or replace function set_presence(
    p_agent bigint, p_presence text, p_reason text, p_actor bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    a agent;
begin
    perform lock_agent(p_agent);
    select * into a from agent where user_id = p_agent;
    if not found then
        return;
    end if;
    if a.presence = 'on_queue' and p_presence <> 'on_queue' and a.load <> '{}' then
        a.next_presence := p_presence;
        a.next_presence_reason := p_reason;
    else
        if a.presence <> p_presence or a.presence_reason is distinct from p_reason then
            a.presence_at := p_now;
        end if;
        a.presence := p_presence;
        a.presence_reason := p_reason;
        a.next_presence := null;
        a.next_presence_reason := null;
    end if;
    if p_presence = 'on_queue' then
        a.not_before := null;
        a.idle_since := coalesce(a.idle_since, p_now);
        if a.routing_status = 'not_responding' then
            a.routing_status := 'idle';
        end if;
    end if;
    return query select * from settle_agent(a, 'agent.presence', p_actor, null, p_now);
end
$$;

-- A desk was opened at a node, or the last one there was lost. A loss reported by a node that is not the desk's is ignored.
create or replace function move_desk(p_agent bigint, p_node bigint, p_open boolean, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    a agent;
begin
    perform lock_agent(p_agent);
    update agent set desk_node_id = p_node, desk_lost_at = case when p_open then null else p_now end, version = version + 1
    where user_id = p_agent and case when p_open then desk_lost_at is not null or desk_node_id is distinct from p_node
                                     else desk_lost_at is null and desk_node_id = p_node end
    returning * into a;
    if found then
        return query select * from log_agent(a, 'agent.desk', p_now, null, null);
    end if;
end
$$;

-- All desks of a node that died are lost.
create or replace function lose_desks(p_node bigint, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    v_agent bigint;
begin
    perform lock_agent(user_id) from (
        select user_id from agent where desk_node_id = p_node and desk_lost_at is null order by user_id) held;
    for v_agent in select user_id from agent where desk_node_id = p_node and desk_lost_at is null order by user_id loop
        return query select * from move_desk(v_agent, p_node, false, p_now);
    end loop;
end
$$;
