-- Beside `load`, what else every move of an agent asks about their hand: whether an offer is pending, and how many contacts are
-- live. Counted in the agent's row, since the index of open reservations is full of entries of those that are not open any more.
alter table agent
    add column offer boolean not null default false,
    add column live integer not null default 0;
update agent set offer = hand.offer, live = hand.live
from (select agent_id, bool_or(state = 'pending') as offer,
             count(*) filter (where state = 'accepted' and released_at is null) as live
      from reservation where state in ('pending', 'accepted') group by agent_id) hand
where hand.agent_id = agent.user_id;
