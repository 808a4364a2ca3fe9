-- name: known
-- The call of this key, with the reservation that somebody has of it.
select i.id, i.state, i.address, i.arrived_at, r.id as reservation, r.agent_id as holder
from interaction i left join reservation r on r.interaction_id = i.id and r.state = 'pending'
where i.channel = 'phone' and i.external_id = $1;

-- name: unfinished
-- Calls of such PBXs that agent $1 has not said the last word on.
select r.id from reservation r join interaction i on i.id = r.interaction_id
where r.agent_id = $1 and r.state = 'accepted' and r.released_at is not null and i.channel = 'phone'
  and i.external_id like 'cti:%';

-- name: has_desk
select desk_lost_at is null from agent where user_id = $1;
