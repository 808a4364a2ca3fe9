-- name: reader
-- How far the asking has come; held until the end of the transaction. Nothing while another node does it.
select epoch, xid::text::bigint as xid, seq from log_reader where name = 'surveys' for update skip locked;

-- name: closed
-- What was closed after $5, behind a cursor, and is settled, in the order of the log; and the horizon up to which there is nothing else, which one
-- statement sees as it sees the rows: a row of it comes even when nothing was closed. Events of earlier epochs are settled
-- whatever their xid.
select h.epoch as to_epoch, h.xid::text::bigint as to_xid, l.epoch, l.xid::text::bigint as xid, l.seq, l.interaction_id
from (select log_epoch as epoch, pg_snapshot_xmin(pg_current_snapshot()) as xid from organisation) h
left join lateral (
    select c.epoch, c.xid, c.seq, c.interaction_id from contact_log c
    where (c.epoch, c.xid, c.seq) > ($1::integer, $2::text::xid8, $3::bigint) and (c.epoch < h.epoch or c.xid < h.xid)
      and c.kind = 'interaction.closed' and c.at > $5::timestamptz
    order by c.epoch, c.xid, c.seq limit $4
) l on true
order by l.epoch, l.xid, l.seq;

-- name: move_reader
update log_reader set epoch = $1, xid = $2::text::xid8, seq = $3 where name = 'surveys';

-- name: candidate
-- Whom a contact's queue may ask, and where: handled, of a known customer with an address that is more than a guess; a mail's own
-- address first, then the most certain one, then the newest. No row where nobody is to be asked.
select i.customer_id, i.queue_id, i.agent_id, i.channel, i.arrived_at, i.closed_at, q.survey, c.name,
       coalesce(i.language, c.language) as language, a.value as address
from interaction i
join queue q on q.id = i.queue_id and q.survey is not null
join customer c on c.id = i.customer_id
cross join lateral (
    select value from address
    where customer_id = i.customer_id and kind = 'email'
      and (certainty <> 'maybe' or i.address_kind = 'email' and value = i.address)
    order by i.address_kind is not distinct from 'email' and value = i.address desc, certainty = 'verified' desc, id desc limit 1
) a
where i.id = $1 and i.outcome = 'handled' and not exists (select from survey where interaction_id = i.id);

-- name: was_asked
-- Whether this customer, or somebody else at this address, was asked after a moment, or never wants to be.
select exists (select from survey where customer_id = $1 and asked_at > $3)
    or exists (select from survey_refusal where customer_id = $1 or address = $2)
    or exists (select from interaction i join survey x on x.interaction_id = i.id
               where $1::bigint is null and i.customer_id is null and i.address_kind is not null and i.address = $2
                 and x.asked_at > $3)
    or exists (select from outbox o join survey x on x.outbox_id = o.id where o.recipient = $2 and x.asked_at > $3);

-- name: customers
-- Of contacts, in the order in which they are locked.
select distinct customer_id from interaction where id = any($1::bigint[]) and customer_id is not null order by customer_id;

-- name: shows_stars
-- Whether the question about a chat stands on its page, or the answer to it; no row while nobody has asked.
select via <> 'mail' and expires_at > $2::timestamptz from survey where interaction_id = $1;

-- name: add
-- $12: the questionnaire, by name; its version of this moment stays with the survey.
insert into survey (interaction_id, customer_id, queue_id, agent_id, ask, bad, change_within, language, asked_at, expires_at, via,
    form_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, (select id from form where kind = 'survey' and name = $12::text and active))
returning id;

-- name: withdraw
delete from survey where id = $1 and answered_at is null returning true;

-- name: contact
-- Whom a contact's queue asks once the conversation is over, by whatever way; `asked`: the survey that there is already.
select i.customer_id, i.queue_id, i.agent_id, i.outcome, i.address, q.survey, coalesce(i.language, c.language) as language, s.id as asked
from interaction i
join queue q on q.id = i.queue_id
left join customer c on c.id = i.customer_id
left join survey s on s.interaction_id = i.id
where i.id = $1 and (q.survey is not null or s.id is not null);

