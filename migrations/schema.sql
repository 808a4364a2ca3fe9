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
    bounced_at timestamptz,
    bounced_words text,
    constraint address_certainty_check CHECK ((certainty = ANY (ARRAY['verified', 'known', 'maybe']))),
    constraint address_kind_check CHECK ((kind = ANY (ARRAY['phone', 'email', 'web', 'fax', 'external']))),
    constraint address_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id) ON DELETE CASCADE,
    constraint address_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX address_customer ON address USING btree (customer_id, kind, value);
CREATE INDEX address_end ON address USING btree (reverse(value) COLLATE "C");
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

create table automation_turn (
    ticket_id bigint not null,
    name text not null,
    since timestamptz not null,
    at timestamptz not null,
    constraint automation_turn_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint automation_turn_pkey PRIMARY KEY (ticket_id, name, since)
);

create table calibration (
    id bigint generated always as identity,
    interaction_id bigint not null,
    form_id bigint not null,
    created_by bigint not null,
    created_at timestamptz not null,
    closed_at timestamptz,
    constraint calibration_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id),
    constraint calibration_form_id_fkey FOREIGN KEY (form_id) REFERENCES form(id),
    constraint calibration_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint calibration_pkey PRIMARY KEY (id)
);

create table callback (
    interaction_id bigint not null,
    origin_id bigint,
    attempt integer default 1 not null,
    number text,
    due_at timestamptz,
    constraint callback_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id) ON DELETE CASCADE,
    constraint callback_origin_id_fkey FOREIGN KEY (origin_id) REFERENCES interaction(id),
    constraint callback_pkey PRIMARY KEY (interaction_id)
);
CREATE INDEX callback_due ON callback USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX callback_number ON callback USING btree (number) WHERE (number IS NOT NULL);
CREATE INDEX callback_origin ON callback USING btree (origin_id) WHERE (origin_id IS NOT NULL);

create table canned_answer (
    id bigint generated always as identity,
    name text not null,
    text text not null,
    language text,
    queue_id bigint,
    owner_id bigint,
    updated_at timestamptz not null,
    version integer default 1 not null,
    constraint canned_answer_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint canned_answer_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint canned_answer_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX canned_answer_name ON canned_answer USING btree (COALESCE(owner_id, (0)::bigint), name, COALESCE(language, ''));

create table chat (
    interaction_id bigint not null,
    widget_id bigint not null,
    token_hash bytea not null,
    identity text not null,
    language text not null,
    page text,
    page_title text,
    last integer default 0 not null,
    visitor_read integer default 0 not null,
    agent_read integer default 0 not null,
    node_id bigint,
    gone_at timestamptz,
    constraint chat_identity_check CHECK ((identity = ANY (ARRAY['anonymous', 'typed', 'verified']))),
    constraint chat_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint chat_widget_id_fkey FOREIGN KEY (widget_id) REFERENCES widget(id),
    constraint chat_pkey PRIMARY KEY (interaction_id),
    constraint chat_token_hash_key UNIQUE (token_hash)
) with (fillfactor=70);
CREATE INDEX chat_gone ON chat USING btree (gone_at) WHERE (gone_at IS NOT NULL);

create table chat_line (
    interaction_id bigint not null,
    n integer not null,
    by_visitor boolean not null,
    client_id text not null,
    message_id bigint not null,
    constraint chat_line_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES chat(interaction_id) ON DELETE CASCADE,
    constraint chat_line_message_id_fkey FOREIGN KEY (message_id) REFERENCES message(id) ON DELETE CASCADE,
    constraint chat_line_pkey PRIMARY KEY (interaction_id, n),
    constraint chat_line_message_id_key UNIQUE (message_id)
);
CREATE UNIQUE INDEX chat_line_once ON chat_line USING btree (interaction_id, by_visitor, client_id);

create table company (
    id bigint generated always as identity,
    name text not null,
    domains text[] default '{}'[] not null,
    note text,
    merged_into bigint,
    created_at timestamptz default now() not null,
    updated_at timestamptz default now() not null,
    version integer default 1 not null,
    constraint company_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES company(id) ON DELETE CASCADE,
    constraint company_pkey PRIMARY KEY (id)
);
CREATE INDEX company_domains ON company USING gin (domains) WHERE (domains <> '{}'[]);
CREATE INDEX company_grams ON company USING gin (name_grams(id, name)) WITH (gin_pending_list_limit='64');
CREATE INDEX company_merged ON company USING btree (merged_into) WHERE (merged_into IS NOT NULL);
CREATE INDEX company_spelling ON company USING btree (name) WHERE (merged_into IS NULL);

create table company_merge (
    id bigint generated always as identity,
    source_id bigint not null,
    target_id bigint not null,
    at timestamptz not null,
    by_id bigint,
    people bigint[] not null,
    names text[] not null,
    domains text[] not null,
    undone_at timestamptz,
    undone_by bigint,
    constraint company_merge_by_id_fkey FOREIGN KEY (by_id) REFERENCES users(id),
    constraint company_merge_source_id_fkey FOREIGN KEY (source_id) REFERENCES company(id) ON DELETE CASCADE,
    constraint company_merge_target_id_fkey FOREIGN KEY (target_id) REFERENCES company(id) ON DELETE CASCADE,
    constraint company_merge_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES users(id),
    constraint company_merge_pkey PRIMARY KEY (id)
);
CREATE INDEX company_merge_source ON company_merge USING btree (source_id);
CREATE INDEX company_merge_target ON company_merge USING btree (target_id);

create table company_name (
    key text not null,
    company_id bigint not null,
    former boolean default false not null,
    constraint company_name_company_id_fkey FOREIGN KEY (company_id) REFERENCES company(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    constraint company_name_pkey PRIMARY KEY (key)
);
CREATE INDEX company_name_company ON company_name USING btree (company_id);

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

create table contract (
    id bigint generated always as identity,
    external_id text,
    customer_id bigint not null,
    kind_id bigint not null,
    name text not null,
    owner_id bigint,
    note text,
    starts_on date not null,
    ends_on date,
    starts_at timestamptz not null,
    ends_at timestamptz,
    targets jsonb,
    quota jsonb,
    queues text[],
    categories text[],
    products text[],
    created_at timestamptz not null,
    begun_at timestamptz,
    ended_at timestamptz,
    cancelled_at timestamptz,
    next_at timestamptz,
    version integer default 1 not null,
    record_id bigint,
    constraint contract_check CHECK (((ends_at IS NULL) OR (ends_at >= starts_at))),
    constraint contract_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint contract_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES contract_kind(id),
    constraint contract_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id),
    constraint contract_record_id_fkey FOREIGN KEY (record_id) REFERENCES customer(id),
    constraint contract_pkey PRIMARY KEY (id),
    constraint contract_external_id_key UNIQUE (external_id)
);
CREATE INDEX contract_customer ON contract USING btree (customer_id, starts_at DESC);
CREATE INDEX contract_next ON contract USING btree (next_at) WHERE (next_at IS NOT NULL);

create table contract_duty (
    contract_id bigint not null,
    what text not null,
    day date not null,
    ticket_id bigint,
    done_at timestamptz not null,
    late boolean not null,
    constraint contract_duty_what_check CHECK ((what = ANY (ARRAY['visit', 'renewal']))),
    constraint contract_duty_contract_id_fkey FOREIGN KEY (contract_id) REFERENCES contract(id) ON DELETE CASCADE,
    constraint contract_duty_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE SET NULL,
    constraint contract_duty_pkey PRIMARY KEY (contract_id, what, day)
);
CREATE INDEX contract_duty_ticket ON contract_duty USING btree (ticket_id);

create table contract_kind (
    id bigint generated always as identity,
    name text not null,
    title text not null,
    hours_id bigint,
    quota jsonb,
    visits jsonb,
    renewal jsonb,
    queues text[] default '{}'[] not null,
    categories text[] default '{}'[] not null,
    products text[] default '{}'[] not null,
    active boolean default true not null,
    age_shift interval,
    constraint contract_kind_hours_id_fkey FOREIGN KEY (hours_id) REFERENCES hours(id),
    constraint contract_kind_pkey PRIMARY KEY (id),
    constraint contract_kind_name_key UNIQUE (name)
);

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
    erased_at timestamptz,
    company_id bigint,
    constraint customer_company_id_fkey FOREIGN KEY (company_id) REFERENCES company(id),
    constraint customer_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES customer(id),
    constraint customer_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id),
    constraint customer_pkey PRIMARY KEY (id),
    constraint customer_external_id_key UNIQUE (external_id)
);
CREATE INDEX customer_company ON customer USING btree (company_id, id) WHERE (company_id IS NOT NULL);
CREATE INDEX customer_grams ON customer USING gin (name_grams(id, ((name || ' ') || COALESCE(company, '')))) WITH (fastupdate=off);
CREATE INDEX customer_likeness ON customer USING gin (likeness_keys(name, company));
CREATE INDEX customer_merged ON customer USING btree (merged_into) WHERE (merged_into IS NOT NULL);
CREATE TRIGGER company_left AFTER UPDATE OF company, company_id ON customer FOR EACH ROW WHEN (((old.company_id IS NOT NULL) AND (old.company_id IS DISTINCT FROM new.company_id))) EXECUTE FUNCTION leave_company();
CREATE TRIGGER company_of_changed BEFORE UPDATE OF company, company_id ON customer FOR EACH ROW WHEN (((old.company IS DISTINCT FROM new.company) OR (old.company_id IS DISTINCT FROM new.company_id))) EXECUTE FUNCTION follow_company();
CREATE TRIGGER company_of_new BEFORE INSERT ON customer FOR EACH ROW WHEN (((new.company IS NOT NULL) OR (new.company_id IS NOT NULL))) EXECUTE FUNCTION follow_company();

