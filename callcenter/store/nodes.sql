-- name: register
-- This process, under its name, in a new epoch; its lease begins.
insert into node (name, agi_host, agi_port, started_at, lease_until) values ($1, $2, $3, $4, $5)
on conflict (name) do update set epoch = node.epoch + 1, agi_host = excluded.agi_host, agi_port = excluded.agi_port,
    started_at = excluded.started_at, lease_until = excluded.lease_until
returning id, epoch;

-- name: renew
-- The lease goes on, unless a newer process has the name. Answers how many other nodes live.
with renewed as (
    update node set lease_until = $3 where id = $1 and epoch = $2 returning id
)
select (select count(*) from renewed) = 1 as renewed,
       (select count(*) from node where id <> $1 and lease_until > $4) as others;

-- name: give_up
-- An orderly stop: the lease ends now.
update node set lease_until = $3 where id = $1 and epoch = $2;

-- name: expired
-- Nodes whose lease ran out and at which desks still stand open.
select n.id, n.name from node n
where n.lease_until < $1 and exists (select 1 from agent a where a.desk_node_id = n.id and a.desk_lost_at is null);
