-- What ties tickets to surveys and notices, for tickets that are merged and words that are deleted for their age.

-- The note in which the words of a bad answer stand, wherever its ticket's case goes on.
alter table survey add column message_id bigint references message (id);
update survey s set message_id = (
    select min(m.id) from message m where m.ticket_id = s.ticket_id and m.kind = 'note' and m.author_id is null)
where s.ticket_id is not null;

create index survey_ticket on survey (ticket_id) where ticket_id is not null;
create index notice_ticket on notice (ticket_id) where seen_at is null and ticket_id is not null;

drop index survey_words;
create index survey_words on survey (answered_at)
    where not wordless and answered_at is not null and (comment is not null or form_id is not null or message_id is not null);
-- Those whose words are gone already are looked at once more: their notes may have them still.
update survey set wordless = false where wordless and message_id is not null;
