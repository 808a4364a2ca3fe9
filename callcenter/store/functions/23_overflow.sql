-- The verbs of interactions, continued: what becomes of those that wait too long.

-- On it goes in another queue, with its time; the rules of that queue count from now. Only while it still waits where the
-- rule found it, so that two leaders move it once.
create or replace function overflow(
    p_interaction bigint, p_from bigint, p_to bigint, p_rule text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set queue_id = p_to, entered_at = p_now, version = version + 1
    where id = p_interaction and state = 'queued' and queue_id = p_from returning * into i;
    if found then
        return query select * from log_interaction(i, 'interaction.moved', p_now, null, null, jsonb_build_object(
            'from', p_from, 'reason', 'overflow', 'rule', p_rule));
    end if;
end
$$;

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
