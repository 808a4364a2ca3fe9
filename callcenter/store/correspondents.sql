-- name: answered
-- To whom an answer on ticket $1 goes: in the contact $2, where it is given and somebody can be written to there; at the address $3,
-- where that is given; else by the rule of functions/26_correspondents.sql. $4: by mail in any case. `stranger`: the ticket has a
-- customer, and this is no address of theirs.
select c.contact, c.channel, case when lower(m.sender) = c.address then m.sender else c.address end as address,
    coalesce(m.sender_name, i.address_name) as name,
    contact_customer(i) as customer, i.subject, m.message_id, coalesce(m.refs, '{}') as refs, coalesce(m.nature, 'person') as nature,
    coalesce(m.received_at, i.arrived_at) as wrote_at,
    case when c.channel = 'form' then i.language else b.language end as language,
    case when c.channel = 'email' then b.address else (
        select f.address from mailbox f where f.queue_id = coalesce(t.queue_id, i.queue_id) and f.active order by f.id limit 1
    ) end as mailbox,
    t.customer_id is not null and not exists (
        select from address a where a.customer_id = t.customer_id and a.value = c.address) as stranger
from (
    select 0 as n, * from correspondents($1, $2) where $2::bigint is not null
    union all
    select 1, * from correspondents($1)
) c join interaction i on i.id = c.contact join ticket t on t.id = $1
left join mail m on m.interaction_id = i.id left join mailbox b on b.id = m.mailbox_id
where ($3::text is null or c.address = $3) and not ($4 and c.channel = 'message') order by c.n, c.place limit 1;

-- name: elsewhere
-- The same of an address from which nobody has written on ticket $1; `ours`: a mailbox of ours.
select null::bigint as contact, 'email' as channel, $2 as address, c.name, c.id as customer, t.subject, null as message_id,
    '{}'::text[] as refs, 'person' as nature, t.created_at as wrote_at, c.language, (
        select f.address from mailbox f where f.queue_id = t.queue_id and f.active order by f.id limit 1) as mailbox,
    t.customer_id is not null and not exists (
        select from address a where a.customer_id = t.customer_id and a.kind = 'email' and a.value = $2) as stranger,
    exists (select from mailbox m where m.address = any ($3::text[]) and m.active) as ours
from ticket t left join customer c on c.id = owner_of_mail($2) where t.id = $1;

-- name: addresses
-- Where else mail about ticket $1 may go: to all who wrote, and to its customer.
select address from correspondents($1) where channel <> 'message'
union
select a.value from ticket t join address a on a.customer_id = t.customer_id and a.kind = 'email' where t.id = $1
order by address limit 50;

-- name: closing_note
-- Whether the mailbox through which the latest mail on ticket $1 came says in a letter that it is over.
select b.closing_note from interaction i join mail m on m.interaction_id = i.id join mailbox b on b.id = m.mailbox_id
where i.ticket_id = $1 and i.channel = 'email' and i.end_cause is distinct from 'colleague' and m.nature in ('person', 'bulk')
order by m.id desc limit 1;

-- name: asked_first
-- Whether whoever is answered on ticket $1 wrote interaction $2, or nobody can be answered there.
select coalesce((
    select (f.address = i.address or contact_customer(f) = i.customer_id) is true
    from correspondents($1) c join interaction f on f.id = c.contact join interaction i on i.id = $2 order by c.place limit 1), true);
