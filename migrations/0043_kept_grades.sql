-- A grade stays whatever the code above it does: it is neither taken back to a draft nor deleted, and what its scorecard asked stays
-- what was asked. Nothing in an evaluation is the customer's, so whoever erases one has no need to touch it.
create or replace function keep_grade() returns trigger language plpgsql as $$
begin
    if old.state = 'draft' then
        if tg_op = 'DELETE' then
            return old;
        end if;
        return new;
    end if;
    if tg_op = 'DELETE' or new.state = 'draft'
        or (new.answers, new.form_id, new.agent_id, new.interaction_id, new.evaluator_id, new.graded_at, new.total, new.passed, new.comment)
        is distinct from (old.answers, old.form_id, old.agent_id, old.interaction_id, old.evaluator_id, old.graded_at, old.total, old.passed,
        old.comment)
    then
        raise exception 'evaluation % is graded and stays as it is', old.id using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
drop trigger keep_grade on evaluation;
create trigger keep_grade before update or delete on evaluation for each row execute function keep_grade();

create function keep_asked() returns trigger language plpgsql as $$
begin
    if exists (select from evaluation where form_id = old.id and state <> 'draft') then
        raise exception 'form % was graded by and stays as it is', old.id using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep_asked before update on form for each row
    when ((new.kind, new.name, new.version, new.definition) is distinct from (old.kind, old.name, old.version, old.definition))
    execute function keep_asked();
