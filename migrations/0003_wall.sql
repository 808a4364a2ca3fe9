-- migrate: concurrently
-- The figures of today, for the wall: few rows of a long table.
create index concurrently if not exists interaction_queued_at on interaction (queued_at)
