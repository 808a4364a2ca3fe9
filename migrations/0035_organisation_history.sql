-- Who changed the organisation's settings, when and how: the contact log has that it happened, this has what.

create table organisation_application (
    id bigint generated always as identity primary key,
    applied_at timestamptz not null,
    actor_id bigint references users (id), -- null: the command line
    via text not null check (via in ('file', 'page', 'api')),
    lines text[] not null                  -- of the plan, as `callcenter apply` prints it
);
