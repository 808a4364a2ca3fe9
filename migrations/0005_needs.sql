-- Languages that work asks for, and agents for whom it waits first.

alter table queue
    -- The level at which the customer's language is to be spoken; 0: it is not asked for.
    add language integer not null default 0,
    -- Of customers whose language nobody knows.
    add default_language text,
    -- Whom work waits for: last_agent, owner, or named (only those that an arrival names); null: nobody.
    add prefer text check (prefer in ('last_agent', 'owner', 'named')),
    add prefer_for interval not null default '20 seconds',
    -- How long ago somebody may have been the last agent.
    add prefer_within interval not null default '30 days';

alter table customer
    -- Who looks after this customer.
    add owner_id bigint references users (id);

alter table interaction
    -- As the arrival said it; null: the customer's.
    add language text,
    -- For whom it waits first, the best first, and as what.
    add preferred bigint[],
    add preferred_as text;
