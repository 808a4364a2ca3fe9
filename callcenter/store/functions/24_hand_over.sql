-- The verbs of interactions, continued: written work goes on with somebody else.

-- An agent hands over what they have in hand: their part is over without a wrap-up, what they had noted is kept, and the
-- customer waits again in the place that they had. With p_queue in that queue (which may be the same): what was answered before counts
-- for the queue that it leaves, and the new stay begins unanswered. Without it stays answered where it is; `reserve` is to follow, in
-- the same transaction, for p_agent, who is locked here because locks have an order. The one who hands over is left out for a moment,
-- so that it does not come straight back while somebody else could take it.
create or replace function hand_over(
    p_reservation bigint, p_queue bigint, p_agent bigint, p_actor bigint, p_apart interval, p_message bigint, p_now timestamptz)
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
    v_locked := array(
        select r.interaction_id
        union select interaction_id from reservation where agent_id = r.agent_id and state = 'accepted'
        order by 1);
    perform lock_interaction(id) from unnest(v_locked) as id;
    perform lock_agent(id) from (select unnest(array_remove(array[r.agent_id, p_agent], null)) as id order by 1) ordered;
    select * into i from interaction where id = r.interaction_id and state = 'active';
    if not found then
        return;
    end if;
    update reservation set state = 'completed', released_at = p_now, ended_at = p_now, due_at = null, disposition = 'transferred',
        version = version + 1
    where id = r.id and state = 'accepted' and released_at is null returning * into r;
    if not found then
        return;
    end if;
    perform end_segments(r.interaction_id, r.id, 'transferred', p_now);
    delete from draft where user_id = r.agent_id and interaction_id = r.interaction_id returning * into d;
    if p_queue is not null then
        insert into handed_over (queue_id, interaction_id, entered_at, answered_at, left_at)
        values (i.queue_id, i.id, coalesce(i.entered_at, i.queued_at), i.answered_at, p_now);
    end if;
    update interaction set
        state = 'queued', agent_id = null, preferred = null, preferred_as = null,
        queue_id = coalesce(p_queue, queue_id),
        entered_at = case when p_queue is null then entered_at else p_now end,
        answered_at = case when p_queue is null then answered_at end,
        treated = case when p_queue is null then treated end,
        note = coalesce(nullif(note, '') || case when d.note <> '' then E'\n' else '' end, '') || coalesce(d.note, ''),
        version = version + 1
    where id = r.interaction_id returning * into i;
    return query select * from log_interaction(i, 'interaction.transferred', p_now, r.agent_id, p_actor, jsonb_build_object(
        'kind', case when p_agent is null then 'queue' else 'agent' end, 'to', p_agent, 'left', r.id, 'message', p_message));
    update agent set not_before = p_now + p_apart where user_id = r.agent_id;
    if cardinality(v_locked) > 1 then
        return query select * from go_on(r, v_locked, p_now);
    end if;
    return query select * from settle_agent(
        r.agent_id, r.channel, -1, -1, null, p_now, 'agent.status', p_actor, i.id, p_now);
end
$$;
