-- Notices a restore into a new cluster, or a promotion that lost transactions: stored xids can then lie in the future,
-- and new rows would sort before them. The log begins a new epoch; cursors of the old one get a resync.
-- Answers the epoch.
create or replace function note_cluster() returns integer
language plpgsql as $$
declare
    v_here bigint := (select system_identifier from pg_control_system());
    o organisation;
begin
    select * into o from organisation for update;
    if o.cluster_identifier is null then
        update organisation set cluster_identifier = v_here;
    -- By the snapshot's end: our own xid is older than those of writers that began, and committed, after us.
    elsif o.cluster_identifier <> v_here or exists (
        select 1 from contact_log where epoch = o.log_epoch and xid >= pg_snapshot_xmax(pg_current_snapshot()))
    then
        update organisation set cluster_identifier = v_here, log_epoch = log_epoch + 1 returning * into o;
        execute format('alter table contact_log alter column epoch set default %s', o.log_epoch);
    end if;
    return o.log_epoch;
end
$$;
