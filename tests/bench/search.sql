-- name: people
-- Customers $1 to $2, three in five with a Chinese name: of 40 surnames, the first of them most common, and 3,600 given names;
-- the others of 40 first names and 4,000 surnames made of syllables. One in three belongs to a company.
insert into customer (id, name, company, created_at) overriding system value
select who, case when who % 5 < 3
    then substr('王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡', common, 1)
         || substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲辉鹏华飞红玉兰英梅鑫波斌宇浩凯秀文云建国志海峰龙雪婷慧欣怡佳俊博轩子涵梓诗雨桐', 1 + any_one % 60, 1)
         || case when who % 10 < 5 then substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲辉鹏华飞红玉兰英梅鑫波斌宇浩凯秀文云建国志海峰龙雪婷慧欣怡佳俊博轩子涵梓诗雨桐', 1 + any_one / 60 % 60, 1) else '' end
    else (array['Anna','Ben','Carla','David','Elena','Frank','Grace','Henry','Irene','Jack','Karin','Leo','Maria','Nina','Oscar','Paula','Quinn','Rosa','Simon','Tina','Uwe','Vera','Walter','Xenia','Yuri','Zoe','Amir','Bella','Chloe','Dario','Emma','Felix','Gina','Hugo','Ida','Jonas','Kim','Lara','Max','Nora'])[common]
         || ' ' || initcap(w.word) end,
    case when who % 3 = 0 then case when who % 2 = 0 then initcap(w.word) || ' Trading ' || who / 60 else w.sign || '公司' || who / 60 end end,
    now() - interval '3 years'
from (select n as who, 1 + floor(power(abs(hashint8(n)) / 2147483648.0, 2) * 40)::integer % 40 as common, abs(hashint8(n + 7000000)) as any_one
      from generate_series($1::bigint, $2::bigint) n) drawn
join bench_word w on w.n = any_one % 4000;

-- name: addresses
-- A mobile number in a random order and a mail address for each of the customers $1 to $2.
insert into address (customer_id, kind, value)
select n, kind, case kind when 'phone' then '+861' || 3000000000 + n * 7919 % 1000003 * 997
                          else (array['info','sales','c','m','office','li','wang','anna'])[1 + n % 8] || n || '@' || (array['example.org','example.com','mail.example','c' || n % 5000 || '.example'])[1 + n % 4] end
from generate_series($1::bigint, $2::bigint) n, unnest(array['phone', 'email']) kind;

-- name: contacts
-- Contacts $1 to $2, of $3 customers; half of them have a note.
insert into interaction (id, channel, state, customer_id, arrived_at, closed_at, note) overriding system value
select n, (array['chat', 'phone', 'message'])[1 + n % 3], 'closed', 1 + n * 7919 % $3::bigint, at, at,
       case when n % 2 = 0 then 'note ' || n || ' ' || (
           select string_agg(case when k % 3 = 0 then w.sign else w.word end, ' ') from generate_series(1, 6) k
           join bench_word w on w.n = floor(power(abs(hashint8(n * 16 + k + 13)) / 2147483648.0, 3) * 4000)::bigint % 4000) end
from (select n, now() - interval '1 minute' * (2000000 - n) as at from generate_series($1::bigint, $2::bigint) n) drawn;

-- name: messages
-- A message of each of the contacts $1 to $2: a dozen words of both scripts, common ones more often, and a number of their own.
insert into message (id, interaction_id, kind, text, at) overriding system value
select n, n, 'inbound', 'parcel ' || 5000000 + n || ' ' || (
    select string_agg(case when k % 3 = 0 then w.sign else w.word end, ' ') from generate_series(1, 12) k
    join bench_word w on w.n = floor(power(abs(hashint8(n * 16 + k)) / 2147483648.0, 3) * 4000)::bigint % 4000), now()
from generate_series($1::bigint, $2::bigint) n;

-- name: secondary_indexes
-- What the loader builds after its rows: name, and the statement that makes it.
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
from pg_index where not indisunique and indrelid = any ('{customer,address,interaction,message,ticket,ticket_text}'::regclass[]);

-- name: index_sizes
select indexrelid::regclass::text as name, pg_relation_size(indexrelid) as bytes from pg_index
where indexrelid::regclass::text in ('customer_grams', 'address_end', 'message_words', 'interaction_note_words');

-- name: plain_table
-- Messages as the product keeps them, but for the index of their words.
create table plain_message (id bigint generated always as identity primary key, interaction_id bigint, ticket_id bigint,
    author_id bigint, kind text not null, public boolean not null default false, text text not null, at timestamptz not null);
create index on plain_message (interaction_id, id) where interaction_id is not null;
create index on plain_message (ticket_id, id) where ticket_id is not null;
create trigger follow_new_text after insert or delete on plain_message for each row execute function follow_ticket_text();
