-- Generated from the migrations: read this, change those.

create sequence contact_log_seq;

create sequence ticket_number;

create table address (
    id bigint generated always as identity,
    customer_id bigint not null,
    kind text not null,
    value text not null,
    certainty text default 'known' not null,
    created_at timestamptz default now() not null,
    constraint address_certainty_check CHECK ((certainty = ANY (ARRAY['verified', 'known', 'maybe']))),
    constraint address_kind_check CHECK ((kind = ANY (ARRAY['phone', 'email', 'web', 'fax', 'external']))),
    constraint address_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id) ON DELETE CASCADE,
    constraint address_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX address_customer ON address USING btree (customer_id, kind, value);
CREATE INDEX address_value ON address USING btree (kind, value) INCLUDE (customer_id, certainty);

create table agent (
    user_id bigint not null,
    presence text default 'offline' not null,
    presence_reason text,
    presence_at timestamptz default now() not null,
    routing_status text default 'off_queue' not null,
    routing_at timestamptz default now() not null,
    idle_since timestamptz,
    not_before timestamptz,
    failures integer default 0 not null,
    desk_node_id bigint,
    desk_lost_at timestamptz default '-infinity'::timestamptz,
    version integer default 0 not null,
    load jsonb default '{}'::jsonb not null,
    next_presence text,
    next_presence_reason text,
    offer boolean default false not null,
    live integer default 0 not null,
    constraint agent_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint agent_pkey PRIMARY KEY (user_id)
) with (fillfactor=50);

create table contact_log (
    seq bigint default nextval('contact_log_seq'::regclass) not null,
    xid xid8 default pg_current_xact_id() not null,
    epoch integer default 1 not null,
    at timestamptz not null,
    kind text not null,
    interaction_id bigint,
    customer_id bigint,
    agent_id bigint,
    queue_id bigint,
    ticket_id bigint,
    actor_id bigint,
    version integer,
    data jsonb default '{}'::jsonb not null
) partition by RANGE (at);
CREATE INDEX contact_log_interaction ON ONLY contact_log USING btree (interaction_id, seq) WHERE (interaction_id IS NOT NULL);
CREATE INDEX contact_log_order ON ONLY contact_log USING btree (epoch, xid, seq);
CREATE INDEX contact_log_ticket ON ONLY contact_log USING btree (ticket_id, seq) WHERE (ticket_id IS NOT NULL);

create table customer (
    id bigint generated always as identity,
    external_id text,
    name text not null,
    company text,
    tier text,
    language text,
    note text,
    merged_into bigint,
    created_at timestamptz default now() not null,
    version integer default 1 not null,
    owner_id bigint,
    constraint customer_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES customer(id),
    constraint customer_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id),
    constraint customer_pkey PRIMARY KEY (id),
    constraint customer_external_id_key UNIQUE (external_id)
);
CREATE INDEX customer_words ON customer USING gin (bigrams(((name || ' ') || COALESCE(company, ''))));

create table draft (
    user_id bigint not null,
    interaction_id bigint not null,
    note text default '' not null,
    disposition text,
    updated_at timestamptz not null,
    constraint draft_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id) ON DELETE CASCADE,
    constraint draft_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint draft_pkey PRIMARY KEY (user_id, interaction_id)
);

create table flow_out (
    queue_id bigint not null,
    interaction_id bigint not null,
    entered_at timestamptz not null,
    left_at timestamptz not null
);
CREATE INDEX flow_out_entered ON flow_out USING btree (entered_at) INCLUDE (queue_id);

create table hours (
    id bigint generated always as identity,
    name text not null,
    timezone text not null,
    weekly jsonb default '{}'::jsonb not null,
    holidays text,
    closed date[] default '{}'::date[] not null,
    open jsonb default '{}'::jsonb not null,
    constraint hours_pkey PRIMARY KEY (id),
    constraint hours_name_key UNIQUE (name)
);

