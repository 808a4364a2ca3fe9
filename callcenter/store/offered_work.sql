-- name: amiss
-- What is not on offer as it should be, $1 of each kind at most.
select tickets, tasks from offers_amiss($1);

-- name: about
-- What interaction $1 of the channel 'ticket' or 'task' is about.
select w.ticket_id, w.task_id, k.ticket_id as task_ticket
from offered_work w left join task k on k.id = w.task_id where w.interaction_id = $1;

-- name: behind
-- What some interactions, $1, were about.
select ticket_id, task_id from offered_work where interaction_id = any ($1::bigint[]);

-- name: lock_hand
-- All that the agent $2 has in hand, with interaction $1, and the agent.
select lock_hand($1, $2);
