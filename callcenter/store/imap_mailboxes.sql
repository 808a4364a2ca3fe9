-- name: take
-- The mailbox is this node's until $4, unless another one's lease holds at $3.
insert into imap_mailbox (name, place, since, reader_id, lease_until) values ($1, $2, $3, $5, $4)
on conflict (name) do update set reader_id = excluded.reader_id, lease_until = excluded.lease_until,
    place = excluded.place, since = case when imap_mailbox.place = excluded.place then imap_mailbox.since else excluded.since end,
    uidvalidity = case when imap_mailbox.place = excluded.place then imap_mailbox.uidvalidity end,
    last_uid = case when imap_mailbox.place = excluded.place then imap_mailbox.last_uid else 0 end,
    unmarked = case when imap_mailbox.place = excluded.place then imap_mailbox.unmarked else '{}' end,
    refused = case when imap_mailbox.place = excluded.place then imap_mailbox.refused else '{}' end
where imap_mailbox.reader_id is null or imap_mailbox.reader_id = $5 or imap_mailbox.lease_until < $3
returning uidvalidity, last_uid, unmarked, refused, since;

-- name: note
-- As long as the lease is ours.
update imap_mailbox set uidvalidity = $3, last_uid = $4, unmarked = $5, refused = $6, lease_until = $7
where name = $1 and reader_id = $2 returning true;

-- name: release
update imap_mailbox set reader_id = null, lease_until = null where name = $1 and reader_id = $2;
