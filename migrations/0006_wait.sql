-- How long contacts take and wait, and what becomes of those who wait too long.

-- What a contact is taken to need where none was handled in the last hour.
alter table organisation add column default_handling interval not null default '90 seconds';

-- The pace of each queue, measured by the leader every minute and read by all nodes; no fact, so no part of the log.
create table pace (
    only_row boolean primary key default true check (only_row),
    measured_at timestamptz not null,
    queues jsonb not null
);

-- What becomes of work that waits too long: rules in order, as the organisation file has them.
alter table queue add column overflow jsonb not null default '[]';

-- Since when it waits in its present queue, where that is not since queued_at; rules count from there.
alter table interaction add column entered_at timestamptz;
-- The rules that have been carried out on it while it went on waiting.
alter table interaction add column treated text[];
