-- What is searched of a ticket has an end: a vector of words holds 1 MB, and each new text costs as much as all of them.

-- Of all texts together the first 100,000 characters.
create or replace function gather_ticket_text(p_ticket bigint) returns void
language sql
as $$
    insert into ticket_text (ticket_id, text)
    select t.id, left(plain_text(t.subject) || coalesce(
        (select string_agg(e'\n' || plain_text(m.text), '' order by m.id) from message m where m.ticket_id = t.id), ''), 100000)
    from ticket t where t.id = p_ticket
    on conflict (ticket_id) do update set text = excluded.text where ticket_text.text <> excluded.text
$$;

create or replace function follow_ticket_text() returns trigger
language plpgsql as $$
begin
    if tg_table_name = 'ticket' then
        perform gather_ticket_text(new.id);
        return null;
    end if;
    if tg_op = 'INSERT' and new.ticket_id is not null then
        update ticket_text set text = left(text || e'\n' || plain_text(new.text), 100000)
        where ticket_id = new.ticket_id and length(text) < 100000;
        return null;
    end if;
    if tg_op <> 'INSERT' and old.ticket_id is not null then
        perform gather_ticket_text(old.ticket_id);
    end if;
    if tg_op = 'UPDATE' and new.ticket_id is distinct from old.ticket_id and new.ticket_id is not null then
        perform gather_ticket_text(new.ticket_id);
    end if;
    return null;
end
$$;

update ticket_text set text = left(text, 100000) where length(text) > 100000;
