-- The history of a ticket's fields writes itself: by a trigger, so that nobody who writes a ticket can forget it, actions, sweeps
-- and rules, one ticket or a thousand at once.
create or replace function keep_ticket_history() returns trigger
language plpgsql as $$
begin
    insert into ticket_history (ticket_id, version, field, before, after, actor_id, at)
    select new.id, new.version, f.field, f.before, f.after, new.updated_by, new.updated_at
    from (values
        ('subject', to_jsonb(old.subject), to_jsonb(new.subject)),
        ('state', to_jsonb(old.state), to_jsonb(new.state)),
        ('priority', to_jsonb(old.priority), to_jsonb(new.priority)),
        ('type', to_jsonb(old.type), to_jsonb(new.type)),
        ('category', to_jsonb(old.category), to_jsonb(new.category)),
        ('queue', to_jsonb(old.queue_id), to_jsonb(new.queue_id)),
        ('owner', to_jsonb(old.owner_id), to_jsonb(new.owner_id)),
        ('customer', to_jsonb(old.customer_id), to_jsonb(new.customer_id)),
        ('parent', to_jsonb(old.parent_id), to_jsonb(new.parent_id)),
        ('merged_into', to_jsonb(old.merged_into), to_jsonb(new.merged_into)),
        ('tags', nullif(to_jsonb(old.tags), '[]'), nullif(to_jsonb(new.tags), '[]')),
        ('followers', nullif(to_jsonb(old.followers), '[]'), nullif(to_jsonb(new.followers), '[]')),
        ('customers', nullif(to_jsonb(old.customers), '[]'), nullif(to_jsonb(new.customers), '[]'))
    ) f (field, before, after)
    where f.before is distinct from f.after
    on conflict (ticket_id, version, field) do update set after = excluded.after;
    if old.fields is distinct from new.fields then
        insert into ticket_history (ticket_id, version, field, before, after, actor_id, at)
        select new.id, new.version, 'fields.' || key, o.value, n.value, new.updated_by, new.updated_at
        from jsonb_each(jsonb_strip_nulls(old.fields)) o full join jsonb_each(jsonb_strip_nulls(new.fields)) n using (key)
        where o.value is distinct from n.value
        on conflict (ticket_id, version, field) do update set after = excluded.after;
    end if;
    return null;
end
$$;
create or replace trigger ticket_history after update on ticket for each row
when ((old.subject, old.state, old.priority, old.type, old.category, old.queue_id, old.owner_id, old.customer_id, old.parent_id,
       old.merged_into, old.tags, old.followers, old.customers, old.fields)
      is distinct from
      (new.subject, new.state, new.priority, new.type, new.category, new.queue_id, new.owner_id, new.customer_id, new.parent_id,
       new.merged_into, new.tags, new.followers, new.customers, new.fields))
execute function keep_ticket_history();