-- name: is_contact
select exists (select from interaction where id = $1);

-- name: set_letter
update survey set outbox_id = $2 where id = $1;

-- name: survey
select s.id, s.interaction_id, s.customer_id, s.queue_id, s.agent_id, s.ask, s.bad, s.change_within, s.language, s.asked_at,
       s.expires_at, s.score, s.comment, s.answered_at, s.ticket_id, s.version, i.channel, i.arrived_at, s.answers,
       coalesce(f.definition, '{}') as form
from survey s join interaction i on i.id = s.interaction_id left join form f on f.id = s.form_id where s.id = $1;

-- name: answer
-- By compare-and-set on the version that was read under the interaction's lock. Their words are there to be deleted in time, again.
update survey set score = $3, comment = $4, answers = $6, wordless = false, answered_at = coalesce(answered_at, $5),
    changed_at = case when answered_at is not null then $5::timestamptz end, version = version + 1
where id = $1 and version = $2 returning version;

-- name: supervisor
-- Who is to hear of a bad score: the manager of the agent who had the contact.
select m.id from users u join users m on m.id = u.manager_id and m.active where u.id = $1;

-- name: has_ticket
select ticket_id is not null from interaction where id = $1;

-- name: set_ticket
-- With the note in which the words of the answer stand; before it may come what was written in the contact.
update survey set ticket_id = $2, message_id = (
    select min(id) from message where ticket_id = $2 and kind = 'note' and author_id is null and interaction_id is null)
where id = $1;

-- name: note_again
-- $2 is the note of the ticket that answer $1 opened, with what the customer says by now.
update message m set text = $2 from survey s where s.id = $1 and m.id = s.message_id and m.kind = 'note' and m.text <> $2;

-- name: link_key
select link_key from organisation;

-- name: refuse
-- For good, and once; the address is that of the letter in which they said so.
insert into survey_refusal (customer_id, address, survey_id, at)
select s.customer_id, nullif(o.recipient, ''), s.id, $2 from survey s left join outbox o on o.id = s.outbox_id where s.id = $1
on conflict do nothing returning id;

-- name: has_refused
select exists (select from survey_refusal r join survey s on s.id = $1 left join outbox o on o.id = s.outbox_id
               where r.customer_id = s.customer_id or r.address = o.recipient);

-- name: cancel_letters
-- Of questions to them that are still on their way.
update outbox o set state = 'failed', ended_at = $2, last_error = 'refused by the customer'
from survey s, survey mine
where mine.id = $1 and s.customer_id = mine.customer_id and o.id = s.outbox_id and o.state = 'waiting';

-- name: purge_letters
-- What was sent or given up before $1: that it was remains, whom it went to and what it said does not. At most $2 at once.
update outbox set recipient = '', recipient_name = null, data = '{}', last_error = null,
    subject = case when subject is not null then '' end, text = case when text is not null then '' end
where id in (select id from outbox where ended_at < $1 and ended_at is not null and recipient <> '' order by ended_at limit $2);

-- name: purge_words
-- What customers wrote before $1, in comments, in answers to questions that ask for a text, and behind the first paragraph (which
-- is ours) of the note in which we were told of it. At most $2 at once.
with old as (
    select id, message_id from survey where not wordless and answered_at < $1 and answered_at is not null
      and (comment is not null or form_id is not null or message_id is not null) order by answered_at limit $2
), noted as (
    update message m set text = split_part(m.text, e'\n\n', 1) from old where m.id = old.message_id and m.kind = 'note'
)
update survey s set comment = null, wordless = true, answers = coalesce((
    select jsonb_object_agg(a.key, a.value) from jsonb_each(s.answers) a
    where a.key in (select q ->> 'name' from form f, jsonb_array_elements(f.definition -> 'questions') q
                    where f.id = s.form_id and q ->> 'kind' <> 'text')), '{}')
from old where s.id = old.id;
