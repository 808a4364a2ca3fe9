-- name: known
-- What was noted under a key.
select id from interaction where channel = $1 and external_id = $2;

-- name: ticket_numbered
select id from ticket where number = $1;

-- name: customer
-- Who a customer is now; nothing when there is none.
select customer_now($1);
