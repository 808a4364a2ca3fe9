-- The note of the ticket that a bad answer opened: where the contact was written, its first line had been taken for it.
update survey s set wordless = false, message_id = (
    select min(m.id) from message m
    where m.ticket_id = s.ticket_id and m.kind = 'note' and m.author_id is null and m.interaction_id is null)
from message wrong
where wrong.id = s.message_id and (wrong.kind <> 'note' or wrong.interaction_id is not null);
