-- The least that a screen pop needs: who calls, what they wanted before, and that they called.
create schema floor;
create table floor.customer (id bigint not null, name text not null);
create table floor.phone (value text not null, customer_id bigint not null);
create table floor.interaction (
    id bigint not null,
    customer_id bigint,
    channel text not null,
    arrived_at timestamptz not null,
    agent_id bigint,
    subject text,
    external_id text not null
);
create table floor.log (
    seq bigint generated always as identity primary key,
    interaction_id bigint not null,
    kind text not null,
    data jsonb not null,
    at timestamptz not null
);
create sequence floor.interaction_id;

-- One call's arrival and its pop: the members of a JSON object, without the braces.
create function floor.pop(p_phone text, p_external_id text, p_called text) returns text
language plpgsql as $$
declare
    v_customer bigint;
    v_name text;
    v_id bigint := nextval('floor.interaction_id');
    v_history text;
begin
    select c.id, c.name into v_customer, v_name
    from floor.phone p join floor.customer c on c.id = p.customer_id where p.value = p_phone;
    insert into floor.interaction values (v_id, v_customer, 'phone', now(), null, p_called, p_external_id);
    insert into floor.log (interaction_id, kind, data, at)
    values (v_id, 'arrived', jsonb_build_object('called', p_called, 'phone', p_phone), now());
    select json_agg(json_build_object('id', h.id, 'channel', h.channel, 'at', h.arrived_at, 'agent', h.agent_id, 'subject', h.subject))::text
    into v_history
    from (select id, channel, arrived_at, agent_id, subject from floor.interaction
          where customer_id = v_customer order by arrived_at desc, id desc limit 50) h;
    return '"interaction":' || v_id || ',"customer":' || coalesce(v_customer, 0) || ',"name":' || to_json(coalesce(v_name, ''))::text
        || ',"history":' || coalesce(v_history, '[]');
end
$$;
