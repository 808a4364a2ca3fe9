-- name: acquire
select pg_try_advisory_lock($1) as leads, pg_backend_pid() as pid;

-- name: beat
insert into leader (node_id, backend_pid, beat_at) values ($1, pg_backend_pid(), clock_timestamp())
on conflict (only_row) do update set node_id = excluded.node_id, backend_pid = excluded.backend_pid,
    beat_at = excluded.beat_at;

-- name: depose
-- A leader that no longer beats keeps its lock as long as its backend lives.
select pg_terminate_backend(l.backend_pid) from leader l
join pg_locks k on k.pid = l.backend_pid and k.locktype = 'advisory'
    and (k.classid::bigint << 32 | k.objid::bigint) = $1
where l.beat_at < clock_timestamp() - $2::interval and l.backend_pid <> pg_backend_pid();

-- name: release
select pg_advisory_unlock($1);