create table interaction (
    id bigint generated always as identity,
    channel text not null,
    direction text default 'inbound' not null,
    state text not null,
    outcome text,
    external_id text,
    pbx text,
    leg text,
    customer_id bigint,
    queue_id bigint,
    agent_id bigint,
    ticket_id bigint,
    address_kind text,
    address text,
    address_name text,
    called text,
    subject text,
    priority integer default 0 not null,
    arrived_at timestamptz not null,
    queued_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    closed_at timestamptz,
    disposition text,
    note text,
    end_cause text,
    segments integer default 0 not null,
    node_id bigint,
    version integer default 1 not null,
    language text,
    preferred bigint[],
    preferred_as text,
    entered_at timestamptz,
    treated text[],
    constraint interaction_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id),
    constraint interaction_pkey PRIMARY KEY (id)
) with (fillfactor=85);
CREATE INDEX interaction_address ON interaction USING btree (address, arrived_at DESC, id DESC) WHERE ((customer_id IS NULL) AND (address_kind IS NOT NULL));
CREATE INDEX interaction_arrived ON interaction USING brin (arrived_at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX interaction_closed_at ON interaction USING btree (closed_at) WHERE (closed_at IS NOT NULL);
CREATE INDEX interaction_customer ON interaction USING btree (customer_id, arrived_at DESC, id DESC);
CREATE UNIQUE INDEX interaction_external ON interaction USING btree (channel, external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX interaction_open ON interaction USING btree (id) WHERE (closed_at IS NULL);
CREATE INDEX interaction_queue ON interaction USING btree (queue_id, id DESC);
CREATE INDEX interaction_queued_at ON interaction USING btree (queued_at);
CREATE INDEX interaction_ticket ON interaction USING btree (ticket_id) WHERE (ticket_id IS NOT NULL);

create table leader (
    only_row boolean default true not null,
    node_id bigint not null,
    backend_pid integer not null,
    beat_at timestamptz not null,
    constraint leader_only_row_check CHECK (only_row),
    constraint leader_pkey PRIMARY KEY (only_row)
);

create table log_reader (
    name text not null,
    epoch integer not null,
    xid xid8 not null,
    seq bigint not null,
    constraint log_reader_pkey PRIMARY KEY (name)
);

create table message (
    id bigint generated always as identity,
    interaction_id bigint,
    ticket_id bigint,
    author_id bigint,
    kind text not null,
    public boolean default false not null,
    text text not null,
    at timestamptz not null,
    constraint message_kind_check CHECK ((kind = ANY (ARRAY['note', 'inbound', 'outbound']))),
    constraint message_author_id_fkey FOREIGN KEY (author_id) REFERENCES users(id),
    constraint message_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint message_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id),
    constraint message_pkey PRIMARY KEY (id)
);
CREATE INDEX message_interaction ON message USING btree (interaction_id, id) WHERE (interaction_id IS NOT NULL);
CREATE INDEX message_ticket ON message USING btree (ticket_id, id) WHERE (ticket_id IS NOT NULL);

create table node (
    id bigint generated always as identity,
    name text not null,
    epoch integer default 1 not null,
    agi_host text default '' not null,
    agi_port integer default 0 not null,
    started_at timestamptz default now() not null,
    lease_until timestamptz not null,
    constraint node_pkey PRIMARY KEY (id),
    constraint node_name_key UNIQUE (name)
);

create table notice (
    id bigint generated always as identity,
    user_id bigint not null,
    ticket_id bigint not null,
    clock text not null,
    due_at timestamptz not null,
    at timestamptz not null,
    seen_at timestamptz,
    constraint notice_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint notice_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint notice_pkey PRIMARY KEY (id)
);
CREATE INDEX notice_unseen ON notice USING btree (user_id, id DESC) WHERE (seen_at IS NULL);

create table organisation (
    only_row boolean default true not null,
    name text default '' not null,
    region text default 'CN' not null,
    timezone text default 'UTC' not null,
    languages text[] default '{en}'[] not null,
    log_epoch integer default 1 not null,
    cluster_identifier bigint,
    capacity jsonb default '{"fax": 1, "chat": 4, "form": 1, "email": 1, "phone": 1, "visit": 1, "message": 1, "callback": 1}'::jsonb not null,
    interrupted_by jsonb default '{"fax": ["phone", "callback", "chat"], "chat": [], "form": ["phone", "callback", "chat"], "email": ["phone", "callback", "chat"], "phone": [], "visit": [], "message": ["phone", "callback", "chat"], "callback": []}'::jsonb not null,
    default_handling interval default '00:01:30'::interval not null,
    sla_revision integer default 1 not null,
    link_key bytea default (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) not null,
    constraint organisation_only_row_check CHECK (only_row),
    constraint organisation_pkey PRIMARY KEY (only_row)
);

create table outbox (
    id bigint generated always as identity,
    message_id text,
    recipient text not null,
    recipient_name text,
    language text,
    template text,
    data jsonb default '{}'::jsonb not null,
    subject text,
    text text,
    interaction_id bigint,
    ticket_id bigint,
    customer_id bigint,
    queue_id bigint,
    state text default 'waiting' not null,
    attempts integer default 0 not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    last_error text,
    constraint outbox_check CHECK ((((template IS NULL) <> (text IS NULL)) AND ((subject IS NULL) = (text IS NULL)))),
    constraint outbox_state_check CHECK ((state = ANY (ARRAY['waiting', 'sent', 'failed']))),
    constraint outbox_pkey PRIMARY KEY (id),
    constraint outbox_message_id_key UNIQUE (message_id)
) with (fillfactor=70);
CREATE INDEX outbox_due ON outbox USING btree (due_at) WHERE (state = 'waiting');
CREATE INDEX outbox_recipient ON outbox USING btree (recipient, id DESC);

create table pace (
    only_row boolean default true not null,
    measured_at timestamptz not null,
    queues jsonb not null,
    constraint pace_only_row_check CHECK (only_row),
    constraint pace_pkey PRIMARY KEY (only_row)
);

create table queue (
    id bigint generated always as identity,
    name text not null,
    is_default boolean default false not null,
    hours_id bigint,
    needs jsonb default '{}'::jsonb not null,
    steps jsonb default '[]'::jsonb not null,
    strategy text default 'longest_idle' not null,
    service_level_target double precision default 0.8 not null,
    service_level_within interval default '00:00:20'::interval not null,
    ring_timeout interval default '00:00:15'::interval not null,
    wrap_up_mode text default 'optional' not null,
    wrap_up_limit interval,
    dispositions text[] default '{}'[] not null,
    tiers jsonb default '{}'::jsonb not null,
    greeting text,
    closed_announcement text,
    active boolean default true not null,
    language integer default 0 not null,
    default_language text,
    prefer text,
    prefer_for interval default '00:00:20'::interval not null,
    prefer_within interval default '30 days'::interval not null,
    overflow jsonb default '[]'::jsonb not null,
    announce jsonb,
    survey jsonb,
    constraint queue_prefer_check CHECK ((prefer = ANY (ARRAY['last_agent', 'owner', 'named']))),
    constraint queue_hours_id_fkey FOREIGN KEY (hours_id) REFERENCES hours(id),
    constraint queue_pkey PRIMARY KEY (id),
    constraint queue_name_key UNIQUE (name)
);
CREATE UNIQUE INDEX queue_default ON queue USING btree (is_default) WHERE is_default;

create table queue_member (
    queue_id bigint not null,
    user_id bigint not null,
    delay interval default '00:00:00'::interval not null,
    age_shift interval default '00:00:00'::interval not null,
    constraint queue_member_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id) ON DELETE CASCADE,
    constraint queue_member_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint queue_member_pkey PRIMARY KEY (queue_id, user_id)
);

