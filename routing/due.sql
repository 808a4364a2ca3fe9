-- name: wrap_ups
-- Time boxes that ran out, with what the agent had typed.
select r.id, d.note from reservation r
left join draft d on d.user_id = r.agent_id and d.interaction_id = r.interaction_id
where r.state = 'accepted' and r.due_at <= $1;

-- name: offers
-- Offers that ran out. A phone's ring is ended by the node that dials; only when that node is silent it is ours to end.
select id, offered_at is null as unsent, channel from reservation
where state = 'pending' and due_at <= case when channel = 'phone' then $1::timestamptz - interval '10 seconds' else $1 end;

-- name: months
select ensure_log_months($1, 3);
