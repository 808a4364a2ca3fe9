-- migrate: concurrently
-- What closed in the last hour, for handling times: few rows of a long table. Closing leaves interaction_open anyway, so no
-- update that was cheap before becomes dearer.
create index concurrently if not exists interaction_closed_at on interaction (closed_at) where closed_at is not null
