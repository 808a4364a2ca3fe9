-- People who are called back, calls that this house places, and whom it calls no more.

-- What the organisation file says of callbacks (domain/callback.py).
alter table organisation add column callbacks jsonb not null default '{}';

create table callback (
    interaction_id bigint primary key references interaction on delete cascade,
    -- What it took the place of (a call, a chat, a form), or the callback before it in which nobody was reached.
    origin_id bigint references interaction,
    attempt integer not null default 1,
    -- Whom to call; null once it is over. Nobody waits for two callbacks at once.
    number text,
    -- When it enters its queue; null: it is there, or has been.
    due_at timestamptz
);
create unique index callback_number on callback (number) where number is not null;
create index callback_due on callback (due_at) where due_at is not null;
create index callback_origin on callback (origin_id) where origin_id is not null;

-- A call that a PBX places for us: the agent's phone first, then the customer's.
create table outcall (
    id bigint generated always as identity primary key,
    interaction_id bigint not null references interaction on delete cascade,
    reservation_id bigint not null,
    pbx text not null,
    -- The Uniqueids of the two legs: the agent's was chosen before it existed, the customer's is known with their answer.
    agent_leg text not null,
    customer_leg text,
    began_at timestamptz not null,
    answered_at timestamptz,
    ended_at timestamptz
);
create unique index outcall_interaction on outcall (interaction_id) where ended_at is null;

create table do_not_call (
    number text primary key,
    reason text,
    added_by bigint references users,
    added_at timestamptz not null
);
