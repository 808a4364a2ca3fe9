-- Everything that tells of a person is emptied; what is counted and measured stays, so that no figure of the past changes.

-- All records of one person: theirs, and those that were merged into it.
create or replace function customer_records(p_id bigint) returns bigint[]
language sql stable as $$
    with recursive line as (
        select id from customer where id = p_id
        union
        select c.id from customer c join line on c.merged_into = line.id
    )
    select array_agg(id) from line
$$;

-- What there is of these records, the same for what is given out and for what is emptied:
-- `places`, addresses that nobody else has; `cases`, their tickets; `contacts`; `letters`, ours to them.
-- An address may be another's as well: what came from it without a name is theirs in their own tickets alone. There it is so from
-- an address that nobody has, too, as bounces are; not what came from somebody else, who keeps their words.
create or replace function traces_of(
    p_who bigint[], out places text[], out cases bigint[], out contacts bigint[], out letters bigint[])
language plpgsql stable as $$
declare
    kinds constant text[] := '{email,phone,fax,web,external}';
begin
    places := array(
        select distinct a.value from address a
        where a.customer_id = any (p_who)
          and not exists (select from address b where b.kind = any (kinds) and b.value = a.value and b.customer_id <> all (p_who)));
    contacts := array(
        select id from interaction where customer_id = any (p_who)
        union
        select i.id from interaction i join address a on a.customer_id = any (p_who) and a.kind = i.address_kind and a.value = i.address
        where i.customer_id is null and i.address_kind is not null and i.address = any (places));
    cases := array(
        select id from ticket where customer_id = any (p_who)
        union
        -- Opened by what they wrote while nobody knew who they are.
        select t.id from ticket t
        where t.id in (select ticket_id from interaction where id = any (contacts)) and t.customer_id is null
          and (select i.id from interaction i where i.ticket_id = t.id order by i.id limit 1) = any (contacts));
    contacts := array(
        select unnest(contacts)
        union
        select i.id from interaction i
        where i.ticket_id = any (cases) and i.customer_id is null
          and (not exists (select from address a where a.kind = i.address_kind and a.value = i.address)
               or exists (select from address a where a.kind = i.address_kind and a.value = i.address and a.customer_id = any (p_who))));
    letters := array(
        select id from outbox
        where customer_id = any (p_who) or interaction_id = any (contacts) or recipient = any (places)
           -- What was written to somebody else about their case is somebody else's.
           or ticket_id = any (cases) and interaction_id is null and (customer_id is null or customer_id = any (p_who))
              and not exists (select from address a where a.kind = 'email' and a.value = lower(recipient)
                              and a.customer_id <> all (p_who)));
    -- A letter that came back is quoted in the report.
    contacts := array(
        select unnest(contacts)
        union
        select m.interaction_id from mail m join interaction i on i.id = m.interaction_id
        where m.outbox_id = any (letters) and i.customer_id is null);
end
$$;

-- What was said with these contacts, in these tickets and in these letters; what others wrote to us there, or got, is theirs.
create or replace function customer_words(p_contacts bigint[], p_cases bigint[], p_letters bigint[]) returns bigint[]
language sql stable as $$
    select array(
        select id from message m
        where interaction_id = any (p_contacts)
           or ticket_id = any (p_cases) and (kind <> 'inbound' or interaction_id is null)
              and not exists (select from outbox o where o.said_id = m.id and o.id <> all (p_letters))
        union
        select said_id from outbox where id = any (p_letters) and said_id is not null)
$$;

-- Rows emptied, by table. Tickets in which somebody else has the main part keep their words, except for those of this person.
create or replace function empty_customer(p_customer bigint, p_now timestamptz) returns jsonb
language plpgsql as $$
declare
    who bigint[] := customer_records(p_customer);
    trace record := traces_of(who);
    places text[] := trace.places;
    cases bigint[] := trace.cases;
    sent bigint[] := trace.letters;
    -- With what was noted while their tickets were on offer, and what colleagues wrote about them by mail.
    contacts bigint[] := array(
        select unnest(trace.contacts)
        union select interaction_id from offered_work where ticket_id = any (cases)
        union select id from interaction where ticket_id = any (cases) and end_cause = 'colleague'
        union select w.interaction_id from task k join offered_work w on w.task_id = k.id where k.ticket_id = any (cases));
    words bigint[] := customer_words(contacts, cases, sent);
    letters bigint[] := array(select id from mail where interaction_id = any (contacts));
    -- Where links to the portal went: to what they wrote from and what we wrote to as well, since an address may be theirs no more.
    mailboxes text[] := array(
        select named from (
            select unnest(places)
            union select address from interaction where id = any (contacts) and address is not null
            union select lower(recipient) from outbox where id = any (sent)) as found (named)
        where not exists (select from address where kind = 'email' and value = named and customer_id <> all (who)));
    done jsonb := '{}';
    rows bigint;
