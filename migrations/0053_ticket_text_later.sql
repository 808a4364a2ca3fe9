-- What is searched of a new ticket is gathered with its first text, or at the end of the transaction where there is none: mail wrote, and
-- sorted the words of, each new ticket twice.
drop trigger follow_new_subject on ticket;
create function gather_new_ticket() returns trigger
language plpgsql as $$
begin
    if not exists (select from ticket_text where ticket_id = new.id) then
        perform gather_ticket_texts(array[new.id]);
    end if;
    return null;
end
$$;
create constraint trigger follow_new_subject after insert on ticket deferrable initially deferred
    for each row execute function gather_new_ticket();

-- What comes new is put behind the rest, which is not read again.
create or replace function follow_new_messages() returns trigger
language plpgsql as $$
declare
    first bigint;
    last bigint;
    more text;
begin
    select min(ticket_id), max(ticket_id), string_agg(e'\n' || plain_text(text), '' order by id) into first, last, more
    from came where ticket_id is not null;
    if first = last then
        update ticket_text set text = left(text || more, 100000) where ticket_id = first and length(text) < 100000;
        if found or exists (select from ticket_text where ticket_id = first) then
            return null;
        end if;
        perform gather_ticket_texts(array[first]);
    elsif first < last then
        update ticket_text x set text = left(x.text || news.text, 100000)
        from (select ticket_id, string_agg(e'\n' || plain_text(text), '' order by id) as text
              from came where ticket_id is not null group by ticket_id) news
        where x.ticket_id = news.ticket_id and length(x.text) < 100000;
        perform gather_ticket_texts(array(
            select distinct ticket_id from came
            where ticket_id is not null and not exists (select from ticket_text x where x.ticket_id = came.ticket_id)));
    end if;
    return null;
end
$$;