create table customer_merge (
    id bigint generated always as identity,
    source_id bigint not null,
    target_id bigint not null,
    at timestamptz not null,
    by_id bigint,
    moved jsonb default '{}'::jsonb not null,
    taken jsonb default '{}'::jsonb not null,
    undone_at timestamptz,
    undone_by bigint,
    constraint customer_merge_check CHECK ((source_id <> target_id)),
    constraint customer_merge_by_id_fkey FOREIGN KEY (by_id) REFERENCES users(id),
    constraint customer_merge_source_id_fkey FOREIGN KEY (source_id) REFERENCES customer(id),
    constraint customer_merge_target_id_fkey FOREIGN KEY (target_id) REFERENCES customer(id),
    constraint customer_merge_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES users(id),
    constraint customer_merge_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX customer_merge_source ON customer_merge USING btree (source_id) WHERE (undone_at IS NULL);
CREATE INDEX customer_merge_target ON customer_merge USING btree (target_id, id DESC);

create table customer_order (
    id bigint generated always as identity,
    number text not null,
    customer_id bigint not null,
    ordered_on date not null,
    amount numeric(14,2) not null,
    currency text not null,
    record_id bigint,
    constraint customer_order_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint customer_order_record_id_fkey FOREIGN KEY (record_id) REFERENCES customer(id),
    constraint customer_order_pkey PRIMARY KEY (id),
    constraint customer_order_number_key UNIQUE (number)
);
CREATE INDEX customer_order_customer ON customer_order USING btree (customer_id, ordered_on DESC);

create table customer_value (
    customer_id bigint not null,
    due_at timestamptz,
    assessed_at timestamptz,
    recency integer,
    frequency integer,
    monetary integer,
    rule_tier text,
    hand_tier text,
    hand_reason text,
    hand_until timestamptz,
    hand_by bigint,
    hand_at timestamptz,
    stage text,
    stage_at timestamptz,
    figures jsonb default '{}'::jsonb not null,
    signals text[] default '{}'[] not null,
    revision integer default 0 not null,
    constraint customer_value_stage_check CHECK ((stage = ANY (ARRAY['prospect', 'new', 'active', 'at_risk', 'lapsed', 'won_back']))),
    constraint customer_value_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id) ON DELETE CASCADE,
    constraint customer_value_hand_by_fkey FOREIGN KEY (hand_by) REFERENCES users(id),
    constraint customer_value_pkey PRIMARY KEY (customer_id)
);
CREATE INDEX customer_value_due ON customer_value USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX customer_value_revision ON customer_value USING btree (revision);

create table delivery (
    id bigint generated always as identity,
    ident uuid default gen_random_uuid() not null,
    webhook_id bigint not null,
    seq bigint not null,
    kind text not null,
    body jsonb not null,
    state text default 'waiting' not null,
    attempts integer default 0 not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    last_error text,
    constraint delivery_state_check CHECK ((state = ANY (ARRAY['waiting', 'sent', 'failed']))),
    constraint delivery_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhook(id) ON DELETE CASCADE,
    constraint delivery_pkey PRIMARY KEY (id),
    constraint delivery_webhook_id_seq_key UNIQUE (webhook_id, seq)
) with (fillfactor=70);
CREATE INDEX delivery_due ON delivery USING btree (webhook_id, due_at) WHERE (state = 'waiting');
CREATE INDEX delivery_ended ON delivery USING btree (ended_at) WHERE (state <> 'waiting');
CREATE INDEX delivery_failed ON delivery USING btree (id DESC) WHERE (state = 'failed');

create table do_not_call (
    number text not null,
    reason text,
    added_by bigint,
    added_at timestamptz not null,
    constraint do_not_call_added_by_fkey FOREIGN KEY (added_by) REFERENCES users(id),
    constraint do_not_call_pkey PRIMARY KEY (number)
);

create table draft (
    user_id bigint not null,
    interaction_id bigint not null,
    note text default '' not null,
    disposition text,
    updated_at timestamptz not null,
    answer text default '' not null,
    constraint draft_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id) ON DELETE CASCADE,
    constraint draft_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint draft_pkey PRIMARY KEY (user_id, interaction_id)
);

create table duplicate (
    one_id bigint not null,
    other_id bigint not null,
    reasons text[] default '{}'[] not null,
    found_at timestamptz not null,
    declined_at timestamptz,
    declined_by bigint,
    constraint duplicate_check CHECK ((one_id < other_id)),
    constraint duplicate_declined_by_fkey FOREIGN KEY (declined_by) REFERENCES users(id),
    constraint duplicate_one_id_fkey FOREIGN KEY (one_id) REFERENCES customer(id),
    constraint duplicate_other_id_fkey FOREIGN KEY (other_id) REFERENCES customer(id),
    constraint duplicate_pkey PRIMARY KEY (one_id, other_id)
);
CREATE INDEX duplicate_declined ON duplicate USING btree (one_id, other_id) WHERE (declined_at IS NOT NULL);
CREATE INDEX duplicate_open ON duplicate USING btree (found_at DESC) WHERE (declined_at IS NULL);
CREATE INDEX duplicate_other ON duplicate USING btree (other_id);

create table duplicate_search (
    only_row boolean default true not null,
    up_to bigint default 0 not null,
    constraint duplicate_search_only_row_check CHECK (only_row),
    constraint duplicate_search_pkey PRIMARY KEY (only_row)
);

create table erasure (
    id bigint generated always as identity,
    customer_id bigint not null,
    at timestamptz not null,
    by_id bigint,
    reason text not null,
    emptied jsonb not null,
    constraint erasure_by_id_fkey FOREIGN KEY (by_id) REFERENCES users(id),
    constraint erasure_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint erasure_pkey PRIMARY KEY (id)
);
CREATE INDEX erasure_customer ON erasure USING btree (customer_id, id DESC);

create table evaluation (
    id bigint generated always as identity,
    interaction_id bigint not null,
    agent_id bigint not null,
    form_id bigint not null,
    evaluator_id bigint,
    sample_id bigint,
    calibration_id bigint,
    state text default 'draft' not null,
    answers jsonb default '{}'::jsonb not null,
    comment text,
    total numeric(5,2),
    passed boolean,
    created_at timestamptz not null,
    graded_at timestamptz,
    dispute text,
    disputed_at timestamptz,
    decision text,
    decided_by bigint,
    decided_at timestamptz,
    replaces_id bigint,
    reason text,
    version integer default 1 not null,
    constraint evaluation_state_check CHECK ((state = ANY (ARRAY['draft', 'graded', 'disputed', 'upheld', 'changed']))),
    constraint evaluation_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES users(id),
    constraint evaluation_calibration_id_fkey FOREIGN KEY (calibration_id) REFERENCES calibration(id),
    constraint evaluation_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES users(id),
    constraint evaluation_evaluator_id_fkey FOREIGN KEY (evaluator_id) REFERENCES users(id),
    constraint evaluation_form_id_fkey FOREIGN KEY (form_id) REFERENCES form(id),
    constraint evaluation_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint evaluation_replaces_id_fkey FOREIGN KEY (replaces_id) REFERENCES evaluation(id),
    constraint evaluation_sample_id_fkey FOREIGN KEY (sample_id) REFERENCES sample(id),
    constraint evaluation_pkey PRIMARY KEY (id),
    constraint evaluation_replaces_id_key UNIQUE (replaces_id)
);
CREATE INDEX evaluation_agent ON evaluation USING btree (agent_id, graded_at DESC);
CREATE UNIQUE INDEX evaluation_blind ON evaluation USING btree (calibration_id, evaluator_id) WHERE (calibration_id IS NOT NULL);
CREATE INDEX evaluation_disputed ON evaluation USING btree (disputed_at) WHERE (state = 'disputed');
CREATE INDEX evaluation_interaction ON evaluation USING btree (interaction_id);
CREATE UNIQUE INDEX evaluation_once ON evaluation USING btree (interaction_id, agent_id, form_id) WHERE ((calibration_id IS NULL) AND (state <> 'changed'));
CREATE INDEX evaluation_open ON evaluation USING btree (id) WHERE (state = 'draft');
CREATE TRIGGER keep_grade BEFORE DELETE OR UPDATE ON evaluation FOR EACH ROW EXECUTE FUNCTION keep_grade();

