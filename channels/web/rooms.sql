-- name: news
-- Of each chat the lines after the last one that somebody there has, with the files that go with them.
select l.interaction_id, l.n, l.message_id, m.author_id, m.text, l.client_id, m.at,
       (select json_agg(json_build_object('id', u.id, 'name', u.name, 'size', u.size) order by u.id)
        from upload u where u.message_id = l.message_id) as files
from unnest($1::bigint[], $2::integer[]) as wanted (id, after)
cross join lateral (
    select * from chat_line where interaction_id = wanted.id and n > wanted.after order by n limit 200
) l join message m on m.id = l.message_id
order by l.interaction_id, l.n;

-- name: still_here
-- The visitors of these chats are at this node, whatever another one has seen of them.
update chat set gone_at = null, node_id = $2 where interaction_id = any ($1::bigint[]) and gone_at is not null;