create table queue_number (
    number text not null,
    queue_id bigint not null,
    constraint queue_number_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id) ON DELETE CASCADE,
    constraint queue_number_pkey PRIMARY KEY (number)
);

create table reservation (
    id bigint generated always as identity,
    interaction_id bigint not null,
    agent_id bigint not null,
    segment integer not null,
    channel text not null,
    slot integer default 0 not null,
    state text default 'pending' not null,
    reason text,
    created_at timestamptz not null,
    offered_at timestamptz,
    answered_at timestamptz,
    released_at timestamptz,
    ended_at timestamptz,
    due_at timestamptz,
    disposition text,
    note text,
    decision jsonb,
    version integer default 1 not null,
    constraint reservation_pkey PRIMARY KEY (id)
) with (fillfactor=70);
CREATE INDEX reservation_interaction ON reservation USING btree (interaction_id);
CREATE INDEX reservation_live ON reservation USING btree (id) WHERE (state = ANY (ARRAY['pending', 'accepted']));
CREATE UNIQUE INDEX reservation_offer ON reservation USING btree (agent_id) WHERE (state = 'pending');
CREATE UNIQUE INDEX reservation_segment ON reservation USING btree (interaction_id, segment) WHERE (state = 'pending');
CREATE UNIQUE INDEX reservation_slot ON reservation USING btree (agent_id, channel, slot) WHERE (state = ANY (ARRAY['pending', 'accepted']));

