-- name: lately
-- Calls that were handled from $1 until $2, at most $3 of each agent: those that took longest.
select interaction, agent, closed_at from (
    select i.id as interaction, i.agent_id as agent, i.closed_at,
           row_number() over (partition by i.agent_id order by i.ended_at - i.answered_at desc, i.id) as place
    from interaction i
    where i.closed_at >= $1 and i.closed_at < $2 and i.outcome = 'handled' and i.channel = 'phone' and i.agent_id is not null
) calls where place <= $3 order by closed_at, interaction;
