-- The customer of an offered ticket or task, whose tier, contracts, language and agents it waits by, as it was when it was offered or
-- looked at last: what the router was told. It names them to nobody else: the offer is no exchange with them.
alter table offered_work add customer_id bigint references customer;
update offered_work w set customer_id = t.customer_id
from interaction i, ticket t
where i.id = w.interaction_id and i.closed_at is null
  and t.id = coalesce(w.ticket_id, (select ticket_id from task where id = w.task_id));
create index offered_work_customer on offered_work (customer_id) where customer_id is not null;
