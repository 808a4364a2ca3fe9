-- The queue whose work a reservation offered, which may have been moved since: whose turn it is in a queue is counted by that. Null:
-- nobody was asked, they took it over from a colleague.
alter table reservation add queue_id bigint;
-- Turns are counted by the day.
update reservation r set queue_id = i.queue_id
from interaction i
where i.id = r.interaction_id and i.queue_id is not null and r.created_at >= now() - interval '2 days';

-- What the day has brought so far is read by these; neither moment is ever changed, and rows come in their order.
create index reservation_created on reservation using brin (created_at) with (pages_per_range = 32, autosummarize = on);
create index segment_started on segment using brin (started_at) with (pages_per_range = 32, autosummarize = on);