begin
    delete from upload where message_id = any (words);
    get diagnostics rows = row_count; done := done || jsonb_build_object('upload', rows);
    delete from mail_attachment where mail_id = any (letters);
    get diagnostics rows = row_count; done := done || jsonb_build_object('mail_attachment', rows);
    update mail set raw = '', message_id = null, refs = '{}', sender = null, sender_name = null, correspondent = null, html = null,
        notes = '{}'
    where id = any (letters);
    get diagnostics rows = row_count; done := done || jsonb_build_object('mail', rows);
    delete from mail_flood where address = any (places) or ticket_id = any (cases);
    update message set text = '' where id = any (words);
    get diagnostics rows = row_count; done := done || jsonb_build_object('message', rows);
    -- What still waits to be sent is not.
    update outbox set recipient = '', recipient_name = null, data = '{}', thread = '{}', message_id = null, last_error = null,
        subject = case when template is null then '' end, text = case when template is null then '' end,
        state = case when state = 'waiting' then 'failed' else state end,
        ended_at = case when state = 'waiting' then p_now else ended_at end
    where id = any (sent);
    get diagnostics rows = row_count; done := done || jsonb_build_object('outbox', rows);
    update chat set page = null, page_title = null, token_hash = sha256(('erased/' || interaction_id)::bytea)
    where interaction_id = any (contacts);
    get diagnostics rows = row_count; done := done || jsonb_build_object('chat', rows);
    update chat_line set client_id = n::text where interaction_id = any (contacts);
    update gateway_thread set correspondent = 'erased/' || interaction_id where interaction_id = any (contacts);
    get diagnostics rows = row_count; done := done || jsonb_build_object('gateway_thread', rows);
    update gateway_inbound set external_id = 'erased/' || message_id where message_id = any (words);
    update gateway_outbound set external_id = null, last_error = null,
        state = case when state = 'waiting' then 'failed' else state end,
        ended_at = case when state = 'waiting' then p_now else ended_at end
    where interaction_id = any (contacts);
    delete from draft where interaction_id = any (contacts);
    get diagnostics rows = row_count; done := done || jsonb_build_object('draft', rows);
    delete from ticket_draft where ticket_id = any (cases);
    get diagnostics rows = row_count; done := done || jsonb_build_object('ticket_draft', rows);
    update reservation set note = null where interaction_id = any (contacts) and note is not null;
    get diagnostics rows = row_count; done := done || jsonb_build_object('reservation', rows);
    -- Of our own calls the number that was called is the customer's.
    update segment set leg = null,
        endpoint = case when agent_id is null or interaction_id in (select id from interaction where direction = 'outbound')
                        then null else endpoint end
    where interaction_id = any (contacts);
    update survey set comment = null, answers = '{}', wordless = true
    where interaction_id = any (contacts) or customer_id = any (who);
    get diagnostics rows = row_count; done := done || jsonb_build_object('survey', rows);
    delete from survey_refusal where customer_id = any (who) or address = any (places);
    get diagnostics rows = row_count; done := done || jsonb_build_object('survey_refusal', rows);
    update task set title = '—' where ticket_id = any (cases);
    get diagnostics rows = row_count; done := done || jsonb_build_object('task', rows);
    update ticket set subject = '—', fields = '{}' where id = any (cases);
    get diagnostics rows = row_count; done := done || jsonb_build_object('ticket', rows);
    update ticket set customers = array(select one from unnest(customers) one where one <> all (who))
    where customers <> '{}' and customers && who;
    delete from ticket_history where ticket_id = any (cases) and (field = 'subject' or field like 'fields.%');
    get diagnostics rows = row_count; done := done || jsonb_build_object('ticket_history', rows);
    -- The log holds ids and states only; the id that another system gave to a contact may name a person.
    update contact_log set data = data || jsonb_build_object('external_id', 'erased/' || interaction_id)
    where interaction_id = any (contacts) and data ->> 'external_id' is not null;
    get diagnostics rows = row_count; done := done || jsonb_build_object('contact_log', rows);
    update delivery d set body = jsonb_set(body, '{data,external_id}', l.data -> 'external_id')
    from contact_log l
    where l.interaction_id = any (contacts) and l.data ->> 'external_id' is not null and d.seq = l.seq
      and d.body -> 'data' ? 'external_id';
    update callback set number = null, due_at = null where interaction_id = any (contacts) and number is not null;
    update interaction set external_id = case when external_id is not null then 'erased/' || id end, leg = null,
        address_kind = null, address = null, address_name = null, subject = null, note = null,
        called = case when direction = 'outbound' then null else called end
    where id = any (contacts);
    get diagnostics rows = row_count; done := done || jsonb_build_object('interaction', rows);
    update contract set name = '—', note = null, external_id = null where customer_id = any (who);
    get diagnostics rows = row_count; done := done || jsonb_build_object('contract', rows);
    update customer_order set number = 'erased/' || id where customer_id = any (who);
    get diagnostics rows = row_count; done := done || jsonb_build_object('customer_order', rows);
    update customer_value set hand_reason = null where customer_id = any (who);
    update customer_merge set taken = '{}', moved = moved - 'standing' where source_id = any (who) or target_id = any (who);
    update do_not_call set reason = null where number = any (places);
    delete from portal_link where address = any (mailboxes);
    delete from portal_session where address = any (mailboxes);
    get diagnostics rows = row_count; done := done || jsonb_build_object('portal_session', rows);
    delete from address where customer_id = any (who);
    get diagnostics rows = row_count; done := done || jsonb_build_object('address', rows);
    update customer set name = '—', external_id = null, company = null, language = null, note = null, owner_id = null,
        erased_at = p_now, version = version + 1
    where id = any (who);
    get diagnostics rows = row_count; done := done || jsonb_build_object('customer', rows);
    return done;
end
$$;
