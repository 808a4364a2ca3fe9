-- What every verb needs: locks in one order, after-images, months of the log.

-- Aggregates are locked before any write, interactions first, then agents, then tickets, then customers:
-- otherwise two transactions on one row can get their xids in the order opposite to their versions.
-- Classes: 1 interaction, 2 agent, 3 ticket, 4 customer, 6 organisation, 7 webhooks, 8 contract, 9 task, 10 timers, 11 families,
-- 12 correspondent, 15 solution, 16 company.
create or replace function lock_aggregate(p_class integer, p_id bigint) returns void
language sql as $$
    select pg_advisory_xact_lock((p_class::bigint << 56) | p_id)
$$;

create or replace function lock_interaction(p_id bigint) returns void language sql as $$ select lock_aggregate(1, p_id) $$;
create or replace function lock_agent(p_id bigint) returns void language sql as $$ select lock_aggregate(2, p_id) $$;
create or replace function lock_ticket(p_id bigint) returns void language sql as $$ select lock_aggregate(3, p_id) $$;
create or replace function lock_customer(p_id bigint) returns void language sql as $$ select lock_aggregate(4, p_id) $$;

-- Who a customer is now, whatever they were merged into.
create or replace function customer_now(p_id bigint) returns bigint
language sql stable as $$
    with recursive line as (
        select id, merged_into from customer where id = p_id
        union all
        select c.id, c.merged_into from customer c join line on c.id = line.merged_into
    )
    select id from line where merged_into is null
$$;

-- How many seconds older a customer's service contracts make their waiting work look: the most of those in force; null: none.
-- In force is what was begun and not ended, not what the clock says: so whoever reads later finds what the event told.
create or replace function contract_shift(p_customer bigint) returns double precision
language plpgsql stable as $$
begin
    return (
    select extract(epoch from max(k.age_shift)) from contract c join contract_kind k on k.id = c.kind_id
    where c.customer_id = p_customer and c.begun_at is not null and c.ended_at is null);
end
$$;

create or replace function offered_customer(p_interaction bigint) returns bigint
language sql stable as $$
    select customer_id from offered_work where interaction_id = p_interaction
$$;

-- By whose tier, contracts and language work waits: its own customer, or that of the ticket or task that is offered.
create or replace function work_customer(p_interaction bigint, p_customer bigint, p_channel text) returns bigint
language sql stable as $$
    select coalesce(p_customer, case when p_channel in ('ticket', 'task') then offered_customer(p_interaction) end)
$$;

-- After-images: states and ids, never a name or a number, so that a reader can apply an event without a query.
create or replace function interaction_image(i interaction) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'state', i.state, 'channel', i.channel, 'queued_at', i.queued_at, 'priority', i.priority, 'node', i.node_id,
        'tier', case when i.state = 'queued' then (
            select tier from customer where id = work_customer(i.id, i.customer_id, i.channel)) end)
        || case when i.state = 'queued' then jsonb_build_object(
            'language', coalesce(i.language, (
                select language from customer where id = work_customer(i.id, i.customer_id, i.channel))),
            'preferred', i.preferred, 'preferred_as', i.preferred_as,
            'contract', contract_shift(work_customer(i.id, i.customer_id, i.channel))) else '{}' end
        || case when i.entered_at is null and i.treated is null then '{}'
                else jsonb_build_object('entered_at', i.entered_at, 'treated', i.treated) end
$$;

create or replace function agent_image(a agent) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'presence', a.presence, 'reason', a.presence_reason, 'presence_at', a.presence_at,
        'next_presence', a.next_presence, 'next_reason', a.next_presence_reason,
        'routing_status', a.routing_status, 'routing_at', a.routing_at, 'load', a.load, 'idle_since', a.idle_since,
        'not_before', a.not_before, 'desk_lost_at', nullif(a.desk_lost_at, '-infinity'),
        'desk', a.desk_lost_at is null)
$$;

create or replace function log_agent(a agent, p_kind text, p_now timestamptz, p_actor bigint, p_interaction bigint)
returns setof contact_log
language sql as $$
    insert into contact_log (kind, at, agent_id, actor_id, interaction_id, version, data)
    values (p_kind, p_now, a.user_id, p_actor, p_interaction, a.version, agent_image(a))
    returning *
$$;

create or replace function log_interaction(
    i interaction, p_kind text, p_now timestamptz, p_agent bigint, p_actor bigint, p_data jsonb)
returns setof contact_log
language sql as $$
    insert into contact_log (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version, data)
    values (p_kind, p_now, i.id, i.customer_id, p_agent, i.queue_id, i.ticket_id, p_actor, i.version,
            interaction_image(i) || p_data)
    returning *
$$;

-- Months from the one of p_from on, p_months of them; names are contact_log_YYYY_MM. Returns how many were made.
-- Events written before their month was there move into it: a default partition that has some refuses the month.
create or replace function ensure_log_months(p_from timestamptz, p_months integer) returns integer
language plpgsql as $$
declare
    v_month date := date_trunc('month', p_from at time zone 'UTC')::date;
    v_name text;
    v_begin timestamptz;
    v_end timestamptz;
    made integer := 0;
begin
    -- Whoever waits for this lock holds up every writer behind them: a backup may read for hours, and there is time.
    perform set_config('lock_timeout', '200ms', true);
    for n in 1..p_months loop
        v_name := 'contact_log_' || to_char(v_month, 'YYYY_MM');
        v_begin := v_month::timestamp at time zone 'UTC';
        v_end := (v_month + interval '1 month') at time zone 'UTC';
        if to_regclass(v_name) is null then
            -- Of the whole log: a writer on its way into the default partition would find itself in the wrong one.
            lock table contact_log in access exclusive mode;
            execute format('create table %I (like contact_log including defaults including indexes)', v_name);
            execute format(
                'with early as (delete from contact_log_default where at >= %L and at < %L returning *)
                 insert into %I select * from early', v_begin, v_end, v_name);
            execute format(
                'alter table contact_log attach partition %I for values from (%L) to (%L)', v_name, v_begin, v_end);
            made := made + 1;
        end if;
        v_month := (v_month + interval '1 month')::date;
    end loop;
    return made;
end
$$;
