-- name: list
-- Surveys below an id ($1), the newest first, at most $2; null leaves a condition out.
select s.id, s.interaction_id as interaction, i.channel, s.customer_id as customer, q.name as queue, u.name as agent, s.ask,
       s.bad, s.asked_at, s.expires_at, o.state as letter, o.last_error as letter_error, s.score, s.comment, s.answered_at,
       s.changed_at, s.ticket_id as ticket, s.via, f.name as form, s.answers
from survey s join interaction i on i.id = s.interaction_id join queue q on q.id = s.queue_id
left join users u on u.id = s.agent_id left join outbox o on o.id = s.outbox_id left join form f on f.id = s.form_id
where s.id < $1 and ($3::bigint is null or s.queue_id = $3) and ($4::bigint is null or s.agent_id = $4)
  and ($5::bigint is null or s.customer_id = $5) and ($6::bigint is null or s.interaction_id = $6)
  and ($7::boolean is null or (s.score is not null) = $7)
order by s.id desc limit $2;

-- name: counts
-- How often each score (null: no answer) was given to what was asked from $1 until $2; what the mail server did not take was
-- not asked.
select q.name as queue, u.name as agent, s.ask, s.score, count(*)::integer as count
from survey s join queue q on q.id = s.queue_id left join users u on u.id = s.agent_id
left join outbox o on o.id = s.outbox_id
where s.asked_at >= $1 and s.asked_at < $2 and (o.id is null or o.state = 'sent')
group by 1, 2, 3, 4;
