-- name: wrap_ups
-- Time boxes that ran out, with what the agent had typed.
select r.id, d.note from reservation r
left join draft d on d.user_id = r.agent_id and d.interaction_id = r.interaction_id
where r.state = 'accepted' and r.due_at <= $1;

-- name: offers
-- Offers that ran out. A phone's ring is ended by the node that dials; only when that node is silent it is ours to end:
-- later than that node gives up writing down an answer that came while the database was away (five minutes).
-- `blameless`: it never went out, because there was no phone to dial or no desk to show it on. (Who works through the interface
-- alone, and has no desk, is to answer in time.)
select r.id, r.offered_at is null and (r.channel = 'phone' or exists (
    select from agent a where a.user_id = r.agent_id and a.desk_lost_at > r.created_at - interval '60 seconds')) as blameless
from reservation r where state = 'pending' and due_at <= $1::timestamptz - case
    when channel <> 'phone' then interval '0'
    when offered_at is null then interval '10 seconds'
    else interval '6 minutes' end;

-- name: months
select ensure_log_months($1, 3);
