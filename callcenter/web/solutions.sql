-- name: figures
-- Articles by what they were used for from a day ($1) on, in the reader's language ($2) or the next best: how often opened at desks
-- and on the help pages, put into answers, said to have solved a case, and what visitors said. At most $3, the most useful first.
select s.id, t.title, t.language, s.state, s.public,
       coalesce(u.solved, 0)::integer as solved, coalesce(u.inserted, 0)::integer as inserted,
       coalesce(w.desk, 0)::integer as shown_desk, coalesce(w.help, 0)::integer as shown_help,
       coalesce(v.helped, 0)::integer as helped, coalesce(v.not_helped, 0)::integer as not_helped
from solution s
join lateral (
    select title, language from solution_text where solution_id = s.id
    order by language = $2 desc, left(language, 2) = left($2, 2) desc, language limit 1
) t on true
left join (
    select solution_id, count(*) filter (where how = 'solved') as solved, count(*) filter (where how = 'inserted') as inserted
    from solution_use where at >= $1::date group by solution_id
) u on u.solution_id = s.id
left join (
    select solution_id, sum(count) filter (where place = 'desk') as desk, sum(count) filter (where place = 'help') as help
    from solution_shown where day >= $1::date group by solution_id
) w on w.solution_id = s.id
left join (
    select solution_id, count(*) filter (where helped) as helped, count(*) filter (where not helped) as not_helped
    from solution_vote where at >= $1::date group by solution_id
) v on v.solution_id = s.id
where s.state <> 'draft' and coalesce(u.solved, u.inserted, w.desk, w.help, v.helped, v.not_helped) is not null
order by solved desc, inserted desc, coalesce(w.desk, 0) + coalesce(w.help, 0) desc, s.id limit $3;

-- name: searches
-- What was searched after $1, in vain if $2: what was missed most often first.
select query, place, count, missed, last_at from solution_search
where last_at >= $1 and (missed > 0 or not $2) order by missed desc, count desc, query limit $3;

-- name: of_article
-- How an article was used, ever.
select (select count(*) from solution_use where solution_id = $1 and how = 'solved')::integer as solved,
       (select count(*) from solution_use where solution_id = $1 and how = 'inserted')::integer as inserted,
       (select coalesce(sum(count), 0) from solution_shown where solution_id = $1)::integer as shown,
       (select count(*) from solution_vote where solution_id = $1 and helped)::integer as helped,
       (select count(*) from solution_vote where solution_id = $1 and not helped)::integer as not_helped;
