-- name: standing
-- What became of a record.
select merged_into, erased_at from customer where id = $1;

-- name: tickets
-- The newest tickets of a customer, in which they may have a further part.
select id, number, subject, state, (select name from users where id = owner_id) as owner, updated_at
from (
    (select * from ticket where customer_id = $1 order by id desc limit 20)
    union all
    (select * from ticket where customers <> '{}' and customers @> array[$1::bigint] and customer_id is distinct from $1
     order by id desc limit 20)
) t order by id desc limit 20;

-- name: moves
-- How much a merge would move from $1 to $2.
select (select count(*) from address a where customer_id = $1 and not exists (
            select from address o where o.customer_id = $2 and o.kind = a.kind and o.value = a.value)) as addresses,
    (select count(*) from interaction where customer_id = $1) as contacts,
    (select count(*) from ticket where customer_id = $1) as tickets,
    (select count(*) from contract where customer_id = $1) as contracts,
    (select count(*) from customer_order where customer_id = $1) as orders;
