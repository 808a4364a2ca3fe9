-- name: letters
select t.kind, q.name as queue, t.language, t.subject, t.text
from letter_template t left join queue q on q.id = t.queue_id where q.id is null or q.active order by t.id;

-- name: put
insert into letter_template (kind, queue_id, language, subject, text)
values ($1, (select id from queue where name = $2), $3, $4, $5)
on conflict (kind, queue_id, language) do update set subject = excluded.subject, text = excluded.text;

-- name: drop
delete from letter_template
where kind = $1 and queue_id is not distinct from (select id from queue where name = $2) and language is not distinct from $3;

-- name: rules
select mail_rules from organisation;

-- name: set_rules
update organisation set mail_rules = $1;

-- name: sign_user
update users set signature = $2 where name = $1;

-- name: sign_queue
update queue set signature = $2 where name = $1;

-- name: about
-- Of what a letter about a ticket may speak, and how: all in one.
select t.number, t.subject, t.customer_id, c.name as customer, c.company, c.language, q.id as queue_id, q.name as queue,
    q.signature as queue_signature, u.full_name as agent, u.signature as agent_signature, o.name as organisation, o.languages,
    o.link_key, o.mail_rules, (
        select s.due_at from sla_clock s where s.ticket_id = t.id and s.clock = 'first_response' and s.state = 'running') as due_at
from organisation o cross join ticket t left join customer c on c.id = t.customer_id
left join queue q on q.id = t.queue_id left join users u on u.id = $2
where t.id = $1;

-- name: acknowledging
-- The same of the ticket $1 in the queue $2; and when the address $3 was acknowledged last, how many letters that nobody wrote
-- went to it after $4, of its last hundred, and whether the organisation has words of its own for acknowledgements.
select t.number, t.subject, t.customer_id, c.name as customer, c.company, c.language, q.id as queue_id, q.name as queue,
    q.signature as queue_signature, null as agent, null as agent_signature, o.name as organisation, o.languages,
    o.link_key, o.mail_rules, (
        select s.due_at from sla_clock s where s.ticket_id = t.id and s.clock = 'first_response' and s.state = 'running') as due_at,
    (select max(created_at) from outbox where template = 'acknowledgement' and recipient = $3) as told_at,
    (select count(*) from (select created_at, thread from outbox where recipient = $3 order by id desc limit 100) latest
     where created_at > $4 and thread ->> 'auto' <> 'no') as automatic,
    exists (select from letter_template where kind = 'acknowledgement') as worded
from organisation o cross join ticket t left join customer c on c.id = t.customer_id left join queue q on q.id = $2
where t.id = $1;

-- name: automatic_since
-- How many letters that nobody wrote went to this address after $2, of its last hundred.
select count(*) from (
    select created_at, thread from outbox where recipient = $1 order by id desc limit 100
) latest where created_at > $2 and thread ->> 'auto' <> 'no';
