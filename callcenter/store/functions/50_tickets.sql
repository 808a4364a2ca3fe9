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

-- A new ticket, of an interaction if there is one, which is locked; p_data: what the log says of the ticket. The number of the
-- ticket with each row of the log.
create or replace function open_ticket(
    p_subject text, p_state text, p_priority text, p_category text, p_queue bigint, p_owner bigint, p_customer bigint,
    p_actor bigint, p_now timestamptz, p_type text, p_tags text[], p_followers bigint[], p_customers bigint[], p_fields jsonb,
    p_parent bigint, p_interaction bigint, p_data jsonb)
returns table (number bigint, entry contact_log)
language plpgsql as $$
declare
    t ticket;
begin
    insert into ticket (number, subject, state, priority, category, queue_id, owner_id, customer_id, created_by, created_at,
        updated_at, type, tags, followers, customers, fields, parent_id, updated_by)
    values (nextval('ticket_number'), p_subject, p_state, p_priority, p_category, p_queue, p_owner, p_customer, p_actor, p_now,
        p_now, p_type, p_tags, p_followers, p_customers, p_fields, p_parent, p_actor)
    returning * into t;
    number := t.number;
    if p_interaction is not null then
        for entry in select * from link_ticket(p_interaction, t.id, p_actor, p_now) loop
            return next;
        end loop;
    end if;
    insert into contact_log (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version, data)
    values ('ticket.opened', p_now, p_interaction, p_customer, p_owner, p_queue, t.id, p_actor, t.version, p_data)
    returning * into entry;
    return next;
end
$$;
