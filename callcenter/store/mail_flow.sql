-- name: meet
-- See functions/25_mail.sql.
select * from meet_mail($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: is_one_of_us
select exists (select from users where lower(email) = $1 and active) or exists (select from mailbox where address = $1 and active);

-- name: is_their_case
-- Whether ticket $1 is that of whoever writes from $2: its customer's, or with whom it is answered.
select coalesce((select customer_id = owner_of_mail($2) from ticket where id = $1), false) or coalesce((
    select i.address = $2 from correspondents($1) c join interaction i on i.id = c.contact order by c.place limit 1), false);

-- name: flood
-- The ticket for what is too much of an address, or the one into which it was merged; none when that is over.
with recursive up as (
    select t.id, t.merged_into, t.state, 1 as n from mail_flood f join ticket t on t.id = f.ticket_id where f.address = $1
    union all
    select t.id, t.merged_into, t.state, n + 1 from up join ticket t on t.id = up.merged_into where n < 50
)
select id from (select id, state from up order by n desc limit 1) last where state not in ('resolved', 'closed');

-- name: remember_flood
insert into mail_flood (address, ticket_id) values ($1, $2)
on conflict (address) do update set ticket_id = excluded.ticket_id;

-- name: rules
select mail_rules from organisation;