create table fax_gateway (
    id bigint generated always as identity,
    sender text not null,
    queue_id bigint,
    header text,
    active boolean default true not null,
    constraint fax_gateway_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint fax_gateway_pkey PRIMARY KEY (id),
    constraint fax_gateway_sender_key UNIQUE (sender)
);

create table flow_out (
    queue_id bigint not null,
    interaction_id bigint not null,
    entered_at timestamptz not null,
    left_at timestamptz not null
);
CREATE INDEX flow_out_entered ON flow_out USING btree (entered_at) INCLUDE (queue_id);

create table form (
    id bigint generated always as identity,
    kind text not null,
    name text not null,
    version integer not null,
    definition jsonb not null,
    active boolean default true not null,
    created_at timestamptz not null,
    constraint form_kind_check CHECK ((kind = ANY (ARRAY['survey', 'scorecard', 'sampling']))),
    constraint form_pkey PRIMARY KEY (id),
    constraint form_kind_name_version_key UNIQUE (kind, name, version)
);
CREATE UNIQUE INDEX form_active ON form USING btree (kind, name) WHERE active;
CREATE TRIGGER keep_asked BEFORE UPDATE ON form FOR EACH ROW WHEN (((((new.kind IS DISTINCT FROM old.kind) OR (new.name IS DISTINCT FROM old.name)) OR (new.version IS DISTINCT FROM old.version)) OR (new.definition IS DISTINCT FROM old.definition))) EXECUTE FUNCTION keep_asked();

create table gateway (
    id bigint generated always as identity,
    name text not null,
    queue_id bigint not null,
    body jsonb not null,
    secrets jsonb default '{}'::jsonb not null,
    active boolean default true not null,
    constraint gateway_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint gateway_pkey PRIMARY KEY (id),
    constraint gateway_name_key UNIQUE (name)
);

create table gateway_inbound (
    gateway_id bigint not null,
    external_id text not null,
    message_id bigint not null,
    constraint gateway_inbound_gateway_id_fkey FOREIGN KEY (gateway_id) REFERENCES gateway(id),
    constraint gateway_inbound_message_id_fkey FOREIGN KEY (message_id) REFERENCES message(id),
    constraint gateway_inbound_pkey PRIMARY KEY (gateway_id, external_id)
);

