-- name: known
-- The latest interaction of a call that asks again; a call transferred back to us has several, numbered by a suffix.
select i.id, i.state, i.outcome, i.external_id, i.queue_id, i.queued_at, i.node_id, i.end_cause, i.ended_at,
       (select r.id from reservation r where r.interaction_id = i.id and r.state = 'pending') as pending,
       not exists (select 1 from reservation r where r.interaction_id = i.id and r.state = 'accepted'
                   and r.released_at is null) as left_alone,
       i.treated is not null and exists (
           select from contact_log l
           where l.interaction_id = i.id and l.kind = 'interaction.treatment' and l.data ->> 'treatment' = 'closed') as turned_away
from interaction i where i.channel = 'phone' and i.external_id = any($1) order by i.id desc limit 1;

-- name: open
-- Open calls of a PBX, with the legs that talk: what a connection to it is reconciled with. With $3 also those of PBXs
-- that are no longer in the settings ($4: those that are).
select i.id, i.pbx, i.state, i.external_id, i.leg, i.called, i.queue_id, i.queued_at, i.node_id,
       n.lease_until is null or n.lease_until < $2 as orphan,
       (select r.id from reservation r where r.interaction_id = i.id and r.state = 'pending') as pending,
       coalesce((select jsonb_agg(jsonb_build_object('leg', s.leg, 'reservation', s.reservation_id))
                 from segment s where s.interaction_id = i.id and s.answered_at is not null and s.ended_at is null), '[]')
           as talking
from interaction i left join node n on n.id = i.node_id
where i.closed_at is null and i.channel = 'phone' and i.direction = 'inbound' and i.state <> 'wrapping'
  and (i.pbx = $1 or $3::boolean and i.pbx <> all($4::text[]));

-- name: is_accepted
select state in ('accepted', 'completed') from reservation where id = $1;

-- name: leg
select pbx, leg, external_id, state from interaction where id = $1 and channel in ('phone', 'callback');

-- name: died_lately
-- Whether a node's lease ran out that may still accept connections: it froze, or was stopped a short while ago.
select exists (select 1 from node where lease_until < $1 and lease_until > $1 - interval '1 day');

-- name: written_down
select external_id from interaction where channel = 'phone' and external_id = any($1);
