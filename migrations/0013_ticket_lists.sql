-- Lists of tickets: what they are ordered by, the words they are found by, saved views; and who is at a ticket right now.

-- The earliest moment at which something is owed of those clocks that still count; infinity while nothing is. Written
-- together with the clocks (callcenter/store/sla.py).
alter table ticket add column due_at timestamptz not null default 'infinity';
update ticket t set due_at = k.due_at
from (select ticket_id, min(due_at) as due_at from sla_clock where ended_at is null and due_at is not null group by 1) k
where k.ticket_id = t.id;

-- One for each list and its order; the id makes the order total, so that a page can go on behind a row.
create index ticket_owner_due on ticket (owner_id, due_at, id) where state not in ('resolved', 'closed');
create index ticket_queue_due on ticket (queue_id, due_at, id) where state not in ('resolved', 'closed');
create index ticket_due on ticket (due_at, id) where state not in ('resolved', 'closed');
create index ticket_unassigned_due on ticket (due_at, id) where owner_id is null and state not in ('resolved', 'closed');
create index ticket_pending on ticket (updated_at, id) where state = 'pending';

-- The words of a text: stems of English ones, and of Chinese, Japanese and Korean every character and every two that stand
-- side by side, since those scripts have no spaces; their punctuation separates. Each with the number of 16,384 tickets before it: a search goes through
-- the newest of them first and stops when a page is full, however common a word is.
-- Not parallel safe: else the planner starts workers for each block, which takes 500 times as long as looking into the index.
create function ticket_words(p_ticket bigint, p_text text) returns text[]
language sql immutable strict cost 10000
as $$
    select coalesce(array_agg(distinct (p_ticket >> 14) || ':' || word), '{}') from (
        select unnest(tsvector_to_array(to_tsvector('english', regexp_replace(p_text, '[‐-⁞⺀-鿿ꀀ-꓏가-힣豈-﫿𠀀-𯿽]+', ' ', 'g'))))
        union all
        select unnest(case when following ~ '[⺀-⿟々-〇぀-鿿ꀀ-꓏가-힣豈-﫿𠀀-𯿽]' then array[letter, letter || following] else array[letter] end)
        from (
            select letter, lead(letter) over (order by n) as following
            from unnest(string_to_array(p_text, null)) with ordinality as l (letter, n)
            where p_text ~ '[⺀-⿟々-〇぀-鿿ꀀ-꓏가-힣豈-﫿𠀀-𯿽]'
        ) pairs where letter ~ '[⺀-⿟々-〇぀-鿿ꀀ-꓏가-힣豈-﫿𠀀-𯿽]'
    ) as found (word) where word is not null
$$;

-- Subject and messages of a ticket in one, small letters of one width: an index in a table's clothing, kept by triggers so
-- that whatever writes, moves or erases a text is followed. Of each text the first 10,000 characters.
create table ticket_text (
    ticket_id bigint primary key references ticket on delete cascade,
    text text not null
);
create index ticket_text_words on ticket_text using gin (ticket_words(ticket_id, text));

create function plain_text(p_text text) returns text
language sql immutable strict parallel safe
as $$ select lower(normalize(left(p_text, 10000), nfkc)) $$;

create function gather_ticket_text(p_ticket bigint) returns void
language sql
as $$
    insert into ticket_text (ticket_id, text)
    select t.id, plain_text(t.subject) || coalesce(
        (select string_agg(e'\n' || plain_text(m.text), '' order by m.id) from message m where m.ticket_id = t.id), '')
    from ticket t where t.id = p_ticket
    on conflict (ticket_id) do update set text = excluded.text where ticket_text.text <> excluded.text
$$;

create function follow_ticket_text() returns trigger
language plpgsql as $$
begin
    if tg_table_name = 'ticket' then
        perform gather_ticket_text(new.id);
        return null;
    end if;
    if tg_op = 'INSERT' and new.ticket_id is not null then
        update ticket_text set text = text || e'\n' || plain_text(new.text) where ticket_id = new.ticket_id;
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
create trigger follow_new_subject after insert on ticket for each row execute function follow_ticket_text();
create trigger follow_subject after update of subject on ticket for each row
    when (old.subject is distinct from new.subject) execute function follow_ticket_text();
create trigger follow_new_text after insert or delete on message for each row execute function follow_ticket_text();
create trigger follow_text after update of text, ticket_id on message for each row
    when (old.text is distinct from new.text or old.ticket_id is distinct from new.ticket_id)
    execute function follow_ticket_text();
insert into ticket_text (ticket_id, text)
select t.id, plain_text(t.subject) || coalesce(
    (select string_agg(e'\n' || plain_text(m.text), '' order by m.id) from message m where m.ticket_id = t.id), '')
from ticket t;

-- A list that somebody keeps; shared: everybody's to look at. conditions and ordering as callcenter/domain/ticket_view.py
-- has them.
create table ticket_view (
    id bigint generated always as identity primary key,
    owner_id bigint not null references users on delete cascade,
    name text not null,
    shared boolean not null default false,
    conditions jsonb not null,
    ordering text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    unique (owner_id, name)
);

-- What somebody is writing at a ticket, an answer (public) or a note.
create table ticket_draft (
    user_id bigint not null references users on delete cascade,
    ticket_id bigint not null references ticket on delete cascade,
    text text not null,
    public boolean not null default false,
    updated_at timestamptz not null,
    primary key (user_id, ticket_id)
);

-- Who has a ticket open, and until when that holds unless they say so again. Nothing is lost with it, so it is not logged.
create unlogged table ticket_reader (
    ticket_id bigint not null references ticket on delete cascade,
    user_id bigint not null references users on delete cascade,
    until timestamptz not null,
    writing_until timestamptz not null default '-infinity',
    primary key (ticket_id, user_id)
);