create table gateway_outbound (
    id bigint generated always as identity,
    ident uuid default gen_random_uuid() not null,
    gateway_id bigint not null,
    interaction_id bigint not null,
    message_id bigint not null,
    state text default 'waiting' not null,
    attempts integer default 0 not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    external_id text,
    last_error text,
    constraint gateway_outbound_state_check CHECK ((state = ANY (ARRAY['waiting', 'sent', 'delivered', 'failed']))),
    constraint gateway_outbound_gateway_id_fkey FOREIGN KEY (gateway_id) REFERENCES gateway(id),
    constraint gateway_outbound_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint gateway_outbound_message_id_fkey FOREIGN KEY (message_id) REFERENCES message(id),
    constraint gateway_outbound_pkey PRIMARY KEY (id),
    constraint gateway_outbound_message_id_key UNIQUE (message_id)
);
CREATE INDEX gateway_outbound_due ON gateway_outbound USING btree (due_at) WHERE (state = 'waiting');
CREATE INDEX gateway_outbound_external ON gateway_outbound USING btree (gateway_id, external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX gateway_outbound_thread ON gateway_outbound USING btree (interaction_id, id);

create table gateway_thread (
    interaction_id bigint not null,
    gateway_id bigint not null,
    correspondent text not null,
    constraint gateway_thread_gateway_id_fkey FOREIGN KEY (gateway_id) REFERENCES gateway(id),
    constraint gateway_thread_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint gateway_thread_pkey PRIMARY KEY (interaction_id)
);
CREATE INDEX gateway_thread_correspondent ON gateway_thread USING btree (gateway_id, correspondent, interaction_id DESC);

create table handed_over (
    queue_id bigint not null,
    interaction_id bigint not null,
    entered_at timestamptz not null,
    answered_at timestamptz,
    left_at timestamptz not null
);
CREATE INDEX handed_over_entered ON handed_over USING btree (entered_at) INCLUDE (queue_id);
CREATE INDEX handed_over_interaction ON handed_over USING btree (interaction_id);

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

create table imap_mailbox (
    name text not null,
    place text not null,
    uidvalidity bigint,
    last_uid bigint default 0 not null,
    unmarked bigint[] default '{}'::bigint[] not null,
    refused bigint[] default '{}'::bigint[] not null,
    since timestamptz not null,
    reader_id bigint,
    lease_until timestamptz,
    constraint imap_mailbox_reader_id_fkey FOREIGN KEY (reader_id) REFERENCES node(id),
    constraint imap_mailbox_pkey PRIMARY KEY (name)
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
CREATE INDEX interaction_mail_address ON interaction USING btree (address) WHERE ((address_kind = 'email') AND (ticket_id IS NOT NULL));
CREATE INDEX interaction_note_words ON interaction USING gin (ticket_words((id >> 2), plain_text(note))) WITH (fastupdate=off) WHERE (note IS NOT NULL);
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

create table letter_template (
    id bigint generated always as identity,
    kind text not null,
    queue_id bigint,
    language text,
    subject text,
    text text not null,
    constraint letter_template_kind_check CHECK ((kind = ANY (ARRAY['acknowledgement', 'answer', 'closing']))),
    constraint letter_template_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint letter_template_pkey PRIMARY KEY (id),
    constraint letter_template_kind_queue_id_language_key UNIQUE NULLS NOT DISTINCT (kind, queue_id, language)
);

create table log_reader (
    name text not null,
    epoch integer not null,
    xid xid8 not null,
    seq bigint not null,
    constraint log_reader_pkey PRIMARY KEY (name)
);

create table mail (
    id bigint generated always as identity,
    interaction_id bigint not null,
    mailbox_id bigint,
    message_id text,
    refs text[] default '{}'[] not null,
    sender text,
    sender_name text,
    nature text not null,
    outbox_id bigint,
    html text,
    notes text[] default '{}'[] not null,
    size integer not null,
    raw bytea not null,
    received_at timestamptz not null,
    correspondent text,
    constraint mail_nature_check CHECK ((nature = ANY (ARRAY['person', 'bulk', 'auto_reply', 'bounce']))),
    constraint mail_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint mail_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES mailbox(id),
    constraint mail_outbox_id_fkey FOREIGN KEY (outbox_id) REFERENCES outbox(id),
    constraint mail_pkey PRIMARY KEY (id),
    constraint mail_interaction_id_key UNIQUE (interaction_id)
);
CREATE INDEX mail_correspondent ON mail USING btree (correspondent, received_at) WHERE (correspondent IS NOT NULL);
CREATE INDEX mail_message_id ON mail USING btree (message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX mail_outbox ON mail USING btree (outbox_id) WHERE (outbox_id IS NOT NULL);

create table mail_attachment (
    mail_id bigint not null,
    n integer not null,
    name text not null,
    type text not null,
    size integer not null,
    start integer not null,
    length integer not null,
    encoding text not null,
    cid text,
    inline boolean not null,
    constraint mail_attachment_mail_id_fkey FOREIGN KEY (mail_id) REFERENCES mail(id) ON DELETE CASCADE,
    constraint mail_attachment_pkey PRIMARY KEY (mail_id, n)
);

create table mail_flood (
    address text not null,
    ticket_id bigint not null,
    constraint mail_flood_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id),
    constraint mail_flood_pkey PRIMARY KEY (address)
);

create table mailbox (
    id bigint generated always as identity,
    address text not null,
    queue_id bigint not null,
    language text,
    closed text default 'reopen' not null,
    acknowledge boolean default true not null,
    active boolean default true not null,
    new_after interval,
    closing_note boolean default false not null,
    constraint mailbox_closed_check CHECK ((closed = ANY (ARRAY['reopen', 'new']))),
    constraint mailbox_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint mailbox_pkey PRIMARY KEY (id),
    constraint mailbox_address_key UNIQUE (address)
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
CREATE INDEX message_words ON message USING gin (ticket_words(id, plain_text(text))) WITH (gin_pending_list_limit='64') WHERE (ticket_id IS NULL);
CREATE TRIGGER follow_changed_texts AFTER UPDATE ON message REFERENCING OLD TABLE AS was NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION follow_changed_messages();
CREATE TRIGGER follow_gone_texts AFTER DELETE ON message REFERENCING OLD TABLE AS was FOR EACH STATEMENT EXECUTE FUNCTION follow_gone_messages();
CREATE TRIGGER follow_new_texts AFTER INSERT ON message REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION follow_new_messages();

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
    ticket_id bigint,
    clock text,
    due_at timestamptz,
    at timestamptz not null,
    seen_at timestamptz,
    kind text default 'sla' not null,
    task_id bigint,
    solution_id bigint,
    constraint notice_check CHECK (((kind = 'sla') = ((clock IS NOT NULL) AND (due_at IS NOT NULL)))),
    constraint notice_solution_id_fkey FOREIGN KEY (solution_id) REFERENCES solution(id) ON DELETE CASCADE,
    constraint notice_task_id_fkey FOREIGN KEY (task_id) REFERENCES task(id) ON DELETE CASCADE,
    constraint notice_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint notice_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint notice_pkey PRIMARY KEY (id)
);
CREATE INDEX notice_ticket ON notice USING btree (ticket_id) WHERE ((seen_at IS NULL) AND (ticket_id IS NOT NULL));
CREATE INDEX notice_unseen ON notice USING btree (user_id, id DESC) WHERE (seen_at IS NULL);
CREATE INDEX notice_user ON notice USING btree (user_id, id DESC);

create table offered_work (
    interaction_id bigint not null,
    ticket_id bigint,
    task_id bigint,
    queue_id bigint not null,
    minutes integer not null,
    customer_id bigint,
    constraint offered_work_one CHECK ((num_nonnulls(ticket_id, task_id) = 1)),
    constraint offered_work_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint offered_work_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint offered_work_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint offered_work_task_id_fkey FOREIGN KEY (task_id) REFERENCES task(id),
    constraint offered_work_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id),
    constraint offered_work_pkey PRIMARY KEY (interaction_id)
);
CREATE INDEX offered_work_customer ON offered_work USING btree (customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX offered_work_task ON offered_work USING btree (task_id) WHERE (task_id IS NOT NULL);
CREATE INDEX offered_work_ticket ON offered_work USING btree (ticket_id) WHERE (ticket_id IS NOT NULL);

create table organisation (
    only_row boolean default true not null,
    name text default '' not null,
    region text default 'CN' not null,
    timezone text default 'UTC' not null,
    languages text[] default '{en}'[] not null,
    log_epoch integer default 1 not null,
    cluster_identifier bigint,
    capacity jsonb default '{"fax": 1, "chat": 4, "form": 1, "task": 1, "email": 1, "phone": 1, "visit": 1, "letter": 1, "ticket": 1, "message": 1, "callback": 1}'::jsonb not null,
    interrupted_by jsonb default '{"fax": ["phone", "callback", "chat"], "chat": [], "form": ["phone", "callback", "chat"], "task": ["phone", "callback", "chat"], "email": ["phone", "callback", "chat"], "phone": [], "visit": [], "letter": ["phone", "callback", "chat"], "ticket": ["phone", "callback", "chat"], "message": ["phone", "callback", "chat"], "callback": []}'::jsonb not null,
    default_handling interval default '00:01:30'::interval not null,
    sla_revision integer default 1 not null,
    link_key bytea default (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) not null,
    ticket_rules jsonb default '{}'::jsonb not null,
    timers_revision integer default 0 not null,
    timers_done bigint,
    timers_at timestamptz,
    value jsonb,
    value_cuts jsonb,
    value_revision integer default 1 not null,
    mail_rules jsonb default '{}'::jsonb not null,
    callbacks jsonb default '{}'::jsonb not null,
    portal jsonb,
    revision integer default 1 not null,
    idle_order text default 'last_contact' not null,
    constraint organisation_idle_order_check CHECK ((idle_order = ANY (ARRAY['last_contact', 'available']))),
    constraint organisation_only_row_check CHECK (only_row),
    constraint organisation_pkey PRIMARY KEY (only_row)
);

create table organisation_application (
    id bigint generated always as identity,
    applied_at timestamptz not null,
    actor_id bigint,
    via text not null,
    lines text[] not null,
    constraint organisation_application_via_check CHECK ((via = ANY (ARRAY['file', 'page', 'api']))),
    constraint organisation_application_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES users(id),
    constraint organisation_application_pkey PRIMARY KEY (id)
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
    thread jsonb default '{}'::jsonb not null,
    bounced_at timestamptz,
    said_id bigint,
    constraint outbox_check CHECK ((((template IS NULL) <> (text IS NULL)) AND ((subject IS NULL) = (text IS NULL)))),
    constraint outbox_state_check CHECK ((state = ANY (ARRAY['waiting', 'sent', 'failed']))),
    constraint outbox_said_id_fkey FOREIGN KEY (said_id) REFERENCES message(id) ON DELETE SET NULL,
    constraint outbox_pkey PRIMARY KEY (id),
    constraint outbox_message_id_key UNIQUE (message_id)
) with (fillfactor=70);
CREATE INDEX outbox_acknowledged ON outbox USING btree (recipient, created_at) WHERE (template = 'acknowledgement');
CREATE INDEX outbox_due ON outbox USING btree (due_at) WHERE (state = 'waiting');
CREATE INDEX outbox_ended ON outbox USING btree (ended_at) WHERE ((ended_at IS NOT NULL) AND (recipient <> ''));
CREATE INDEX outbox_recipient ON outbox USING btree (recipient, id DESC);
CREATE INDEX outbox_said ON outbox USING btree (said_id) WHERE (said_id IS NOT NULL);
CREATE INDEX outbox_sent_to ON outbox USING btree (lower(recipient), ended_at DESC) WHERE (state = 'sent');

create table outcall (
    id bigint generated always as identity,
    interaction_id bigint not null,
    reservation_id bigint not null,
    pbx text not null,
    agent_leg text not null,
    customer_leg text,
    began_at timestamptz not null,
    answered_at timestamptz,
    ended_at timestamptz,
    constraint outcall_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id) ON DELETE CASCADE,
    constraint outcall_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX outcall_interaction ON outcall USING btree (interaction_id) WHERE (ended_at IS NULL);

create table pace (
    only_row boolean default true not null,
    measured_at timestamptz not null,
    queues jsonb not null,
    constraint pace_only_row_check CHECK (only_row),
    constraint pace_pkey PRIMARY KEY (only_row)
);

create table phone_notice (
    id bigint generated always as identity,
    notice_id bigint not null,
    user_id bigint not null,
    endpoint text not null,
    number bigint not null,
    state text default 'waiting' not null,
    attempts integer default 0 not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    last_error text,
    constraint phone_notice_state_check CHECK ((state = ANY (ARRAY['waiting', 'acknowledged', 'failed']))),
    constraint phone_notice_notice_id_fkey FOREIGN KEY (notice_id) REFERENCES notice(id) ON DELETE CASCADE,
    constraint phone_notice_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint phone_notice_pkey PRIMARY KEY (id),
    constraint phone_notice_notice_id_key UNIQUE (notice_id)
) with (fillfactor=70);
CREATE INDEX phone_notice_due ON phone_notice USING btree (due_at) WHERE (state = 'waiting');

create table portal_link (
    id bigint generated always as identity,
    address text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint portal_link_pkey PRIMARY KEY (id)
);
CREATE INDEX portal_link_address ON portal_link USING btree (address, created_at);

create table portal_session (
    token_hash bytea not null,
    address text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    constraint portal_session_pkey PRIMARY KEY (token_hash)
);
CREATE INDEX portal_session_address ON portal_session USING btree (address);

create table promise_review (
    id bigint generated always as identity,
    customer_id bigint not null,
    horizon xid8,
    after_ticket bigint default 0 not null,
    constraint promise_review_pkey PRIMARY KEY (id)
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
    signature text,
    offers_tickets boolean default false not null,
    offers_tasks boolean default false not null,
    proficiency_weight interval default '00:01:00'::interval not null,
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
    queue_id bigint,
    constraint reservation_pkey PRIMARY KEY (id)
) with (fillfactor=70);
CREATE INDEX reservation_created ON reservation USING brin (created_at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX reservation_interaction ON reservation USING btree (interaction_id);
CREATE INDEX reservation_live ON reservation USING btree (id) WHERE (state = ANY (ARRAY['pending', 'accepted']));
CREATE UNIQUE INDEX reservation_offer ON reservation USING btree (agent_id) WHERE (state = 'pending');
CREATE UNIQUE INDEX reservation_segment ON reservation USING btree (interaction_id, segment) WHERE (state = 'pending');
CREATE UNIQUE INDEX reservation_slot ON reservation USING btree (agent_id, channel, slot) WHERE (state = ANY (ARRAY['pending', 'accepted']));

create table rule (
    kind text not null,
    name text not null,
    place integer not null,
    body jsonb not null,
    constraint rule_kind_check CHECK ((kind = ANY (ARRAY['triggers', 'automations', 'macros', 'checklists']))),
    constraint rule_pkey PRIMARY KEY (kind, name)
);

create table sample (
    id bigint generated always as identity,
    form_id bigint not null,
    rule text not null,
    week date not null,
    seed bigint not null,
    drawn_at timestamptz not null,
    constraint sample_form_id_fkey FOREIGN KEY (form_id) REFERENCES form(id),
    constraint sample_pkey PRIMARY KEY (id),
    constraint sample_rule_week_key UNIQUE (rule, week)
);

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
CREATE INDEX segment_started ON segment USING brin (started_at) WITH (pages_per_range='32', autosummarize='on');

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

create table solution (
    id bigint generated always as identity,
    external_id text,
    state text default 'draft' not null,
    public boolean default false not null,
    category text,
    tags text[] default '{}'[] not null,
    owner_id bigint,
    review_on date,
    reminded_at timestamptz,
    created_by bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    published_at timestamptz,
    version integer default 1 not null,
    constraint solution_state_check CHECK ((state = ANY (ARRAY['draft', 'published', 'retired']))),
    constraint solution_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id),
    constraint solution_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id),
    constraint solution_pkey PRIMARY KEY (id),
    constraint solution_external_id_key UNIQUE (external_id)
);
CREATE INDEX solution_public ON solution USING btree (category, id) WHERE ((state = 'published') AND public);
CREATE INDEX solution_review ON solution USING btree (review_on) WHERE ((state = 'published') AND (reminded_at IS NULL));
CREATE INDEX solution_state ON solution USING btree (state, id DESC);

create table solution_search (
    query text not null,
    place text not null,
    count integer not null,
    missed integer not null,
    last_at timestamptz not null,
    constraint solution_search_place_check CHECK ((place = ANY (ARRAY['desk', 'help']))),
    constraint solution_search_pkey PRIMARY KEY (query, place)
);
CREATE INDEX solution_search_last ON solution_search USING btree (last_at);

create table solution_shown (
    solution_id bigint not null,
    day date not null,
    place text not null,
    count integer not null,
    constraint solution_shown_place_check CHECK ((place = ANY (ARRAY['desk', 'help']))),
    constraint solution_shown_solution_id_fkey FOREIGN KEY (solution_id) REFERENCES solution(id) ON DELETE CASCADE,
    constraint solution_shown_pkey PRIMARY KEY (solution_id, day, place)
);

create table solution_text (
    solution_id bigint not null,
    language text not null,
    latest integer not null,
    live integer,
    title text not null,
    text text not null,
    readers text default 'nobody' not null,
    title_words tsvector not null,
    words tsvector not null,
    constraint solution_text_readers_check CHECK ((readers = ANY (ARRAY['nobody', 'staff', 'all']))),
    constraint solution_text_solution_id_fkey FOREIGN KEY (solution_id) REFERENCES solution(id) ON DELETE CASCADE,
    constraint solution_text_pkey PRIMARY KEY (solution_id, language)
);
CREATE INDEX solution_text_proposed ON solution_text USING btree (solution_id) WHERE (latest IS DISTINCT FROM live);
CREATE INDEX solution_text_title_words ON solution_text USING gin (title_words) WITH (fastupdate=off);
CREATE INDEX solution_text_words ON solution_text USING gin (words) WITH (fastupdate=off);

create table solution_use (
    id bigint generated always as identity,
    solution_id bigint not null,
    ticket_id bigint,
    interaction_id bigint,
    how text not null,
    user_id bigint,
    at timestamptz not null,
    constraint solution_use_check CHECK ((num_nonnulls(ticket_id, interaction_id) = 1)),
    constraint solution_use_how_check CHECK ((how = ANY (ARRAY['inserted', 'solved']))),
    constraint solution_use_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint solution_use_solution_id_fkey FOREIGN KEY (solution_id) REFERENCES solution(id) ON DELETE CASCADE,
    constraint solution_use_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id),
    constraint solution_use_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
    constraint solution_use_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX solution_use_interaction ON solution_use USING btree (interaction_id, solution_id, how) WHERE (interaction_id IS NOT NULL);
CREATE INDEX solution_use_solution ON solution_use USING btree (solution_id, at);
CREATE UNIQUE INDEX solution_use_ticket ON solution_use USING btree (ticket_id, solution_id, how) WHERE (ticket_id IS NOT NULL);

create table solution_version (
    solution_id bigint not null,
    language text not null,
    n integer not null,
    title text not null,
    text text not null,
    author_id bigint,
    at timestamptz not null,
    restored_from integer,
    constraint solution_version_author_id_fkey FOREIGN KEY (author_id) REFERENCES users(id),
    constraint solution_version_solution_id_fkey FOREIGN KEY (solution_id) REFERENCES solution(id) ON DELETE CASCADE,
    constraint solution_version_pkey PRIMARY KEY (solution_id, language, n)
);

create table solution_vote (
    solution_id bigint not null,
    voter bytea not null,
    helped boolean not null,
    at timestamptz not null,
    constraint solution_vote_solution_id_fkey FOREIGN KEY (solution_id) REFERENCES solution(id) ON DELETE CASCADE,
    constraint solution_vote_pkey PRIMARY KEY (solution_id, voter)
);

create table solution_word (
    word text not null,
    count integer not null,
    constraint solution_word_pkey PRIMARY KEY (word)
);

create table survey (
    id bigint generated always as identity,
    interaction_id bigint not null,
    customer_id bigint,
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
    via text default 'mail' not null,
    form_id bigint,
    answers jsonb default '{}'::jsonb not null,
    wordless boolean default false not null,
    message_id bigint,
    constraint survey_ask_check CHECK ((ask = ANY (ARRAY['csat', 'nps', 'solved']))),
    constraint survey_via_check CHECK ((via = ANY (ARRAY['mail', 'keypad', 'chat', 'api']))),
    constraint survey_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES users(id),
    constraint survey_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint survey_form_id_fkey FOREIGN KEY (form_id) REFERENCES form(id),
    constraint survey_interaction_id_fkey FOREIGN KEY (interaction_id) REFERENCES interaction(id),
    constraint survey_message_id_fkey FOREIGN KEY (message_id) REFERENCES message(id),
    constraint survey_outbox_id_fkey FOREIGN KEY (outbox_id) REFERENCES outbox(id),
    constraint survey_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint survey_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id),
    constraint survey_pkey PRIMARY KEY (id),
    constraint survey_interaction_id_key UNIQUE (interaction_id)
);
CREATE INDEX survey_answered ON survey USING btree (answered_at) WHERE (answered_at IS NOT NULL);
CREATE INDEX survey_asked ON survey USING btree (asked_at);
CREATE INDEX survey_customer ON survey USING btree (customer_id, asked_at DESC);
CREATE INDEX survey_form ON survey USING btree (form_id, asked_at) WHERE (form_id IS NOT NULL);
CREATE INDEX survey_outbox ON survey USING btree (outbox_id) WHERE (outbox_id IS NOT NULL);
CREATE INDEX survey_ticket ON survey USING btree (ticket_id) WHERE (ticket_id IS NOT NULL);
CREATE INDEX survey_words ON survey USING btree (answered_at) WHERE ((NOT wordless) AND (answered_at IS NOT NULL) AND ((comment IS NOT NULL) OR (form_id IS NOT NULL) OR (message_id IS NOT NULL)));