create table segment (
    interaction_id bigint not null,
    n integer not null,
    agent_id bigint,
    reservation_id bigint,
    kind text default 'agent' not null,
    leg text,
    endpoint text,
    started_at timestamptz not null,
    answered_at timestamptz,
    ended_at timestamptz,
    held_at timestamptz,
    hold interval default '00:00:00'::interval not null,
    cause text,
    hold_reason text,
    constraint segment_kind_check CHECK ((kind = ANY (ARRAY['agent', 'transfer', 'consultation']))),
    constraint segment_pkey PRIMARY KEY (interaction_id, n)
);
CREATE INDEX segment_agent ON segment USING btree (agent_id, interaction_id DESC);

create table session (
    token_hash bytea not null,
    user_id bigint not null,
    csrf text not null,
    address text,
    user_agent text,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    constraint session_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint session_pkey PRIMARY KEY (token_hash)
);
CREATE INDEX session_by_user ON session USING btree (user_id);

create table sign_in_failure (
    subject text not null,
    at timestamptz not null
);
CREATE INDEX sign_in_failure_subject ON sign_in_failure USING btree (subject, at);

create table sla_clock (
    ticket_id bigint not null,
    clock text not null,
    round integer default 1 not null,
    state text not null,
    target interval not null,
    started_at timestamptz not null,
    due_at timestamptz,
    risk_at timestamptz,
    remaining interval,
    met_at timestamptz,
    ended_at timestamptz,
    breached_at timestamptz,
    difference interval,
    constraint sla_clock_clock_check CHECK ((clock = ANY (ARRAY['own', 'first_response', 'next_response', 'resolution']))),
    constraint sla_clock_state_check CHECK ((state = ANY (ARRAY['running', 'paused', 'met', 'breached', 'void']))),
    constraint sla_clock_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint sla_clock_pkey PRIMARY KEY (ticket_id, clock, round)
);
CREATE INDEX sla_clock_breached ON sla_clock USING btree (ticket_id) WHERE ((state = 'breached') AND (ended_at IS NULL));
CREATE INDEX sla_clock_risk ON sla_clock USING btree (risk_at) WHERE (state = 'running');

create table sla_escalation (
    ticket_id bigint not null,
    clock text not null,
    round integer not null,
    at text not null,
    due_at timestamptz not null,
    fired_at timestamptz not null,
    constraint sla_escalation_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint sla_escalation_pkey PRIMARY KEY (ticket_id, clock, round, at)
);

create table sla_pause (
    ticket_id bigint not null,
    began_at timestamptz not null,
    ended_at timestamptz,
    reason text not null,
    constraint sla_pause_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint sla_pause_pkey PRIMARY KEY (ticket_id, began_at)
);

create table sla_policy (
    name text not null,
    place integer not null,
    conditions jsonb default '{}'::jsonb not null,
    hours_id bigint,
    targets jsonb default '{}'::jsonb not null,
    escalations jsonb default '[]'::jsonb not null,
    pauses text[] default '{pending}'[] not null,
    constraint sla_policy_hours_id_fkey FOREIGN KEY (hours_id) REFERENCES hours(id),
    constraint sla_policy_pkey PRIMARY KEY (name)
);

create table survey (
    id bigint generated always as identity,
    interaction_id bigint not null,
    customer_id bigint not null,
    queue_id bigint not null,
    agent_id bigint,
    outbox_id bigint,
    ask text not null,
    bad integer not null,
    change_within interval not null,
    language text,
    asked_at timestamptz not null,
    expires_at timestamptz not null,
    score integer,
    comment text,
    answered_at timestamptz,
    changed_at timestamptz,
    ticket_id bigint,
    version integer default 1 not null,
    constraint survey_ask_check CHECK ((ask = ANY (ARRAY['csat', 'nps', 'solved']))),
    constraint survey_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES users(id),
    constraint survey_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint survey_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint survey_outbox_id_fkey FOREIGN KEY (outbox_id) REFERENCES outbox(id),
    constraint survey_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint survey_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id),
    constraint survey_pkey PRIMARY KEY (id),
    constraint survey_interaction_id_key UNIQUE (interaction_id)
);
CREATE INDEX survey_answered ON survey USING btree (answered_at) WHERE (answered_at IS NOT NULL);
CREATE INDEX survey_asked ON survey USING btree (asked_at);
CREATE INDEX survey_customer ON survey USING btree (customer_id, asked_at DESC);
CREATE INDEX survey_outbox ON survey USING btree (outbox_id) WHERE (outbox_id IS NOT NULL);

