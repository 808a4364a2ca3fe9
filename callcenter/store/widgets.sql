-- name: widgets
select w.key, q.name as queue, w.sites, w.languages, w.greeting, w.ask, w.form, w.callback, w.secret
from widget w join queue q on q.id = w.queue_id where w.active order by w.id;

-- name: put
-- A null secret leaves what there is.
insert into widget (key, queue_id, sites, languages, greeting, ask, form, callback, secret)
values ($1, (select id from queue where name = $2), $3, $4, $5, $6, $7, $8, $9)
on conflict (key) do update set queue_id = excluded.queue_id, sites = excluded.sites, languages = excluded.languages,
    greeting = excluded.greeting, ask = excluded.ask, form = excluded.form, callback = excluded.callback,
    secret = coalesce(excluded.secret, widget.secret),
    active = true;

-- name: retire
-- Chats that came by it still name it.
update widget set active = false where key = any ($1::text[]);
