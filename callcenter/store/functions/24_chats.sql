-- The verbs of chats: what is said in one, and how far it was read.

-- One more line. Nothing when this sender said it already, when the chat is over, or when an agent speaks before it is taken.
-- p_author: an agent; null: the visitor. Locks the interaction alone, so that lines are numbered in the order of the log.
create or replace function chat_say(
    p_interaction bigint, p_author bigint, p_text text, p_client_id text, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    c chat;
    v_message bigint;
begin
    perform lock_interaction(p_interaction);
    select * into i from interaction
    where id = p_interaction and (state = 'active' or p_author is null and state in ('new', 'queued', 'offered'))
      and not exists (
          select from chat_line
          where interaction_id = p_interaction and by_visitor = (p_author is null) and client_id = p_client_id);
    if not found then
        return;
    end if;
    -- Who writes has read what stands above.
    update chat set last = last + 1,
        visitor_read = case when p_author is null then last + 1 else visitor_read end,
        agent_read = case when p_author is null then agent_read else last + 1 end
    where interaction_id = p_interaction returning * into c;
    if not found then
        return;
    end if;
    insert into message (interaction_id, ticket_id, author_id, kind, public, text, at)
    values (p_interaction, i.ticket_id, p_author, case when p_author is null then 'inbound' else 'outbound' end, true, p_text, p_now)
    returning id into v_message;
    insert into chat_line (interaction_id, n, by_visitor, client_id, message_id)
    values (p_interaction, c.last, p_author is null, p_client_id, v_message);
    return query
        insert into contact_log (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, data)
        values (case when p_author is null then 'message.received' else 'message.sent' end, p_now, p_interaction, i.customer_id,
                i.agent_id, i.queue_id, i.ticket_id, p_author,
                jsonb_build_object('message', v_message, 'line', c.last, 'channel', 'chat'))
        returning *;
end
$$;

-- One side has read up to a line. Nothing when it had already.
create or replace function chat_read(p_interaction bigint, p_reader bigint, p_upto integer, p_now timestamptz)
returns setof contact_log
language plpgsql as $$
declare
    i interaction;
    c chat;
begin
    perform lock_interaction(p_interaction);
    update chat set
        visitor_read = case when p_reader is null then least(p_upto, last) else visitor_read end,
        agent_read = case when p_reader is null then agent_read else least(p_upto, last) end
    where interaction_id = p_interaction
      and least(p_upto, last) > case when p_reader is null then visitor_read else agent_read end
    returning * into c;
    if not found then
        return;
    end if;
    select * into i from interaction where id = p_interaction;
    return query
        insert into contact_log (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, data)
        values ('message.read', p_now, p_interaction, i.customer_id, i.agent_id, i.queue_id, i.ticket_id, p_reader,
                jsonb_build_object(
                    'by', case when p_reader is null then 'visitor' else 'agent' end, 'channel', 'chat',
                    'upto', case when p_reader is null then c.visitor_read else c.agent_read end))
        returning *;
end
$$;
