-- name: firms
-- Customers who may have a contract: of firms, the most often in touch first; their agents' queue has them looked after.
select c.id, c.owner_id as owner from customer c
where c.company is not null order by (select count(*) from ticket where customer_id = c.id) desc, c.id limit $1;

-- name: homes
-- The same of people at home, after the one whom everybody knows.
select c.id, c.owner_id as owner from customer c
where c.company is null order by c.id = 1 desc, (select count(*) from ticket where customer_id = c.id) desc, c.id limit $1;

-- name: count_past_cases
-- Tickets of the time before the contracts were entered are cases of them, as they would have been.
insert into ticket_sla (ticket_id, owned_at, over_at, contract_id)
select t.id, t.created_at, case when t.state in ('resolved', 'closed') then t.updated_at end, c.id
from contract c join ticket t on t.customer_id = c.customer_id and t.created_at >= c.starts_at
    and (c.ends_at is null or t.created_at < c.ends_at)
on conflict (ticket_id) do update set contract_id = excluded.contract_id;
