-- name: tidy
-- Callbacks to number $1 (null: to any) that are over: the number is known to their interactions alone, and may be asked for anew.
update callback c set number = null, due_at = null from interaction i
where i.id = c.interaction_id and i.ended_at is not null and c.number is not null and ($1::text is null or c.number = $1);

-- name: origin
-- What a callback takes the place of.
select id, state, queued_at, queue_id, customer_id, ticket_id, language, address_kind, address from interaction where id = $1;

-- name: open_of
-- The callback to number $1 that is not over, or the one of external id $2.
select i.id, c.due_at from callback c join interaction i on i.id = c.interaction_id
where c.number = $1 or i.channel = 'callback' and i.external_id = $2 order by c.number = $1 desc nulls last limit 1;

-- name: of_origin
-- The callback that took the place of interaction $1.
select interaction_id from callback where origin_id = $1 order by interaction_id limit 1;

-- name: take_number
-- The callback of an interaction, which is over from now on; nothing when it was before, or is none.
with mine as (select * from callback where interaction_id = $1 and number is not null for update)
update callback c set number = null, due_at = null from mine join interaction i on i.id = mine.interaction_id
where c.interaction_id = mine.interaction_id
returning mine.number, mine.attempt, i.customer_id, i.address_name, i.subject, i.queue_id, i.ticket_id, i.language;

-- name: due
-- Callbacks whose time has come.
select c.interaction_id, i.queue_id from callback c join interaction i on i.id = c.interaction_id
where c.due_at <= $1 and i.state = 'new' order by c.due_at limit 100;

-- name: waiting
-- Callbacks that wait in a queue.
select i.id, i.queue_id from callback c join interaction i on i.id = c.interaction_id
where c.number is not null and c.due_at is null and i.state = 'queued';

-- name: some
-- Whether anybody is to be called back at all.
select exists (select from callback where number is not null);

-- name: postpone
update callback set due_at = $2 where interaction_id = $1 and due_at is not null;

-- name: callback_state
select i.state from callback c join interaction i on i.id = c.interaction_id where c.interaction_id = $1;

-- name: listed
-- Callbacks that are not over, those with a chosen moment first; of queue $1, or of all (null).
select i.id, i.state, q.name as queue, u.name as agent, c.number, i.address_name as name, i.customer_id as customer, i.subject,
       c.attempt, c.origin_id as origin, c.due_at, i.arrived_at, i.queued_at
from callback c join interaction i on i.id = c.interaction_id left join queue q on q.id = i.queue_id
left join users u on u.id = i.agent_id
where c.number is not null and i.ended_at is null and ($1::bigint is null or i.queue_id = $1)
order by c.due_at nulls last, i.queued_at limit 200;

-- name: is_forbidden
select exists (select from do_not_call where number = $1);

-- name: forbidden
select d.number, d.reason, u.name as added_by, d.added_at from do_not_call d left join users u on u.id = d.added_by
where d.number > $1 order by d.number limit $2;

-- name: forbid
insert into do_not_call (number, reason, added_by, added_at) values ($1, $2, $3, $4)
on conflict (number) do update set reason = excluded.reason;

-- name: allow
delete from do_not_call where number = $1 returning number;

-- name: to_call
-- Whom an offered interaction is about to reach.
select i.address, i.queue_id, i.state, i.channel, i.customer_id, i.address_name from interaction i where i.id = $1;

-- name: begin
-- Nothing while a call is being placed for it already.
insert into outcall (interaction_id, reservation_id, pbx, agent_leg, began_at) values ($1, $2, $3, $4, $5)
on conflict (interaction_id) where ended_at is null do nothing returning id;

-- name: set_pbx
update interaction set pbx = $2 where id = $1;

-- name: outcall
select o.id, o.interaction_id, o.reservation_id, o.pbx, o.agent_leg, o.customer_leg, o.answered_at, o.ended_at,
       i.state, i.address, i.queue_id, i.queued_at, r.agent_id
from outcall o join interaction i on i.id = o.interaction_id join reservation r on r.id = o.reservation_id where o.id = $1;

-- name: reached
update outcall set answered_at = $2, customer_leg = $3 where id = $1 and answered_at is null and ended_at is null
returning interaction_id;

-- name: close
update outcall set ended_at = $2 where id = $1 and ended_at is null returning interaction_id;

-- name: close_ended
-- Calls whose interactions are over, or back in the queue, by whatever way.
update outcall o set ended_at = $1 from interaction i, reservation r
where o.ended_at is null and i.id = o.interaction_id and r.id = o.reservation_id
  and (i.ended_at is not null or r.state not in ('pending', 'accepted'));

-- name: underway
-- Calls that a PBX has had in hand since before $2.
select o.id, o.interaction_id, o.reservation_id, o.agent_leg, o.customer_leg, o.answered_at, i.state
from outcall o join interaction i on i.id = o.interaction_id
where o.ended_at is null and o.pbx = $1 and o.began_at < $2;

-- name: add_text
insert into message (interaction_id, ticket_id, kind, text, at) values ($1, $2, $3, $4, $5);
