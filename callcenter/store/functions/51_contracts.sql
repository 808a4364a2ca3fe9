-- Contracts and the value of customers, so far as tickets and the router hear of them.

-- A customer's contracts with what they decide about tickets, as one text that is the same as long as they are; null: none.
create or replace function contract_covers(p_customer bigint) returns text
language plpgsql stable as $$
begin
    return (
    select json_agg(json_build_object(
        'id', c.id, 'kind', k.name, 'starts_at', c.starts_at, 'ends_at', c.ends_at,
        'queues', coalesce(c.queues, k.queues), 'categories', coalesce(c.categories, k.categories), 'targets', c.targets,
        'hours', case when h.id is not null then json_build_object('timezone', h.timezone, 'weekly', h.weekly,
            'holidays', h.holidays, 'closed', h.closed, 'open', h.open) end) order by c.id)::text
    from contract c join contract_kind k on k.id = c.kind_id left join hours h on h.id = k.hours_id
    where c.customer_id = p_customer);
end
$$;

-- Customers whose tier, language or contracts changed, for `review_promises`. Their tickets are not touched here: whoever acts on one
-- holds its lock, and tickets are locked before customers.
create or replace function ask_review(p_customers bigint[]) returns void
language sql as $$
    insert into promise_review (customer_id) select distinct unnest(p_customers)
$$;

-- Works off these reviews, all of them due: their open tickets count as worked out under no promise at all, which the sweep
-- mends. Returns how many tickets that were. A ticket that somebody acts on, and what is behind it, waits for the next turn:
-- nothing here waits for a lock, so any number of servers may do it at once.
create or replace function review_promises(p_limit integer, p_reviews bigint[]) returns integer
language plpgsql as $$
declare
    r promise_review;
    v_ticket bigint;
    v_last bigint;
    v_left integer := p_limit;
    v_done boolean;
begin
    for r in
        select * from promise_review where id = any (p_reviews) order by id for update skip locked
    loop
        v_last := r.after_ticket;
        v_done := true;
        for v_ticket in
            select t.id from ticket t where t.customer_id = r.customer_id and t.id > r.after_ticket
              and t.state not in ('resolved', 'closed') order by t.id limit v_left + 1
        loop
            if v_left = 0 or not pg_try_advisory_xact_lock((3::bigint << 56) | v_ticket) then
                v_done := false;
                exit;
            end if;
            update ticket_sla set revision = 0 where ticket_id = v_ticket and over_at is null;
            v_last := v_ticket;
            v_left := v_left - 1;
        end loop;
        if v_done then
            delete from promise_review where id = r.id;
        else
            update promise_review set after_ticket = v_last where id = r.id;
        end if;
    end loop;
    return p_limit - v_left;
end
$$;

-- What of a customer waits in a queue stands there by their tier, language and contracts as they are now: the router hears it as
-- of any other move.
create or replace function revalue_waiting(p_interaction bigint, p_now timestamptz) returns setof contact_log
language plpgsql as $$
declare
    i interaction;
begin
    perform lock_interaction(p_interaction);
    update interaction set version = version + 1 where id = p_interaction and state = 'queued' returning * into i;
    if found then
        return query select * from log_interaction(i, 'interaction.revalued', p_now, null, null, '{}');
    end if;
end
$$;

-- The days of the period of a quota in which p_day lies: from the first one until the first of the next period (null: for ever).
-- Periods are counted from the contract's first day; of a shorter month its last day counts.
create or replace function contract_period(
    p_starts_on date, p_per text, p_day date, out begins_on date, out next_on date)
language plpgsql immutable as $$
declare
    v_months integer := case p_per when 'month' then 1 when 'quarter' then 3 when 'year' then 12 end;
    n integer;
begin
    begins_on := p_starts_on;
    if v_months is null then
        return;
    end if;
    n := greatest(0, ((extract(year from p_day) - extract(year from p_starts_on)) * 12
        + extract(month from p_day) - extract(month from p_starts_on))::integer / v_months);
    if n > 0 and p_starts_on + make_interval(months => n * v_months) > p_day then
        n := n - 1;
    end if;
    begins_on := (p_starts_on + make_interval(months => n * v_months))::date;
    next_on := (p_starts_on + make_interval(months => (n + 1) * v_months))::date;
end
$$;

-- How much of a contract's quota is used in a stretch of days: its cases, or minutes of conversation in contacts that belong to
-- them. What we open ourselves, visits and renewals, is no case of theirs. A case belongs to one contract and
-- a contact to one case, and what was merged into another ticket is no case of its own, so nothing counts twice.
create or replace function contract_used(
    p_contract bigint, p_unit text, p_begins_on date, p_next_on date, p_zone text) returns integer
language plpgsql stable as $$
begin
    return (
    select case p_unit
        when 'cases' then (
            select count(*) from ticket_sla s join ticket t on t.id = s.ticket_id
            where s.contract_id = p_contract and t.merged_into is null
              and not exists (select from contract_duty where ticket_id = t.id)
              and t.created_at >= p_begins_on::timestamp at time zone p_zone
              and (p_next_on is null or t.created_at < p_next_on::timestamp at time zone p_zone))
        when 'minutes' then (
            select coalesce(ceil(extract(epoch from sum(i.ended_at - i.answered_at)) / 60), 0)
            from ticket_sla s join interaction i on i.ticket_id = s.ticket_id
            where s.contract_id = p_contract and i.answered_at is not null and i.ended_at is not null
              and i.ended_at >= p_begins_on::timestamp at time zone p_zone
              and (p_next_on is null or i.ended_at < p_next_on::timestamp at time zone p_zone))
        end::integer);
end
$$;

-- What a customer's contracts say to whoever speaks with them: those that go on, are coming, or ended in the last quarter; with
-- what is used of the quota of this period (of the last one, of what has ended).
create or replace function contract_cards(p_customer bigint, p_now timestamptz) returns json
language plpgsql stable as $$
begin
    return (
    select coalesce(json_agg(json_build_object(
        'id', c.id, 'name', c.name, 'kind', k.name, 'title', k.title, 'starts_on', c.starts_on, 'ends_on', c.ends_on,
        'state', case when c.cancelled_at <= p_now then 'cancelled' when c.starts_at > p_now then 'coming'
                      when c.ends_at <= p_now then 'ended' else 'in_force' end,
        'queues', coalesce(c.queues, k.queues), 'categories', coalesce(c.categories, k.categories),
        'products', coalesce(c.products, k.products), 'hours', (select name from hours where id = k.hours_id),
        'quota', q.quota, 'used', contract_used(c.id, q.unit, p.begins_on, p.next_on, o.timezone),
        'period_begins_on', p.begins_on, 'period_next_on', p.next_on
    ) order by (c.starts_at <= p_now and (c.ends_at is null or c.ends_at > p_now)) desc, c.starts_at desc, c.id desc), '[]')
    from contract c
    join contract_kind k on k.id = c.kind_id
    cross join organisation o
    cross join lateral (
        select coalesce(c.quota, k.quota) as quota,
               case when coalesce(c.quota, k.quota) ? 'cases' then 'cases' when coalesce(c.quota, k.quota) ? 'minutes' then 'minutes' end
               as unit
    ) q
    left join lateral contract_period(c.starts_on, q.quota ->> 'per',
        least((p_now at time zone o.timezone)::date, coalesce(c.ends_on, 'infinity'))) p on q.quota is not null
    where c.customer_id = p_customer and (c.ends_at is null or c.ends_at > p_now - interval '92 days'));
end
$$;
