-- What tickets do to interactions.

-- The interaction belongs to a ticket (null: to none), and with a chat all that was said in it. Nothing when it does not exist
-- or belongs to it already.
create or replace function link_ticket(p_interaction bigint, p_ticket bigint, p_actor bigint, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set ticket_id = p_ticket, version = version + 1
    where id = p_interaction and ticket_id is distinct from p_ticket returning * into i;
    if found then
        update message set ticket_id = p_ticket where interaction_id = p_interaction and i.channel in ('chat', 'message');
        return query select * from log_interaction(i, 'interaction.linked', p_now, i.agent_id, p_actor, '{}');
    end if;
end
$$;
