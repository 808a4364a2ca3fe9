-- The verbs of interactions, continued: what becomes of those that wait too long.

-- A decision for its channel to carry out (callback, voicemail, closed), once for each rule; meanwhile it waits on.
create or replace function give_treatment(
    p_interaction bigint, p_queue bigint, p_treatment text, p_rule text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set treated = array_append(treated, p_rule), version = version + 1
    where id = p_interaction and state = 'queued' and queue_id = p_queue
      and not (p_rule = any (coalesce(treated, '{}'))) returning * into i;
    if found then
        return query select * from log_interaction(i, 'interaction.treatment', p_now, null, null, jsonb_build_object(
            'treatment', p_treatment, 'rule', p_rule));
    end if;
end
$$;
