-- name: known_callers
-- Customers who may ring: those with a case that is open first, then others as the dice of the database fall.
select c.name, c.language, c.company, t.number as ticket, t.queue,
       (select a.value from address a where a.customer_id = c.id and a.kind = 'phone' order by a.id limit 1) as phone
from customer c
left join lateral (
    select t.number, q.name as queue from ticket t join queue q on q.id = t.queue_id
    where t.customer_id = c.id and t.state in ('new', 'open', 'pending', 'on_hold') order by t.id desc limit 1
) t on true
where c.merged_into is null and exists (select 1 from address a where a.customer_id = c.id and a.kind = 'phone')
order by t.number is null, random()
limit $1;
