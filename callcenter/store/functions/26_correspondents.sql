-- Whose an address and a contact are, and who on a ticket is answered: one rule, for letters and for the customers' own pages.

-- The customer of whom we know that an address is theirs; nobody where it may be, or where several are as likely.
create or replace function owner_of_mail(p_address text) returns bigint
language sql stable as $$
    with held as (
        select customer_id, certainty = 'verified' as verified
        from address join customer c on c.id = customer_id and c.merged_into is null
        where kind = 'email' and value = p_address and certainty <> 'maybe'
    )
    select min(customer_id) from held where verified = (select bool_or(verified) from held) having count(*) = 1
$$;

-- Whose a contact is: of whom it was said to be; else of whoever has its mail address by now.
create or replace function contact_customer(i interaction) returns bigint
language sql stable as $$
    select coalesce(i.customer_id, case when i.address_kind = 'email' then owner_of_mail(i.address) end)
$$;

-- Who wrote on a ticket and can be written to, whoever is answered at place 1; `contact`: their latest, in whose thread an answer
-- stands; `theirs`: they are the ticket's customer. p_contact: of this contact alone.
-- The customer comes first, from where they wrote last, and not from an address that is theirs no more if they have written from
-- another one; then whoever wrote first. What a programme sent counts only where nobody wrote: of the customer's, of the others'.
-- Notes of colleagues are no contacts with anybody, and our own mailboxes nobody: one named in Reply-To is passed over. Nor is a
-- programme answered that writes on the ticket of a customer who is somebody else.
-- In plpgsql, which keeps its plan: each page of a ticket asks.
create or replace function correspondents(p_ticket bigint, p_contact bigint default null)
returns table (contact bigint, channel text, address text, theirs boolean, place bigint)
language plpgsql stable as $$
#variable_conflict use_column
begin
    return query with us as (select array(select b.address from mailbox b where b.active) as boxes), wrote as (
        select i.id, i.channel = 'message' as elsewhere, i.customer_id, i.address as origin,
            case when i.channel = 'email' and lower(m.sender) <> all (us.boxes) then lower(m.sender)
                when i.channel = 'message' then g.correspondent else i.address end as address,
            coalesce(m.nature, 'person') = 'person' as by_hand
        from us, interaction i left join mail m on m.interaction_id = i.id left join gateway_thread g on g.interaction_id = i.id
        where i.ticket_id = p_ticket and i.direction = 'inbound' and i.end_cause is distinct from 'colleague'
          and (p_contact is null or i.id = p_contact) and not (i.channel = 'email' and coalesce(i.address = any (us.boxes), false))
          and case i.channel when 'email' then m.sender is not null and m.nature <> 'bounce' when 'form' then i.address_kind = 'email'
              when 'message' then g.correspondent is not null else false end
    ), party as (
        -- By sender before anything is asked of each: a flood has one, and thousands of contacts.
        select address, coalesce(max(id) filter (where by_hand), max(id)) as latest, min(id) as first, bool_or(by_hand) as by_hand
        from wrote group by elsewhere, address, origin, customer_id
    ), judged as (
        select p.*, c.channel, coalesce(contact_customer(c) = t.customer_id, false) as theirs,
            t.customer_id is not null as known,
            coalesce(owner_of_mail(c.address) <> t.customer_id, false) or c.channel = 'email' and not exists (
                select from address a where a.customer_id = t.customer_id and a.kind = 'email' and a.value = p.address) as gone
        from party p join interaction c on c.id = p.latest join ticket t on t.id = p_ticket
    )
    select latest, channel, address, theirs,
        row_number() over (order by theirs desc, by_hand desc, theirs and gone, case when theirs then -latest else first end)
    from judged where theirs or by_hand or not known or p_contact is not null;
end
$$;