create table ticket (
    id bigint generated always as identity,
    number bigint not null,
    subject text not null,
    state text default 'new' not null,
    priority text default 'normal' not null,
    category text,
    queue_id bigint,
    owner_id bigint,
    customer_id bigint,
    created_by bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    closed_at timestamptz,
    version integer default 1 not null,
    constraint ticket_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id),
    constraint ticket_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint ticket_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id),
    constraint ticket_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint ticket_pkey PRIMARY KEY (id),
    constraint ticket_number_key UNIQUE (number)
);
CREATE INDEX ticket_customer ON ticket USING btree (customer_id, id DESC);
CREATE INDEX ticket_open_owner ON ticket USING btree (owner_id, id DESC) WHERE (state <> ALL (ARRAY['resolved', 'closed']));

create table ticket_sla (
    ticket_id bigint not null,
    policy text,
    revision integer default 0 not null,
    owned_at timestamptz,
    answered_at timestamptz,
    asked_at timestamptz,
    replied_at timestamptz,
    over_at timestamptz,
    round integer default 0 not null,
    next_at timestamptz,
    constraint ticket_sla_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_sla_pkey PRIMARY KEY (ticket_id)
);
CREATE INDEX ticket_sla_next ON ticket_sla USING btree (next_at) WHERE (next_at IS NOT NULL);
CREATE INDEX ticket_sla_revision ON ticket_sla USING btree (revision) WHERE (over_at IS NULL);

create table token (
    id bigint generated always as identity,
    user_id bigint not null,
    token_hash bytea not null,
    name text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    constraint token_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint token_pkey PRIMARY KEY (id),
    constraint token_token_hash_key UNIQUE (token_hash)
);

create table users (
    id bigint generated always as identity,
    name text not null,
    full_name text not null,
    role text not null,
    password_hash text,
    language text,
    manager_id bigint,
    endpoint text,
    skills jsonb default '{}'::jsonb not null,
    capacity jsonb default '{}'::jsonb not null,
    demo boolean default false not null,
    active boolean default true not null,
    created_at timestamptz default now() not null,
    file_password_hash text,
    constraint users_role_check CHECK ((role = ANY (ARRAY['agent', 'supervisor', 'administrator']))),
    constraint users_manager_id_fkey FOREIGN KEY (manager_id) REFERENCES users(id),
    constraint users_pkey PRIMARY KEY (id),
    constraint users_endpoint_key UNIQUE (endpoint),
    constraint users_name_key UNIQUE (name)
);

