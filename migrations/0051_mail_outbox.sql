-- The reports on a letter that came back: few, so that an erasure need not read all mail for them.

create index mail_outbox on mail (outbox_id) where outbox_id is not null;
