-- name: form
-- The one in use of a kind and name.
select id, definition from form where kind = $1 and name = $2 and active;

-- name: rules
-- Sampling rules in use, with the scorecard that each is for.
select r.name, r.definition, c.id as scorecard from form r
join form c on c.kind = 'scorecard' and c.name = r.definition ->> 'scorecard' and c.active
where r.kind = 'sampling' and r.active order by r.name;

-- name: timezone
select timezone from organisation;

-- name: add_sample
-- Nothing where another node has drawn this week already.
insert into sample (form_id, rule, week, seed, drawn_at) values ($1, $2, $3, $4, $5) on conflict do nothing returning id;

-- name: candidates
-- Conversations that were closed from $1 until $2, were handled and have no evaluation by this scorecard ($3), of whatever version.
select i.id as interaction, i.agent_id as agent from interaction i join queue q on q.id = i.queue_id
where i.closed_at >= $1 and i.closed_at < $2 and i.outcome = 'handled' and i.channel not in ('ticket', 'task') and i.agent_id is not null
  and ($4::text is null or q.name = $4) and ($5::text is null or i.channel = $5)
  and ($6::interval is null or i.ended_at - i.answered_at >= $6)
  and ($7::integer is null or exists (select from survey s where s.interaction_id = i.id and s.score <= $7))
  and not exists (select from evaluation e join form f on f.id = e.form_id
                  where e.interaction_id = i.id and e.calibration_id is null and f.name = (select name from form where id = $3));

-- name: whose
-- Who had a contact last, once it was handled; for an evaluation.
select agent_id, outcome from interaction where id = $1;

-- name: had_part
select exists (select from segment where interaction_id = $1 and agent_id = $2);

-- name: add
insert into evaluation (interaction_id, agent_id, form_id, evaluator_id, sample_id, calibration_id, created_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id;

-- name: evaluations
-- By their ids, the newest first.
select e.id, e.interaction_id, e.agent_id, e.evaluator_id, e.state, e.answers, e.comment, e.total::float8, e.passed,
       e.created_at, e.graded_at, e.dispute, e.disputed_at, e.decision, e.decided_by, e.decided_at, e.replaces_id,
       (select r.id from evaluation r where r.replaces_id = e.id) as replaced_by, e.reason, e.calibration_id, e.version,
       e.form_id, f.name as form, f.version as form_version, f.definition, i.channel, i.queue_id, i.closed_at
from evaluation e join form f on f.id = e.form_id join interaction i on i.id = e.interaction_id
where e.id = any ($1::bigint[]) order by e.id desc;

-- name: find
-- Below an id ($1), the newest first, at most $2; null leaves a condition out. $7: who looks; of a calibration that is not open yet
-- they see their own alone. $8: whether they are an agent, who sees what was graded of their own work.
select e.id from evaluation e join form f on f.id = e.form_id
join interaction i on i.id = e.interaction_id left join calibration c on c.id = e.calibration_id
where e.id < $1 and ($3::text is null or e.state = $3) and ($4::bigint is null or e.agent_id = $4)
  and ($5::bigint is null or e.evaluator_id = $5) and ($6::bigint is null or e.interaction_id = $6)
  and (not $8::boolean or e.agent_id = $7 and e.state <> 'draft' and e.calibration_id is null)
  and (c.id is null or e.evaluator_id = $7 or c.closed_at is not null
       or not exists (select from evaluation o where o.calibration_id = c.id and o.state = 'draft'))
  and ($9::boolean is false or e.state = 'draft' and e.agent_id <> $7 and coalesce(e.evaluator_id, $7) = $7)
order by e.id desc limit $2;

-- name: save
-- By compare-and-set; the evaluator is whoever wrote first.
update evaluation set answers = $3, comment = $4, evaluator_id = $5, version = version + 1
where id = $1 and version = $2 and state = 'draft' returning version;

-- name: grade
update evaluation set answers = $3, comment = $4, evaluator_id = $5, total = $6::float8, passed = $7, graded_at = $8,
    state = 'graded', version = version + 1
where id = $1 and version = $2 and state = 'draft' returning version;

-- name: move
update evaluation set state = $3, dispute = coalesce(dispute, $4), disputed_at = coalesce(disputed_at, $5),
    decision = coalesce($6, decision), decided_by = coalesce($7, decided_by), decided_at = coalesce($8, decided_at),
    version = version + 1
where id = $1 and version = $2 returning version;

-- name: add_replacement
-- A grade in the place of another one: of the same conversation, by the same version of the form, and disputed no second time.
insert into evaluation (interaction_id, agent_id, form_id, evaluator_id, sample_id, state, answers, comment, total, passed,
    created_at, graded_at, dispute, disputed_at, decision, decided_by, decided_at, replaces_id, reason)
select interaction_id, agent_id, form_id, $2, sample_id, 'graded', $3, $4, $5::float8, $6, $7, $7, dispute, disputed_at, decision,
    decided_by, decided_at, id, $8
from evaluation where id = $1 returning id;

-- name: add_calibration
insert into calibration (interaction_id, form_id, created_by, created_at) values ($1, $2, $3, $4) returning id;

-- name: calibration
select c.id, c.interaction_id, f.name as form, f.version as form_version, f.definition, c.created_at, c.closed_at
from calibration c join form f on f.id = c.form_id where c.id = $1;

-- name: calibrated
-- Who was asked in a calibration, and what they graded.
select evaluator_id, state, answers, total::float8, comment from evaluation where calibration_id = $1 order by id;

-- name: is_closed
select closed_at is not null from calibration where id = $1;

-- name: close_calibration
update calibration set closed_at = coalesce(closed_at, $2) where id = $1 returning id;

-- name: graded
-- What stands of the evaluations graded from $1 until $2; $3: of one agent alone.
select e.agent_id, e.answers, e.total::float8, e.passed, e.state, e.form_id, f.name as form, f.definition
from evaluation e join form f on f.id = e.form_id
where e.graded_at >= $1 and e.graded_at < $2 and e.state in ('graded', 'disputed', 'upheld') and e.calibration_id is null
  and ($3::bigint is null or e.agent_id = $3)
order by e.id;

-- name: samples
select s.id, s.rule, s.week, s.seed, s.drawn_at, count(e.id)::integer as drawn,
       count(e.id) filter (where e.state = 'draft')::integer as waiting
from sample s left join evaluation e on e.sample_id = s.id and e.replaces_id is null
where s.id < $1 group by s.id order by s.id desc limit $2;

-- name: calibrations
select c.id, c.interaction_id, f.name as form, c.created_at, c.closed_at, count(e.id)::integer as evaluators,
       count(e.id) filter (where e.state <> 'draft')::integer as graded
from calibration c join form f on f.id = c.form_id join evaluation e on e.calibration_id = c.id
group by c.id, f.name order by c.id desc limit $1;
