-- Answers by mail: which message of ours a letter carries, so that it can be taken back before it goes, and its fate be shown.

alter table outbox add column said_id bigint references message (id) on delete set null;
create index outbox_said on outbox (said_id) where said_id is not null;
