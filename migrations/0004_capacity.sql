-- Several contacts in one hand: how many of which channel, what may interrupt what, and which presence comes next.

alter table organisation
    -- Contacts of a channel that an agent can have in hand at once.
    add column capacity jsonb not null
        default '{"phone": 1, "email": 1, "chat": 4, "form": 1, "callback": 1, "visit": 1, "fax": 1, "message": 1}',
    -- By channel, the channels that may come beside it.
    add column interrupted_by jsonb not null
        default '{"phone": [], "email": ["phone", "callback", "chat"], "chat": [], "form": ["phone", "callback", "chat"],
                  "callback": [], "visit": [], "fax": ["phone", "callback", "chat"], "message": ["phone", "callback", "chat"]}';

-- Of a user only where it differs from the organisation's.
alter table users alter column capacity set default '{}';
update users set capacity = '{}' where capacity = '{"phone": 1, "chat": 4, "email": 1, "callback": 1}';

alter table agent
    -- What is in hand (offered, live, wrapping up): how many by channel.
    add column load jsonb not null default '{}',
    -- Chosen while something was in hand; becomes the presence when nothing is any more.
    add column next_presence text,
    add column next_presence_reason text;
update agent set load = hand.load
from (select agent_id, jsonb_object_agg(channel, number) as load
      from (select agent_id, channel, count(*) as number from reservation
            where state in ('pending', 'accepted') group by agent_id, channel) counted
      group by agent_id) hand
where hand.agent_id = agent.user_id;

-- Why it is held, when that was not done at the phone: interrupted.
alter table segment add column hold_reason text;

-- One offer at a time, whatever else is in hand.
create unique index reservation_offer on reservation (agent_id) where state = 'pending';
