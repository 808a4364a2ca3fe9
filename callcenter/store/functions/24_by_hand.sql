-- A contact that nobody routed: an agent says what happened, and it is over.

-- One note more of the same key changes nothing and returns nothing.
create or replace function note_by_hand(
    p_channel text, p_direction text, p_key text, p_customer bigint, p_agent bigint, p_queue bigint,
    p_began timestamptz, p_ended timestamptz, p_disposition text, p_note text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    v_data jsonb;
begin
    insert into interaction (
        channel, direction, state, outcome, external_id, customer_id, queue_id, agent_id, subject, arrived_at, answered_at, ended_at,
        closed_at, disposition, note, end_cause, segments)
    values (
        p_channel, p_direction, 'closed', 'handled', p_key, p_customer, p_queue, p_agent, left(p_note, 60), p_began, p_began, p_ended,
        p_now, p_disposition, p_note, 'by_hand', 1)
    on conflict (channel, external_id) where external_id is not null do nothing
    returning * into i;
    if not found then
        return;
    end if;
    insert into segment (interaction_id, n, agent_id, started_at, answered_at, ended_at, cause)
    values (i.id, 1, p_agent, p_began, p_began, p_ended, 'by_hand');
    v_data := jsonb_build_object('external_id', p_key, 'by_hand', true);
    return query select * from log_interaction(i, 'interaction.arrived', p_now, p_agent, p_agent, v_data);
    return query select * from log_interaction(i, 'interaction.closed', p_now, p_agent, p_agent, v_data || jsonb_build_object(
        'outcome', i.outcome, 'disposition', p_disposition));
end
$$;
