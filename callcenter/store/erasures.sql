-- name: records
select customer_records($1) as ids;

-- name: records_now
-- The same, wherever the record was merged to.
select customer_records(customer_now($1)) as ids;

-- name: merged_into
-- The customer who has all that was theirs, if there is one.
select nullif(customer_now($1), $1);

-- name: going_on
-- A contact of these customers that has not ended yet.
select id from interaction where id = any ((select contacts from traces_of($1::bigint[]))::bigint[]) and state <> 'closed' order by id limit 1;

-- name: tickets
select id from ticket where id = any ((select cases from traces_of($1::bigint[]))::bigint[]) or (customers <> '{}' and customers && $1::bigint[]) order by id;

-- name: empty
select empty_customer($1, $2);

-- name: keep
insert into erasure (customer_id, at, by_id, reason, emptied) values ($1, $2, $3, $4, $5) returning id;

-- name: of_customer
-- The latest proof that a customer was erased.
select e.id, e.customer_id, e.at, (select name from users where id = e.by_id) as by, e.reason, e.emptied
from erasure e where e.customer_id = $1 order by e.id desc limit 1;

-- name: export
-- All that we know of a person (the records $1), as one document; raw messages and files are told by their names.
with trace as materialized (
    select places, cases, contacts, letters, customer_words(contacts, cases, letters) as words from traces_of($1))
select jsonb_build_object(
    'records', (select jsonb_agg(to_jsonb(c) - 'owner_id') from customer c where id = any ($1)),
    'addresses', coalesce((select jsonb_agg(to_jsonb(a) - 'id' order by id) from address a where customer_id = any ($1)), '[]'),
    'contacts', coalesce((
        select jsonb_agg(to_jsonb(i) - '{node_id,leg,preferred,preferred_as,version}'::text[] || jsonb_build_object(
            'queue', (select name from queue where id = i.queue_id), 'agent', (select name from users where id = i.agent_id),
            'chat', (select jsonb_build_object('page', page, 'page_title', page_title) from chat where interaction_id = i.id),
            'callback', (select jsonb_build_object('number', number, 'due_at', due_at) from callback where interaction_id = i.id),
            'correspondent', (select correspondent from gateway_thread where interaction_id = i.id),
            'drafts', coalesce((select jsonb_agg(jsonb_build_object('note', note, 'answer', answer, 'disposition', disposition))
                                from draft where interaction_id = i.id), '[]'),
            'segments', coalesce((select jsonb_agg(to_jsonb(s) - '{leg,reservation_id}'::text[] order by s.n)
                                  from segment s where interaction_id = i.id), '[]'),
            'messages', coalesce((select jsonb_agg(to_jsonb(m) - 'author_id' order by m.id)
                                  from message m where interaction_id = i.id), '[]')) order by i.id)
        from interaction i where id = any (trace.contacts)), '[]'),
    'tickets', coalesce((
        select jsonb_agg(to_jsonb(t) - '{updated_by,followers}'::text[] || jsonb_build_object(
            'former', coalesce((select jsonb_agg(jsonb_build_object('field', field, 'before', before, 'after', after, 'at', at) order by version)
                                from ticket_history where ticket_id = t.id and (field = 'subject' or field like 'fields.%')), '[]'),
            'tasks', coalesce((select jsonb_agg(jsonb_build_object('title', title, 'state', state, 'due_at', due_at) order by id)
                               from task where ticket_id = t.id), '[]'),
            'drafts', coalesce((select jsonb_agg(text) from ticket_draft where ticket_id = t.id), '[]'),
            'messages', coalesce((select jsonb_agg(to_jsonb(m) - 'author_id' order by m.id)
                                  from message m where ticket_id = t.id and id = any (trace.words)), '[]')) order by t.id)
        from ticket t where id = any (trace.cases)), '[]'),
    'letters', coalesce((select jsonb_agg(to_jsonb(o) - '{attempts}'::text[] order by id)
                         from outbox o where id = any (trace.letters)
                           and not exists (select from users where email = o.recipient and customer_id is null)), '[]'),
    'surveys', coalesce((select jsonb_agg(to_jsonb(s) order by id) from survey s
                         where customer_id = any ($1) or interaction_id = any (trace.contacts)), '[]'),
    'refused_surveys', coalesce((select jsonb_agg(to_jsonb(r) order by id) from survey_refusal r
                                 where customer_id = any ($1) or address = any (trace.places)), '[]'),
    'do_not_call', coalesce((select jsonb_agg(to_jsonb(d) - 'added_by') from do_not_call d where number = any (trace.places)), '[]'),
    'value', coalesce((select jsonb_agg(to_jsonb(v) - '{hand_by,due_at,revision}'::text[]) from customer_value v
                       where customer_id = any ($1)), '[]'),
    'contracts', coalesce((select jsonb_agg(to_jsonb(k) order by id) from contract k where customer_id = any ($1)), '[]'),
    'orders', coalesce((select jsonb_agg(to_jsonb(o) order by id) from customer_order o where customer_id = any ($1)), '[]'))
from trace;

-- name: files
-- Raw messages and uploads of these records: name in the archive, id, kind, size.
with trace as materialized (
    select contacts, customer_words(contacts, cases, letters) as words from traces_of($1::bigint[]))
select 'mail/' || l.id || '.eml' as name, l.id, 'mail' as kind, l.size
from trace, mail l where l.interaction_id = any (trace.contacts)
union all
select 'files/' || u.id || '-' || u.name, u.id, 'upload', u.size
from trace, upload u where u.message_id = any (trace.words);

-- name: mail
select raw from mail where id = $1;

-- name: upload
select data from upload where id = $1;
