-- The verbs of agents: what they choose (presence), and whether their desk is open.

-- A chosen presence. Whoever leaves the queue with something in hand does so when nothing is any more: until then they
-- get nothing new, their presence stays what it is, and choosing on_queue takes the other choice back.
create or replace function set_presence(
    p_agent bigint, p_presence text, p_reason text, p_actor bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
begin
    perform lock_agent(p_agent);
    update agent set next_presence = p_presence, next_presence_reason = p_reason
    where user_id = p_agent and presence = 'on_queue' and p_presence <> 'on_queue' and load <> '{}';
    if not found then
        update agent set
            presence = p_presence, presence_reason = p_reason, next_presence = null, next_presence_reason = null,
            presence_at = case when presence = p_presence and presence_reason is not distinct from p_reason
                               then presence_at else p_now end,
            routing_at = case when p_presence = 'on_queue' and routing_status = 'not_responding' then p_now else routing_at end,
            routing_status = case when p_presence = 'on_queue' and routing_status = 'not_responding'
                                  then 'idle' else routing_status end,
            not_before = case when p_presence = 'on_queue' then null else not_before end,
            idle_since = case when p_presence <> 'on_queue' then idle_since
                              when idle_since is null or routing_status = 'not_responding' and ready_counts() then p_now
                              else idle_since end
        where user_id = p_agent;
        if not found then
            return;
        end if;
    end if;
    return query select * from settle_agent(p_agent, null, 0, 0, null, null, 'agent.presence', p_actor, null, p_now);
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