create table survey_refusal (
    id bigint generated always as identity,
    customer_id bigint,
    address text,
    survey_id bigint not null,
    at timestamptz not null,
    constraint survey_refusal_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint survey_refusal_survey_id_fkey FOREIGN KEY (survey_id) REFERENCES survey(id),
    constraint survey_refusal_pkey PRIMARY KEY (id),
    constraint survey_refusal_address_key UNIQUE (address),
    constraint survey_refusal_customer_id_key UNIQUE (customer_id)
);

create table task (
    id bigint generated always as identity,
    ticket_id bigint,
    title text not null,
    state text default 'open' not null,
    user_id bigint,
    queue_id bigint,
    checklist text,
    list bigint,
    place integer default 0 not null,
    required boolean default false not null,
    due_in interval,
    hours text,
    due_at timestamptz,
    remind_before interval,
    reminded boolean default false not null,
    overdue boolean default false not null,
    next_at timestamptz,
    rule text,
    created_by bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    ended_at timestamptz,
    ended_by bigint,
    version integer default 1 not null,
    constraint task_state_check CHECK ((state = ANY (ARRAY['waiting', 'open', 'done', 'cancelled']))),
    constraint task_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id),
    constraint task_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES users(id),
    constraint task_list_fkey FOREIGN KEY (list) REFERENCES task(id),
    constraint task_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint task_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id),
    constraint task_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
    constraint task_pkey PRIMARY KEY (id)
) with (fillfactor=80);
CREATE INDEX task_list ON task USING btree (list, place) WHERE (list IS NOT NULL);
CREATE INDEX task_next ON task USING btree (next_at) WHERE (next_at IS NOT NULL);
CREATE INDEX task_queue ON task USING btree (queue_id, id) WHERE ((queue_id IS NOT NULL) AND (state = 'open'));
CREATE INDEX task_ticket ON task USING btree (ticket_id, id) WHERE (ticket_id IS NOT NULL);
CREATE INDEX task_user ON task USING btree (user_id, id) WHERE ((user_id IS NOT NULL) AND (state = 'open'));

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
    type text,
    tags text[] default '{}'[] not null,
    followers bigint[] default '{}'::bigint[] not null,
    customers bigint[] default '{}'::bigint[] not null,
    fields jsonb default '{}'::jsonb not null,
    parent_id bigint,
    merged_into bigint,
    updated_by bigint,
    due_at timestamptz default 'infinity'::timestamptz not null,
    constraint ticket_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id),
    constraint ticket_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(id),
    constraint ticket_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES ticket(id),
    constraint ticket_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id),
    constraint ticket_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES ticket(id),
    constraint ticket_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint ticket_updated_by_fkey FOREIGN KEY (updated_by) REFERENCES users(id),
    constraint ticket_pkey PRIMARY KEY (id),
    constraint ticket_number_key UNIQUE (number)
);
CREATE INDEX ticket_customer ON ticket USING btree (customer_id, id DESC);
CREATE INDEX ticket_customers ON ticket USING gin (customers) WHERE (customers <> '{}'::bigint[]);
CREATE INDEX ticket_due ON ticket USING btree (due_at, id) WHERE (state <> ALL (ARRAY['resolved', 'closed']));
CREATE INDEX ticket_fields ON ticket USING gin (fields jsonb_path_ops) WHERE (fields <> '{}'::jsonb);
CREATE INDEX ticket_followers ON ticket USING gin (followers) WHERE (followers <> '{}'::bigint[]);
CREATE INDEX ticket_merged ON ticket USING btree (merged_into) WHERE (merged_into IS NOT NULL);
CREATE INDEX ticket_open_customer ON ticket USING btree (customer_id, id DESC) WHERE (state <> ALL (ARRAY['resolved', 'closed']));
CREATE INDEX ticket_open_owner ON ticket USING btree (owner_id, id DESC) WHERE (state <> ALL (ARRAY['resolved', 'closed']));
CREATE INDEX ticket_owner_due ON ticket USING btree (owner_id, due_at, id) WHERE (state <> ALL (ARRAY['resolved', 'closed']));
CREATE INDEX ticket_parent ON ticket USING btree (parent_id) WHERE (parent_id IS NOT NULL);
CREATE INDEX ticket_pending ON ticket USING btree (updated_at, id) WHERE (state = 'pending');
CREATE INDEX ticket_queue_due ON ticket USING btree (queue_id, due_at, id) WHERE (state <> ALL (ARRAY['resolved', 'closed']));
CREATE INDEX ticket_tags ON ticket USING gin (tags) WHERE (tags <> '{}'[]);
CREATE INDEX ticket_unassigned_due ON ticket USING btree (due_at, id) WHERE ((owner_id IS NULL) AND (state <> ALL (ARRAY['resolved', 'closed'])));
CREATE INDEX ticket_unowned ON ticket USING btree (queue_id, id) WHERE ((owner_id IS NULL) AND (merged_into IS NULL) AND (state = ANY (ARRAY['new', 'open'])) AND (queue_id IS NOT NULL));
CREATE CONSTRAINT TRIGGER follow_new_subject AFTER INSERT ON ticket DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gather_new_ticket();
CREATE TRIGGER follow_subject AFTER UPDATE OF subject ON ticket FOR EACH ROW WHEN ((old.subject IS DISTINCT FROM new.subject)) EXECUTE FUNCTION follow_ticket_text();
CREATE TRIGGER ticket_history AFTER UPDATE ON ticket FOR EACH ROW WHEN (((((((((((((((old.subject IS DISTINCT FROM new.subject) OR (old.state IS DISTINCT FROM new.state)) OR (old.priority IS DISTINCT FROM new.priority)) OR (old.type IS DISTINCT FROM new.type)) OR (old.category IS DISTINCT FROM new.category)) OR (old.queue_id IS DISTINCT FROM new.queue_id)) OR (old.owner_id IS DISTINCT FROM new.owner_id)) OR (old.customer_id IS DISTINCT FROM new.customer_id)) OR (old.parent_id IS DISTINCT FROM new.parent_id)) OR (old.merged_into IS DISTINCT FROM new.merged_into)) OR (old.tags IS DISTINCT FROM new.tags)) OR (old.followers IS DISTINCT FROM new.followers)) OR (old.customers IS DISTINCT FROM new.customers)) OR (old.fields IS DISTINCT FROM new.fields))) EXECUTE FUNCTION keep_ticket_history();

