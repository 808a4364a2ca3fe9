-- What is searched of a ticket is gathered once a statement and no longer once a row: a chat of 500 lines that becomes a
-- ticket, or is erased, read all of them 500 times.

drop trigger follow_text on message;
drop trigger follow_new_text on message;

-- Of all texts together the first 100,000 characters.
create function gather_ticket_texts(p_tickets bigint[]) returns void
language sql
as $$
    insert into ticket_text (ticket_id, text)
    select t.id, left(plain_text(t.subject) || coalesce(
        (select string_agg(e'\n' || plain_text(m.text), '' order by m.id) from message m where m.ticket_id = t.id), ''), 100000)
    from ticket t where t.id = any (p_tickets) order by t.id
    on conflict (ticket_id) do update set text = excluded.text where ticket_text.text <> excluded.text
$$;

create or replace function follow_ticket_text() returns trigger
language plpgsql as $$
begin
    perform gather_ticket_texts(array[new.id]);
    return null;
end
$$;
drop function gather_ticket_text(bigint);

-- What comes new is put behind the rest, which is not read again.
create function follow_new_messages() returns trigger
language plpgsql as $$
begin
    update ticket_text x set text = left(x.text || more.text, 100000)
    from (select ticket_id, string_agg(e'\n' || plain_text(text), '' order by id) as text
          from came where ticket_id is not null group by ticket_id) more
    where x.ticket_id = more.ticket_id and length(x.text) < 100000;
    return null;
end
$$;
create trigger follow_new_texts after insert on message
    referencing new table as came for each statement execute function follow_new_messages();

create function follow_changed_messages() returns trigger
language plpgsql as $$
declare
    tickets bigint[] := array(
        select distinct t.id from was join came using (id), lateral (values (was.ticket_id), (came.ticket_id)) as t (id)
        where t.id is not null and (was.text is distinct from came.text or was.ticket_id is distinct from came.ticket_id));
begin
    if tickets <> '{}' then
        perform gather_ticket_texts(tickets);
    end if;
    return null;
end
$$;
create trigger follow_changed_texts after update on message
    referencing old table as was new table as came for each statement execute function follow_changed_messages();

create function follow_gone_messages() returns trigger
language plpgsql as $$
declare
    tickets bigint[] := array(select distinct ticket_id from was where ticket_id is not null);
begin
    if tickets <> '{}' then
        perform gather_ticket_texts(tickets);
    end if;
    return null;
end
$$;
create trigger follow_gone_texts after delete on message
    referencing old table as was for each statement execute function follow_gone_messages();
