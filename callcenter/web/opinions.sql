-- name: by_question
-- How often each answer was given to further questions of surveys asked from $1 until $2; texts are counted, not told apart.
select f.name as form, q ->> 'name' as question, q ->> 'kind' as kind,
       case when q ->> 'kind' <> 'text' then s.answers ->> (q ->> 'name') end as value, count(*)::integer as count
from survey s join form f on f.id = s.form_id cross join lateral jsonb_array_elements(f.definition -> 'questions') q
where s.asked_at >= $1 and s.asked_at < $2 and ($3::bigint is null or s.queue_id = $3) and s.answers ? (q ->> 'name')
group by 1, 2, 3, 4 order by 1, 2, 4;