create table ticket_draft (
    user_id bigint not null,
    ticket_id bigint not null,
    text text not null,
    public boolean default false not null,
    updated_at timestamptz not null,
    constraint ticket_draft_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_draft_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint ticket_draft_pkey PRIMARY KEY (user_id, ticket_id)
);

create table ticket_history (
    ticket_id bigint not null,
    version integer not null,
    field text not null,
    before jsonb,
    after jsonb,
    actor_id bigint,
    at timestamptz not null,
    constraint ticket_history_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES users(id),
    constraint ticket_history_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_history_pkey PRIMARY KEY (ticket_id, version, field)
);

create table ticket_reader (
    ticket_id bigint not null,
    user_id bigint not null,
    until timestamptz not null,
    writing_until timestamptz default '-infinity'::timestamptz not null,
    constraint ticket_reader_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_reader_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint ticket_reader_pkey PRIMARY KEY (ticket_id, user_id)
);

create table ticket_relation (
    low_id bigint not null,
    high_id bigint not null,
    kind text not null,
    created_by bigint,
    created_at timestamptz not null,
    constraint ticket_relation_check CHECK ((low_id < high_id)),
    constraint ticket_relation_kind_check CHECK ((kind = ANY (ARRAY['related', 'split']))),
    constraint ticket_relation_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id),
    constraint ticket_relation_high_id_fkey FOREIGN KEY (high_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_relation_low_id_fkey FOREIGN KEY (low_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_relation_pkey PRIMARY KEY (low_id, high_id)
);
CREATE INDEX ticket_relation_high ON ticket_relation USING btree (high_id);

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
    contract_id bigint,
    constraint ticket_sla_contract_id_fkey FOREIGN KEY (contract_id) REFERENCES contract(id),
    constraint ticket_sla_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_sla_pkey PRIMARY KEY (ticket_id)
);
CREATE INDEX ticket_sla_contract ON ticket_sla USING btree (contract_id) WHERE (contract_id IS NOT NULL);
CREATE INDEX ticket_sla_next ON ticket_sla USING btree (next_at) WHERE (next_at IS NOT NULL);
CREATE INDEX ticket_sla_revision ON ticket_sla USING btree (revision) WHERE (over_at IS NULL);

