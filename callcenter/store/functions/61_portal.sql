-- Whose cases are whose, for customers who see their own: whoever reads the mail of an address.

-- Their tickets: those of that customer, and those to which nobody has written but this address. Being named as a further
-- customer is not enough, since then it is the case of somebody else.
create or replace function own_tickets(p_address text) returns setof bigint
language sql stable as $$
    select id from ticket where customer_id = owner_of_mail(p_address) and merged_into is null
    union
    select i.ticket_id from interaction i join ticket t on t.id = i.ticket_id and t.merged_into is null
    where i.address_kind = 'email' and i.address = p_address and i.direction = 'inbound'
      and not exists (
        select from interaction o
        where o.ticket_id = i.ticket_id and o.direction = 'inbound'
          and o.end_cause is distinct from 'colleague'
          and (o.address_kind, o.address) is distinct from ('email', p_address))
$$;

-- Whether a contact was with them.
create or replace function own_contact(i interaction, p_address text) returns boolean
language sql stable as $$
    select (i.address_kind = 'email' and i.address = p_address) is true
        or (contact_customer(i) = owner_of_mail(p_address)) is true
$$;