-- The verbs, in callcenter/store/functions:
-- function adopt(p_interaction bigint, p_node bigint, p_leg text, p_now timestamptz) returns SETOF contact_log
-- function agent_image(a agent) returns jsonb
-- function answer(p_reservation bigint, p_leg text, p_now timestamptz) returns SETOF contact_log
-- function arrive(p_channel text, p_direction text, p_external_id text, p_pbx text, p_leg text, p_address_kind text, p_address text, p_address_name text, p_called text, p_subject text, p_queue bigint, p_priority integer, p_state text, p_node bigint, p_now timestamptz, p_asks jsonb, p_agent bigint, p_agent_version integer, p_reason text, p_decision jsonb, p_due timestamptz) returns SETOF contact_log
-- function begin_wrap_up(r reservation, p_queue bigint, p_now timestamptz) returns SETOF contact_log
-- function bigrams(p_text text) returns text[]
-- function bigrams_inside(p_text text) returns text[]
-- function end_interaction(p_interaction bigint, p_cause text, p_outcome text, p_node bigint, p_now timestamptz) returns SETOF contact_log
-- function end_reservation(r reservation, p_state text, p_reason text, p_missed boolean, p_not_before timestamptz, p_now timestamptz) returns SETOF contact_log
-- function end_segments(p_interaction bigint, p_reservation bigint, p_cause text, p_now timestamptz) returns void
-- function enqueue(p_interaction bigint, p_queue bigint, p_now timestamptz) returns SETOF contact_log
-- function ensure_log_months(p_from timestamptz, p_months integer) returns integer
-- function find_customer(p_kind text, p_value text) returns bigint
-- function free_slot(a agent, p_channel text) returns integer
-- function give_treatment(p_interaction bigint, p_queue bigint, p_treatment text, p_rule text, p_now timestamptz) returns SETOF contact_log
-- function go_on(r reservation, p_locked bigint[], p_now timestamptz) returns SETOF contact_log
-- function hold(p_interaction bigint, p_held boolean, p_now timestamptz) returns SETOF contact_log
-- function identify(p_interaction bigint, p_customer bigint, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function interaction_image(i interaction) returns jsonb
-- function interrupt(r reservation, p_locked bigint[], p_now timestamptz) returns SETOF contact_log
-- function leave_unserved(p_interaction bigint, p_outcome text, p_cause text, p_node bigint, p_now timestamptz, p_actor bigint) returns SETOF contact_log
-- function link_ticket(p_interaction bigint, p_ticket bigint, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function lock_agent(p_id bigint) returns void
-- function lock_aggregate(p_class integer, p_id bigint) returns void
-- function lock_customer(p_id bigint) returns void
-- function lock_hand(p_interaction bigint, p_agent bigint) returns bigint[]
-- function lock_interaction(p_id bigint) returns void
-- function lock_ticket(p_id bigint) returns void
-- function log_agent(a agent, p_kind text, p_now timestamptz, p_actor bigint, p_interaction bigint) returns SETOF contact_log
-- function log_interaction(i interaction, p_kind text, p_now timestamptz, p_agent bigint, p_actor bigint, p_data jsonb) returns SETOF contact_log
-- function lose_desks(p_node bigint, p_now timestamptz) returns SETOF contact_log
-- function move(p_interaction bigint, p_queue bigint, p_priority integer, p_actor bigint, p_now timestamptz, p_from bigint, p_why jsonb) returns SETOF contact_log
-- function move_desk(p_agent bigint, p_node bigint, p_open boolean, p_now timestamptz) returns SETOF contact_log
-- function note_attempt(p_subject text, p_limit integer, p_since timestamptz, p_now timestamptz) returns timestamptz
-- function note_cluster() returns integer
-- function offer(p_reservation bigint, p_due timestamptz, p_now timestamptz) returns SETOF contact_log
-- function preferred(p_queue bigint, p_customer bigint, p_now timestamptz, OUT agents bigint[], OUT what text) returns record
-- function release(p_reservation bigint, p_cause text, p_now timestamptz) returns SETOF contact_log
-- function reserve(p_interaction bigint, p_queue bigint, p_agent bigint, p_agent_version integer, p_reason text, p_decision jsonb, p_due timestamptz, p_now timestamptz) returns SETOF contact_log
-- function reserve_all(p_interactions bigint[], p_queues bigint[], p_agents bigint[], p_agent_versions integer[], p_reasons text[], p_decisions jsonb, p_due timestamptz, p_now timestamptz) returns SETOF contact_log
-- function return_to_queue(p_reservation bigint, p_state text, p_reason text, p_missed boolean, p_backoff interval, p_now timestamptz) returns SETOF contact_log
-- function routing_status(p_was text, p_presence text, p_hand text) returns text
-- function set_presence(p_agent bigint, p_presence text, p_reason text, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function settle_agent(p_agent bigint, p_channel text, p_in_hand integer, p_live integer, p_offer boolean, p_idle_since timestamptz, p_kind text, p_actor bigint, p_interaction bigint, p_now timestamptz) returns SETOF contact_log
-- function take_out(p_interaction bigint, p_reason text, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function tell_hold(p_interaction bigint, p_kind text, r reservation, p_now timestamptz) returns SETOF contact_log
-- function transfer(p_interaction bigint, p_agent bigint, p_endpoint text, p_leg text, p_kind text, p_now timestamptz) returns SETOF contact_log
-- function wrap_up(p_reservation bigint, p_disposition text, p_note text, p_by text, p_now timestamptz) returns SETOF contact_log
