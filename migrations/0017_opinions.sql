-- What customers say after any channel, and what evaluators say of conversations.

-- Questionnaires, scorecards and rules by which conversations are drawn for them, as somebody wrote them down. A change makes a new
-- version: what was asked or graded by an earlier one keeps that.
create table form (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('survey', 'scorecard', 'sampling')),
    name text not null,
    version integer not null,
    definition jsonb not null,
    active boolean not null default true,   -- the one in use; none: retired
    created_at timestamptz not null,
    unique (kind, name, version)
);
create unique index form_active on form (kind, name) where active;

alter table survey
    add column via text not null default 'mail' check (via in ('mail', 'keypad', 'api')),
    add column form_id bigint references form (id),     -- further questions
    add column answers jsonb not null default '{}',     -- to those, by the question's name
    add column wordless boolean not null default false, -- what they wrote was deleted for its age
    alter column customer_id drop not null;             -- nobody we know
create index survey_form on survey (form_id, asked_at) where form_id is not null;

-- Who is never asked again: a customer, or whoever reads the mail of an address.
create table survey_refusal (
    id bigint generated always as identity primary key,
    customer_id bigint unique references customer (id),
    address text unique,
    survey_id bigint not null references survey (id),   -- in whose letter they said so
    at timestamptz not null
);

-- What is to be deleted for its age.
create index outbox_ended on outbox (ended_at) where ended_at is not null and recipient <> '';
create index survey_words on survey (answered_at)
    where not wordless and answered_at is not null and (comment is not null or form_id is not null);

-- Several evaluators grade one conversation, each without seeing the others' grades, to find out where they differ.
create table calibration (
    id bigint generated always as identity primary key,
    interaction_id bigint not null references interaction (id),
    form_id bigint not null references form (id),
    created_by bigint not null references users (id),
    created_at timestamptz not null,
    closed_at timestamptz           -- from then on, or when all have graded, everybody sees all grades
);

-- Conversations drawn by a rule: once for each week, and again in the same way by the same seed.
create table sample (
    id bigint generated always as identity primary key,
    form_id bigint not null references form (id),
    rule text not null,
    week date not null,             -- its Monday, in the organisation's time zone
    seed bigint not null,
    drawn_at timestamptz not null,
    unique (rule, week)
);

-- How an agent did in a conversation, by a version of a scorecard.
create table evaluation (
    id bigint generated always as identity primary key,
    interaction_id bigint not null references interaction (id),
    agent_id bigint not null references users (id),
    form_id bigint not null references form (id),
    evaluator_id bigint references users (id),          -- null: whoever takes it first
    sample_id bigint references sample (id),
    calibration_id bigint references calibration (id),
    state text not null default 'draft' check (state in ('draft', 'graded', 'disputed', 'upheld', 'changed')),
    answers jsonb not null default '{}',                -- by the question's name; null: does not apply
    comment text,
    total numeric(5, 2),                                -- per cent; null with 'graded': nothing applied
    passed boolean,
    created_at timestamptz not null,
    graded_at timestamptz,
    dispute text,
    disputed_at timestamptz,
    decision text,
    decided_by bigint references users (id),
    decided_at timestamptz,
    replaces_id bigint unique references evaluation (id),
    reason text,                                        -- why it replaces the other
    version integer not null default 1
);
create index evaluation_open on evaluation (id) where state = 'draft';
create index evaluation_agent on evaluation (agent_id, graded_at desc);
create index evaluation_disputed on evaluation (disputed_at) where state = 'disputed';
create index evaluation_interaction on evaluation (interaction_id);
create unique index evaluation_once on evaluation (interaction_id, agent_id, form_id)
    where calibration_id is null and state <> 'changed';
create unique index evaluation_blind on evaluation (calibration_id, evaluator_id) where calibration_id is not null;

-- Whatever the code above it does, a grade stays as it was given.
create function keep_grade() returns trigger language plpgsql as $$
begin
    if old.state <> 'draft' and (new.answers, new.form_id, new.agent_id, new.interaction_id, new.evaluator_id, new.graded_at)
        is distinct from (old.answers, old.form_id, old.agent_id, old.interaction_id, old.evaluator_id, old.graded_at)
        or old.state <> 'draft' and (new.total, new.passed, new.comment) is distinct from (old.total, old.passed, old.comment)
    then
        raise exception 'evaluation % is graded and stays as it is', old.id using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep_grade before update on evaluation for each row execute function keep_grade();
