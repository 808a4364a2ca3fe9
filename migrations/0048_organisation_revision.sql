-- By which organisation a decision was made: raised whenever one is applied. A router that slept through that decides by one
-- that is gone, and is refused.

alter table organisation add revision integer not null default 1;
