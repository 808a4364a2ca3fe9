-- name: gateways
select f.sender, q.name as queue, f.header from fax_gateway f left join queue q on q.id = f.queue_id where f.active order by f.id;

-- name: put
insert into fax_gateway (sender, queue_id, header) values ($1, (select id from queue where name = $2), $3)
on conflict (sender) do update set queue_id = excluded.queue_id, header = excluded.header, active = true;

-- name: retire
update fax_gateway set active = false where sender = any ($1::text[]);

-- name: known
-- Those of these senders that are fax gateways, with the queue that each has of its own, and the region of numbers.
select f.sender, f.header, q.id as queue, o.region
from organisation o, fax_gateway f left join queue q on q.id = f.queue_id and q.active
where f.active and f.sender = any ($1::text[]);

-- name: attached
-- Of a fax, the attachment that has its pages.
select a.n, a.type, a.name, a.start, a.length, a.encoding, a.size
from interaction i join mail m on m.interaction_id = i.id join mail_attachment a on a.mail_id = m.id
where i.id = $1 and i.channel = 'fax' and (lower(a.type) = any ($2::text[]) or lower(a.name) ~ '\.(pdf|tiff?)$')
order by a.n limit 1;

-- name: raw
-- Of the message of an interaction so many bytes from a place counted from 1.
select substring(raw from $2 for $3) as raw from mail where interaction_id = $1;