create table ticket_text (
    ticket_id bigint not null,
    text text not null,
    constraint ticket_text_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_text_pkey PRIMARY KEY (ticket_id)
);
CREATE INDEX ticket_text_words ON ticket_text USING gin (ticket_words(ticket_id, text)) WITH (gin_pending_list_limit='64');

create table ticket_timer (
    ticket_id bigint not null,
    revision integer not null,
    touched_at timestamptz not null,
    next_at timestamptz,
    constraint ticket_timer_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES ticket(id) ON DELETE CASCADE,
    constraint ticket_timer_pkey PRIMARY KEY (ticket_id)
) with (fillfactor=80);
CREATE INDEX ticket_timer_next ON ticket_timer USING btree (next_at) WHERE (next_at IS NOT NULL);

create table ticket_view (
    id bigint generated always as identity,
    owner_id bigint not null,
    name text not null,
    shared boolean default false not null,
    conditions jsonb not null,
    ordering text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer default 1 not null,
    constraint ticket_view_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id) ON DELETE CASCADE,
    constraint ticket_view_pkey PRIMARY KEY (id),
    constraint ticket_view_owner_id_name_key UNIQUE (owner_id, name)
);

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

create table upload (
    id bigint generated always as identity,
    message_id bigint,
    owner text,
    name text not null,
    type text not null,
    size integer not null,
    data bytea not null,
    created_at timestamptz not null,
    constraint upload_message_id_fkey FOREIGN KEY (message_id) REFERENCES message(id) ON DELETE CASCADE,
    constraint upload_pkey PRIMARY KEY (id)
);
CREATE INDEX upload_message ON upload USING btree (message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX upload_unsent ON upload USING btree (created_at) WHERE (message_id IS NULL);

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
    email text,
    phone text,
    notify text[] default '{}'[] not null,
    hours_id bigint,
    signature text,
    constraint users_role_check CHECK ((role = ANY (ARRAY['agent', 'supervisor', 'administrator']))),
    constraint users_hours_id_fkey FOREIGN KEY (hours_id) REFERENCES hours(id) ON DELETE SET NULL,
    constraint users_manager_id_fkey FOREIGN KEY (manager_id) REFERENCES users(id),
    constraint users_pkey PRIMARY KEY (id),
    constraint users_endpoint_key UNIQUE (endpoint),
    constraint users_name_key UNIQUE (name)
);

create table web_form (
    id bigint generated always as identity,
    name text not null,
    queue_id bigint not null,
    definition jsonb not null,
    active boolean default true not null,
    constraint web_form_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint web_form_pkey PRIMARY KEY (id),
    constraint web_form_name_key UNIQUE (name)
);

create table webhook (
    id bigint generated always as identity,
    name text not null,
    url text not null,
    events text[] default '{}'[] not null,
    secret text,
    since timestamptz default now() not null,
    active boolean default true not null,
    constraint webhook_pkey PRIMARY KEY (id),
    constraint webhook_name_key UNIQUE (name)
);

create table widget (
    id bigint generated always as identity,
    key text not null,
    queue_id bigint not null,
    sites text[] not null,
    languages text[] default '{}'[] not null,
    greeting jsonb default '{}'::jsonb not null,
    ask text[] default '{}'[] not null,
    form text,
    secret text,
    active boolean default true not null,
    callback boolean default false not null,
    constraint widget_ask_check CHECK ((ask <@ '{name,email}'[])),
    constraint widget_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queue(id),
    constraint widget_pkey PRIMARY KEY (id),
    constraint widget_key_key UNIQUE (key)
);

