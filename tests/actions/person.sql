-- One row of each kind, with the person's mark (~) in every column that can hold it, at a moment.
insert into customer (id, name, company, tier, language, note, external_id) overriding system value
values (1, '~', '~', 'gold', '~', '~', '~'), (2, 'Bo', null, null, null, null, 'B');
insert into company (name, merged_into) select '~ Pipes', id from company;
insert into company_merge (source_id, target_id, at, people, names, domains) select id, merged_into, $1, '{1}', '{~}', '{~}'
from company where merged_into is not null;
insert into address (customer_id, kind, value, certainty, bounced_words, created_at)
values (1, 'email', '~@example.com', 'known', '~', $1), (2, 'email', 'bo@example.com', 'known', null, $1);
insert into users (id, name, full_name, role) overriding system value values (1, 'amy', 'Amy', 'agent');
insert into agent (user_id) values (1);
insert into queue (id, name) overriding system value values (1, 'support');
insert into widget (id, key, queue_id, sites) overriding system value values (1, 'w', 1, '{}');
insert into ticket (id, number, subject, state, priority, customer_id, created_at, updated_at, fields) overriding system value
values (1, 1, '~', 'open', 'normal', 1, $1, $1, '{"model": "~"}'), (2, 2, 'Bo', 'open', 'normal', 2, $1, $1, '{}');
update ticket set customers = '{1}' where id = 2;
update ticket set subject = '~ again', fields = '{"model": "the ~"}', version = 2 where id = 1;
insert into interaction (id, channel, direction, state, outcome, external_id, leg, customer_id, queue_id, agent_id, ticket_id,
    address_kind, address, called, address_name, subject, note, arrived_at, queued_at, answered_at, ended_at, closed_at)
overriding system value
select n, 'email', case n when 1 then 'inbound' else 'outbound' end, 'closed', 'handled', '~' || n, '~', 1, 1, 1, 1,
    'email', '~@example.com', case n when 2 then '~' end, '~', '~', '~', $1, $1, $1, $1, $1 from generate_series(1, 2) n;
insert into segment (interaction_id, n, agent_id, kind, leg, endpoint, started_at)
values (1, 1, 1, 'agent', '~', 'PJSIP/1001', $1), (2, 1, null, 'agent', '~', '~', $1);
insert into callback (interaction_id, number) values (1, '~');
insert into draft (user_id, interaction_id, note, disposition, answer, updated_at) values (1, 1, '~', '~', '~', $1);
insert into ticket_draft (user_id, ticket_id, text, updated_at) values (1, 1, '~', $1);
insert into message (id, interaction_id, ticket_id, kind, public, text, at) overriding system value
values (1, 1, 1, 'inbound', true, '~', $1), (2, null, 1, 'note', false, '~', $1), (3, null, 2, 'note', false, 'Bo', $1);
insert into outbox (recipient, recipient_name, subject, text, data, thread, customer_id, ticket_id, message_id, created_at, due_at,
    expires_at)
values ('~@example.com', '~', '~', '~', '{"a": "~"}', '{"a": "~"}', 1, 1, '~', $1, $1, $1);
insert into mail (id, interaction_id, message_id, refs, sender, sender_name, correspondent, nature, html, notes, size, raw,
    received_at)
