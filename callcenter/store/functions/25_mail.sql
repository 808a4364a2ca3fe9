-- What a message by mail asks and writes, in a round trip each.

-- All that is to be known of a message before anything is decided. `known`: the interaction that it became when it came first; of such a one
-- nothing else is said. id to new_after: of the first of these addresses that is one of ours, as long as its queue is served.
-- `ours`: it is our own, by its sender or its id; `colleague`: which of our users sent it; `much`: as many have come from there
-- after p_since as may in an hour (p_most, unless the organisation says another number); `gateway`: its sender sends faxes on.
-- One message of a correspondent at a time: their order is kept, and one acknowledgement is enough. A function and not a query,
-- since what is read must be younger than the lock.
create or replace function meet_mail(
    p_correspondent text, p_fingerprint text, p_named text[], p_bare text[], p_message_id text, p_address text, p_since timestamptz,
    p_most integer, p_gateways text[],
    out known bigint, out id bigint, out address text, out queue_id bigint, out language text, out closed text, out acknowledge boolean,
    out new_after interval, out default_queue bigint, out ours boolean, out colleague bigint, out much boolean, out gateway boolean,
    out link_key bytea)
language plpgsql as $$
#variable_conflict use_column
begin
    perform lock_aggregate(12, hashtextextended(p_correspondent, 0) & ((1::bigint << 56) - 1));
    select i.id into known from interaction i
    where i.channel in ('email', 'fax') and i.external_id = p_fingerprint and exists (select from mail where interaction_id = i.id);
    if found then
        return;
    end if;
    select m.id, m.address, m.queue_id, m.language, m.closed, m.acknowledge, m.new_after
    into id, address, queue_id, language, closed, acknowledge, new_after
    from unnest(p_named) with ordinality as given (address, place)
    join mailbox m on m.address = given.address and m.active join queue q on q.id = m.queue_id and q.active
    order by place limit 1;
    select (select q.id from queue q where is_default and active), o.link_key,
        exists (select from mailbox m where m.address = any (p_bare) and active)
            or exists (select from outbox where message_id = p_message_id),
        (select u.id from users u where lower(email) = p_address and active limit 1),
        (select count(*) from (
            select from mail where correspondent = p_address and received_at > p_since
            limit coalesce((o.mail_rules ->> 'messages_per_hour')::integer, p_most)) latest)
            >= coalesce((o.mail_rules ->> 'messages_per_hour')::integer, p_most),
        exists (select from fax_gateway where active and sender = any (p_gateways))
    into default_queue, link_key, ours, colleague, much, gateway
    from organisation o;
end
$$;

-- A message as it came, what it says, and where its attachments stand in it. Whoever wrote from p_reached can be reached there.
-- Without p_text nobody outside has said anything.
create or replace function keep_mail(
    p_interaction bigint, p_ticket bigint, p_queue bigint, p_mailbox bigint, p_message_id text, p_refs text[], p_sender text,
    p_sender_name text, p_nature text, p_outbox bigint, p_html text, p_notes text[], p_size integer, p_raw bytea, p_correspondent text,
    p_text text, p_reached text, p_now timestamptz, p_names text[], p_types text[], p_sizes integer[], p_starts integer[],
    p_lengths integer[], p_encodings text[], p_cids text[], p_inline boolean[])
returns setof contact_log
language plpgsql as $$
declare
    v_mail bigint;
    v_message bigint;
begin
    insert into mail (interaction_id, mailbox_id, message_id, refs, sender, sender_name, nature, outbox_id, html, notes, size, raw,
        received_at, correspondent)
    values (p_interaction, p_mailbox, p_message_id, p_refs, p_sender, p_sender_name, p_nature, p_outbox, p_html, p_notes, p_size,
        p_raw, p_now, p_correspondent)
    returning id into v_mail;
    if p_names <> '{}' then
        insert into mail_attachment (mail_id, n, name, type, size, start, length, encoding, cid, inline)
        select v_mail, n, name, type, size, start, length, encoding, cid, inline
        from unnest(p_names, p_types, p_sizes, p_starts, p_lengths, p_encodings, p_cids, p_inline) with ordinality
            as a (name, type, size, start, length, encoding, cid, inline, n);
    end if;
    if p_reached is not null then
        update address set bounced_at = null, bounced_words = null
        where kind = 'email' and value = p_reached and bounced_at is not null;
    end if;
    if p_text is null then
        return;
    end if;
    insert into message (interaction_id, ticket_id, kind, public, text, at)
    values (p_interaction, p_ticket, 'inbound', true, p_text, p_now) returning id into v_message;
    return query
        insert into contact_log (kind, at, interaction_id, ticket_id, queue_id, data)
        values ('message.received', p_now, p_interaction, p_ticket, p_queue, jsonb_build_object(
            'message', v_message, 'nature', p_nature, 'attachments', cardinality(p_names)))
        returning *;
end
$$;