-- The verbs, in callcenter/store/functions:
-- function adopt(p_interaction bigint, p_node bigint, p_leg text, p_now timestamptz) returns SETOF contact_log
-- function agent_image(a agent) returns jsonb
-- function answer(p_reservation bigint, p_leg text, p_now timestamptz) returns SETOF contact_log
-- function arrive(p_channel text, p_direction text, p_external_id text, p_pbx text, p_leg text, p_address_kind text, p_address text, p_address_name text, p_called text, p_subject text, p_queue bigint, p_priority integer, p_state text, p_node bigint, p_now timestamptz, p_asks jsonb, p_agent bigint, p_agent_version integer, p_reason text, p_decision jsonb, p_due timestamptz, p_revision integer) returns SETOF contact_log
-- function ask_callback(p_external_id text, p_customer bigint, p_number text, p_name text, p_subject text, p_queue bigint, p_queued_at timestamptz, p_due timestamptz, p_origin bigint, p_attempt integer, p_ticket bigint, p_language text, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function ask_review(p_customers bigint[]) returns void
-- function begin_wrap_up(r reservation, p_queue bigint, p_now timestamptz) returns SETOF contact_log
-- function chat_read(p_interaction bigint, p_reader bigint, p_upto integer, p_now timestamptz) returns SETOF contact_log
-- function chat_say(p_interaction bigint, p_author bigint, p_text text, p_client_id text, p_now timestamptz) returns SETOF contact_log
-- function companies_named(p_words text[], p_after bigint, p_limit integer) returns bigint[]
-- function company_called(p_name text, p_key text, OUT id bigint, OUT name text) returns record
-- function company_key(p_name text) returns text
-- function company_of_mail(p_address text) returns bigint
-- function complete_call(p_interaction bigint, p_kind text, p_address text, p_called text, p_now timestamptz) returns SETOF contact_log
-- function connect_call(p_interaction bigint, p_agent bigint, p_endpoint text, p_now timestamptz) returns SETOF contact_log
-- function contact_customer(i interaction) returns bigint
-- function contract_cards(p_customer bigint, p_now timestamptz) returns json
-- function contract_covers(p_customer bigint) returns text
-- function contract_period(p_starts_on date, p_per text, p_day date, OUT begins_on date, OUT next_on date) returns record
-- function contract_shift(p_customer bigint) returns double precision
-- function contract_used(p_contract bigint, p_unit text, p_begins_on date, p_next_on date, p_zone text) returns integer
-- function correspondents(p_ticket bigint, p_contact bigint) returns TABLE(contact bigint, channel text, address text, theirs boolean, place bigint)
-- function customer_now(p_id bigint) returns bigint
-- function customer_records(p_id bigint) returns bigint[]
-- function customer_words(p_contacts bigint[], p_cases bigint[], p_letters bigint[]) returns bigint[]
-- function customers_named(p_words text[], p_after bigint, p_limit integer) returns bigint[]
-- function cut_around(p_text text, p_terms text[]) returns text
-- function empty_customer(p_customer bigint, p_now timestamptz) returns jsonb
-- function end_interaction(p_interaction bigint, p_cause text, p_outcome text, p_node bigint, p_now timestamptz) returns SETOF contact_log
-- function end_reservation(r reservation, p_state text, p_reason text, p_missed boolean, p_not_before timestamptz, p_now timestamptz) returns SETOF contact_log
-- function end_segments(p_interaction bigint, p_reservation bigint, p_cause text, p_now timestamptz) returns void
-- function enqueue(p_interaction bigint, p_queue bigint, p_now timestamptz) returns SETOF contact_log
-- function ensure_log_months(p_from timestamptz, p_months integer) returns integer
-- function find_customer(p_kind text, p_value text) returns bigint
-- function folded(p_text text) returns text
-- function folded_words(p_text text) returns text[]
-- function follow_changed_messages() returns trigger
-- function follow_company() returns trigger
-- function follow_gone_messages() returns trigger
-- function follow_new_messages() returns trigger
-- function follow_ticket_text() returns trigger
-- function forget_company(p_id bigint) returns void
-- function free_slot(a agent, p_channel text) returns integer
-- function gather_new_ticket() returns trigger
-- function gather_ticket_texts(p_tickets bigint[]) returns void
-- function give_to_agent(p_interaction bigint, p_agent bigint, p_reason text, p_now timestamptz) returns SETOF contact_log
-- function give_treatment(p_interaction bigint, p_queue bigint, p_treatment text, p_rule text, p_now timestamptz) returns SETOF contact_log
-- function go_on(r reservation, p_locked bigint[], p_now timestamptz) returns SETOF contact_log
-- function grams_sought(p_word text) returns text[]
-- function hand_over(p_reservation bigint, p_queue bigint, p_agent bigint, p_actor bigint, p_apart interval, p_message bigint, p_now timestamptz) returns SETOF contact_log
-- function hold(p_interaction bigint, p_held boolean, p_now timestamptz) returns SETOF contact_log
-- function identify(p_interaction bigint, p_customer bigint, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function interaction_image(i interaction) returns jsonb
-- function interrupt(r reservation, p_locked bigint[], p_now timestamptz) returns SETOF contact_log
-- function keep_asked() returns trigger
-- function keep_grade() returns trigger
-- function keep_mail(p_interaction bigint, p_ticket bigint, p_queue bigint, p_mailbox bigint, p_message_id text, p_refs text[], p_sender text, p_sender_name text, p_nature text, p_outbox bigint, p_html text, p_notes text[], p_size integer, p_raw bytea, p_correspondent text, p_text text, p_reached text, p_now timestamptz, p_names text[], p_types text[], p_sizes integer[], p_starts integer[], p_lengths integer[], p_encodings text[], p_cids text[], p_inline boolean[]) returns SETOF contact_log
-- function keep_ticket_history() returns trigger
-- function leave_company() returns trigger
-- function leave_unserved(p_interaction bigint, p_outcome text, p_cause text, p_node bigint, p_now timestamptz, p_actor bigint) returns SETOF contact_log
-- function likeness_keys(p_name text, p_company text) returns text[]
-- function link_ticket(p_interaction bigint, p_ticket bigint, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function lock_agent(p_id bigint) returns void
-- function lock_aggregate(p_class integer, p_id bigint) returns void
-- function lock_company(p_id bigint) returns void
-- function lock_customer(p_id bigint) returns void
-- function lock_hand(p_interaction bigint, p_agent bigint) returns bigint[]
-- function lock_interaction(p_id bigint) returns void
-- function lock_ticket(p_id bigint) returns void
-- function log_agent(a agent, p_kind text, p_now timestamptz, p_actor bigint, p_interaction bigint) returns SETOF contact_log
-- function log_interaction(i interaction, p_kind text, p_now timestamptz, p_agent bigint, p_actor bigint, p_data jsonb) returns SETOF contact_log
-- function lose_desks(p_node bigint, p_now timestamptz) returns SETOF contact_log
-- function make_companies(p_names text[]) returns void
-- function make_company(p_name text, p_key text) returns void
-- function may_read(p_interaction bigint, p_reader bigint) returns boolean
-- function meet_mail(p_correspondent text, p_fingerprint text, p_named text[], p_bare text[], p_message_id text, p_address text, p_since timestamptz, p_most integer, p_gateways text[], OUT known bigint, OUT id bigint, OUT address text, OUT queue_id bigint, OUT language text, OUT closed text, OUT acknowledge boolean, OUT new_after interval, OUT default_queue bigint, OUT ours boolean, OUT colleague bigint, OUT much boolean, OUT gateway boolean, OUT link_key bytea) returns record
-- function move(p_interaction bigint, p_queue bigint, p_priority integer, p_actor bigint, p_now timestamptz, p_from bigint, p_why jsonb) returns SETOF contact_log
-- function move_desk(p_agent bigint, p_node bigint, p_open boolean, p_now timestamptz) returns SETOF contact_log
-- function name_grams(p_id bigint, p_text text) returns text[]
-- function note_attempt(p_subject text, p_limit integer, p_since timestamptz, p_now timestamptz) returns timestamptz
-- function note_by_hand(p_channel text, p_direction text, p_key text, p_customer bigint, p_agent bigint, p_queue bigint, p_began timestamptz, p_ended timestamptz, p_disposition text, p_note text, p_now timestamptz) returns SETOF contact_log
-- function note_cluster() returns integer
-- function offer(p_reservation bigint, p_due timestamptz, p_now timestamptz) returns SETOF contact_log
-- function offered_customer(p_interaction bigint) returns bigint
-- function offered_now() returns TABLE(interaction_id bigint, ticket_id bigint, task_id bigint, state text, reason text, minutes integer, customer_id bigint, outdated boolean)
-- function offers_amiss(p_limit integer, OUT tickets bigint[], OUT tasks bigint[]) returns record
-- function open_ticket(p_subject text, p_state text, p_priority text, p_category text, p_queue bigint, p_owner bigint, p_customer bigint, p_actor bigint, p_now timestamptz, p_type text, p_tags text[], p_followers bigint[], p_customers bigint[], p_fields jsonb, p_parent bigint, p_interaction bigint, p_data jsonb) returns TABLE(number bigint, entry contact_log)
-- function own_contact(i interaction, p_address text) returns boolean
-- function own_tickets(p_address text) returns SETOF bigint
-- function owner_of_mail(p_address text) returns bigint
-- function plain_text(p_text text) returns text
-- function preferred(p_queue bigint, p_customer bigint, p_now timestamptz, OUT agents bigint[], OUT what text) returns record
-- function priority_minutes(p_priority text) returns integer
-- function put_off(p_interaction bigint, p_due timestamptz, p_now timestamptz) returns SETOF contact_log
-- function queue_callback(p_interaction bigint, p_now timestamptz) returns SETOF contact_log
-- function ready_counts() returns boolean
-- function reconcile_offers(p_tickets bigint[], p_tasks bigint[], p_now timestamptz) returns SETOF contact_log
-- function release(p_reservation bigint, p_cause text, p_now timestamptz) returns SETOF contact_log
-- function rename_company(p_id bigint, p_name text) returns void
-- function reserve(p_interaction bigint, p_queue bigint, p_agent bigint, p_agent_version integer, p_reason text, p_decision jsonb, p_due timestamptz, p_now timestamptz, p_revision integer, p_actor bigint) returns SETOF contact_log
-- function reserve_all(p_interactions bigint[], p_queues bigint[], p_agents bigint[], p_agent_versions integer[], p_reasons text[], p_decisions jsonb, p_due timestamptz, p_now timestamptz, p_revision integer) returns SETOF contact_log
-- function return_to_queue(p_reservation bigint, p_state text, p_reason text, p_missed boolean, p_backoff interval, p_now timestamptz) returns SETOF contact_log
-- function revalue_waiting(p_interaction bigint, p_now timestamptz) returns SETOF contact_log
-- function review_promises(p_limit integer, p_reviews bigint[]) returns integer
-- function routing_status(p_was text, p_presence text, p_hand text) returns text
-- function search_contacts(p_words text[], p_phrases text[], p_terms text[], p_reader bigint, p_limit integer) returns TABLE(id bigint, channel text, at timestamptz, customer_id bigint, customer text, ticket bigint, cut text)
-- function search_customers(p_beginnings text[], p_endings text[], p_words text[], p_limit integer) returns TABLE(id bigint, name text, company text, tier text, address text)
-- function search_solutions(p_spaced text, p_rest text, p_readers text[], p_language text, p_limit integer) returns TABLE(id bigint, language text, title text, text text, rank double precision, public boolean, category text, state text)
-- function search_tickets(p_number bigint, p_words text[], p_phrases text[], p_terms text[], p_limit integer) returns TABLE(id bigint, number bigint, subject text, state text, customer_id bigint, customer text, at timestamptz, cut text)
-- function set_presence(p_agent bigint, p_presence text, p_reason text, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function settle_agent(p_agent bigint, p_channel text, p_in_hand integer, p_live integer, p_offer boolean, p_idle_since timestamptz, p_kind text, p_actor bigint, p_interaction bigint, p_now timestamptz) returns SETOF contact_log
-- function show_offer(p_reservation bigint, p_now timestamptz) returns SETOF contact_log
-- function suggest_solutions(p_spaced text, p_pairs text[], p_readers text[], p_language text, p_limit integer) returns TABLE(id bigint, language text, title text, text text, rank double precision, public boolean, category text, state text)
-- function take_out(p_interaction bigint, p_reason text, p_actor bigint, p_now timestamptz) returns SETOF contact_log
-- function tell_hold(p_interaction bigint, p_kind text, r reservation, p_now timestamptz) returns SETOF contact_log
-- function ticket_words(p_ticket bigint, p_text text) returns text[]
-- function traces_of(p_who bigint[], OUT places text[], OUT cases bigint[], OUT contacts bigint[], OUT letters bigint[]) returns record
-- function transfer(p_interaction bigint, p_agent bigint, p_endpoint text, p_leg text, p_kind text, p_now timestamptz) returns SETOF contact_log
-- function unoffered_tasks() returns TABLE(id bigint, queue_id bigint, minutes integer, customer_id bigint)
-- function unoffered_tickets() returns TABLE(id bigint, queue_id bigint, minutes integer, customer_id bigint)
-- function work_customer(p_interaction bigint, p_customer bigint, p_channel text) returns bigint
-- function wrap_up(p_reservation bigint, p_disposition text, p_note text, p_by text, p_now timestamptz) returns SETOF contact_log