overriding system value values (1, 1, '~', '{~}', '~', '~', '~', 'person', '~', '{~}', 9, '~', $1);
insert into mail_flood (address, ticket_id) values ('~', 1);
insert into mail_attachment (mail_id, n, name, type, size, start, length, encoding, cid, inline)
values (1, 1, '~', '~', 1, 1, 1, '~', '~', false);
insert into upload (message_id, owner, name, type, size, data, created_at) values (1, '~', '~', '~', 1, '~', $1);
insert into chat (interaction_id, widget_id, token_hash, identity, language, page, page_title)
values (2, 1, '~', 'typed', 'en', '~', '~');
insert into chat_line (interaction_id, n, by_visitor, client_id, message_id) values (2, 1, true, '~', 1);
insert into gateway (id, name, queue_id, body) overriding system value values (1, 'sms', 1, '{}');
insert into gateway_thread (interaction_id, gateway_id, correspondent) values (1, 1, '~');
insert into gateway_inbound (gateway_id, external_id, message_id) values (1, '~', 1);
insert into gateway_outbound (gateway_id, interaction_id, message_id, created_at, due_at, expires_at, external_id, last_error)
values (1, 1, 2, $1, $1, $1, '~', '~');
insert into survey (id, interaction_id, customer_id, queue_id, ask, bad, change_within, asked_at, expires_at, score, comment, answers)
overriding system value values (1, 1, 1, 1, 'csat', 2, '1 hour', $1, $1, 4, '~', '{"a": "~"}');
insert into survey_refusal (customer_id, address, survey_id, at) values (1, '~@example.com', 1, $1);
insert into task (ticket_id, title, state, created_at, updated_at) values (1, '~', 'open', $1, $1);
insert into contract_kind (id, name, title) overriding system value values (1, 'care', 'Care');
insert into contract (customer_id, kind_id, external_id, name, note, starts_on, starts_at, created_at)
values (1, 1, '~', '~', '~', '2026-01-01', $1, $1);
insert into customer_merge (source_id, target_id, at, moved, taken)
values (1, 2, $1, '{"standing": {"hand_reason": "~"}}', '{"name": ["~", "~"]}');
insert into customer_order (number, customer_id, ordered_on, amount, currency) values ('~', 1, '2026-01-01', 5, 'CNY');
insert into customer_value (customer_id, hand_tier, hand_reason) values (1, 'gold', '~');
insert into contact_log (kind, at, interaction_id, customer_id, data)
values ('interaction.arrived', $1, 1, 1, '{"channel": "email", "external_id": "~1"}');
-- What came without a name: from their address before they had a record, opening a ticket of its own; our letters back, in their
-- ticket and outside of any; what somebody else wrote in their ticket, and they in another's.
insert into ticket (id, number, subject, state, priority, created_at, updated_at, fields) overriding system value
values (3, 3, '~', 'open', 'normal', $1, $1, '{"model": "~"}');
insert into interaction (id, channel, direction, state, outcome, external_id, customer_id, queue_id, ticket_id, address_kind, address,
    address_name, subject, note, arrived_at, closed_at)
overriding system value values
(11, 'email', 'inbound', 'closed', 'handled', '~11', null, 1, 3, 'email', '~@example.com', '~', '~', '~', $1, $1),
(12, 'email', 'inbound', 'closed', 'handled', '~12', null, 1, 1, 'email', 'mailer-daemon@example.com', '~', '~', '~', $1, $1),
(13, 'email', 'inbound', 'closed', 'handled', '~13', null, 1, null, 'email', 'mailer-daemon@example.com', '~', '~', '~', $1, $1),
(14, 'email', 'inbound', 'closed', 'handled', 'b14', 2, 1, 1, 'email', 'bo@example.com', 'Bo', 'Bo', 'Bo', $1, $1),
(15, 'email', 'inbound', 'closed', 'handled', '~15', null, 1, 2, 'email', '~@example.com', '~', '~', '~', $1, $1),
(16, 'email', 'inbound', 'closed', 'handled', 'b16', null, 1, 1, 'email', 'bo@example.com', 'Bo', 'Bo', 'Bo', $1, $1);
insert into message (id, interaction_id, ticket_id, kind, public, text, at) overriding system value
select n, n, i.ticket_id, 'inbound', true, case when i.address like 'bo@%' then 'Bo' else '~' end, $1
from generate_series(11, 16) n join interaction i on i.id = n;
insert into outbox (id, recipient, recipient_name, subject, text, data, thread, customer_id, message_id, state, created_at, due_at,
    ended_at, expires_at)
overriding system value values
(11, '~@example.com', '~', '~', '~', '{"a": "~"}', '{"a": "~"}', null, '~11', 'sent', $1, $1, $1, $1),
(12, '~@example.com', '~', '~', '~', '{"a": "~"}', '{"a": "~"}', 2, '~12', 'sent', $1, $1, $1, $1);
insert into mail (id, interaction_id, outbox_id, message_id, refs, sender, sender_name, correspondent, nature, html, notes, size, raw,
    received_at)
overriding system value
select i.id, i.id, case i.id when 13 then 11 end, words.own, array[words.own], words.own, words.own, words.own,
    case when i.address like 'mailer%' then 'bounce' else 'person' end, words.own, array[words.own], 9, words.own::bytea, $1
from interaction i, lateral (select case when i.address like 'bo@%' then 'Bo' else '~' end as own) words where i.id >= 11;
