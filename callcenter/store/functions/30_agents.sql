-- The verbs of agents: what they choose (presence), and whether their desk is open.

-- A chosen presence. Work in hand goes on: the routing status of an agent with an offer, a contact or a wrap-up
-- stays as it is and follows the presence when that work is over.
create or replace function set_presence(
    p_agent bigint, p_presence text, p_reason text, p_actor bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    a agent;
begin
    perform lock_agent(p_agent);
    update agent set
        presence = p_presence, presence_reason = p_reason,
        presence_at = case when presence = p_presence and presence_reason is not distinct from p_reason
                           then presence_at else p_now end,
        routing_at = case when routing_status in ('off_queue', 'not_responding') and p_presence = 'on_queue'
                            or routing_status in ('idle', 'not_responding') and p_presence <> 'on_queue'
                          then p_now else routing_at end,
        routing_status = case
            when p_presence = 'on_queue' and routing_status in ('off_queue', 'not_responding') then 'idle'
            when p_presence <> 'on_queue' and routing_status in ('idle', 'not_responding') then 'off_queue'
            else routing_status end,
        not_before = case when p_presence = 'on_queue' then null else not_before end,
        idle_since = coalesce(idle_since, case when p_presence = 'on_queue' then p_now end),
        version = version + 1
    where user_id = p_agent returning * into a;
    if found then
        return query select * from log_agent(a, 'agent.presence', p_now, p_actor, null);
    end if;
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
