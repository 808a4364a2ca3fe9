-- Written work goes on with somebody else: stays in a queue that were answered there before the contact went on in another one.

create table handed_over (
    queue_id bigint not null,
    interaction_id bigint not null,
    entered_at timestamptz not null,
    answered_at timestamptz,
    left_at timestamptz not null
);
create index handed_over_entered on handed_over (entered_at) include (queue_id);
create index handed_over_interaction on handed_over (interaction_id);

-- Answers that are written once and used often. From the organisation's file (`owner_id` null) or an agent's own.
-- `language` and `queue_id` null: for all of them.
create table canned_answer (
    id bigint generated always as identity primary key,
    name text not null,
    text text not null,
    language text,
    queue_id bigint references queue (id),
    owner_id bigint references users (id) on delete cascade,
    updated_at timestamptz not null,
    version integer not null default 1
);
create unique index canned_answer_name on canned_answer (coalesce(owner_id, 0), name, coalesce(language, ''));

-- What an agent is about to say in a chat or another conversation that is written.
alter table draft add column answer text not null default '';
