-- What customers are entitled to by contract, and what they are worth: kinds of contracts, contracts, orders, value.

-- A kind of contract, as the organisation file declares it. quota: {"cases" or "minutes": number, "per": period}; visits: when
-- somebody is sent by themselves; renewal: who is reminded of the end, and when (callcenter/domain/contract.py).
create table contract_kind (
    id bigint generated always as identity primary key,
    name text not null unique,
    title text not null,
    hours_id bigint references hours,
    quota jsonb,
    visits jsonb,
    renewal jsonb,
    queues text[] not null default '{}',
    categories text[] not null default '{}',
    products text[] not null default '{}',
    active boolean not null default true
);

-- A customer's contract. The days are those of the organisation's time zone, both included; starts_at and ends_at (exclusive)
-- are their moments. targets, quota, queues, categories and products: null, as the kind has them. next_at: when the next thing
-- is to be done by itself: begin, visit, reminder, end.
create table contract (
    id bigint generated always as identity primary key,
    external_id text unique,
    customer_id bigint not null references customer,
    kind_id bigint not null references contract_kind,
    name text not null,
    owner_id bigint references users,
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
    version integer not null default 1,
    check (ends_at is null or ends_at >= starts_at)
);
create index contract_customer on contract (customer_id, starts_at desc);
create index contract_next on contract (next_at) where next_at is not null;

-- What was done for a contract by itself, once: the ticket of a visit on that day, or of the renewal when it ends on that day.
-- late: done later than it should have been, since no server ran.
create table contract_duty (
    contract_id bigint not null references contract on delete cascade,
    what text not null check (what in ('visit', 'renewal')),
    day date not null,
    ticket_id bigint references ticket on delete set null,
    done_at timestamptz not null,
    late boolean not null,
    primary key (contract_id, what, day)
);
create index contract_duty_ticket on contract_duty (ticket_id);

-- The contract that a ticket is a case of: the first one in force that covered it. Written once, so a case counts once.
alter table ticket_sla add column contract_id bigint references contract;
create index ticket_sla_contract on ticket_sla (contract_id) where contract_id is not null;

-- Customers whose tier or contracts changed, so that what their open tickets are promised must be worked out anew. A row may be
-- worked off when every transaction that began before it was seen (horizon) has ended: one of them may have opened a ticket
-- under the old tier. after_ticket: how far it has been worked off.
create table promise_review (
    id bigint generated always as identity primary key,
    customer_id bigint not null,
    horizon xid8,
    after_ticket bigint not null default 0
);

-- What a customer bought, from another system; `number` is that system's.
create table customer_order (
    id bigint generated always as identity primary key,
    number text not null unique,
    customer_id bigint not null references customer,
    ordered_on date not null,
    amount numeric(14, 2) not null,
    currency text not null
);
create index customer_order_customer on customer_order (customer_id, ordered_on desc);

-- What a customer is worth to us and where they stand, worked out by the rules of the organisation file. The tier in force is
-- customer.tier: hand_tier while it is set (until hand_until), else rule_tier. signals: what speaks for their leaving, as codes.
-- due_at: when it is to be worked out anew; also when revision is behind the organisation's.
create table customer_value (
    customer_id bigint primary key references customer on delete cascade,
    due_at timestamptz,
    assessed_at timestamptz,
    recency integer,
    frequency integer,
    monetary integer,
    rule_tier text,
    hand_tier text,
    hand_reason text,
    hand_until timestamptz,
    hand_by bigint references users,
    hand_at timestamptz,
    stage text check (stage in ('prospect', 'new', 'active', 'at_risk', 'lapsed', 'won_back')),
    stage_at timestamptz,
    figures jsonb not null default '{}',
    signals text[] not null default '{}',
    revision integer not null default 0
);
create index customer_value_due on customer_value (due_at) where due_at is not null;
create index customer_value_revision on customer_value (revision);

-- The rules for value, as the organisation file has them; null: tiers are set by hand alone. value_cuts: where the fifths of
-- all customers lie, for rules by quantiles.
alter table organisation add column value jsonb, add column value_cuts jsonb, add column value_revision integer not null default 1;

-- Tiers of before were set by somebody, who is not to be overruled.
insert into customer_value (customer_id, hand_tier, hand_at) select id, tier, now() from customer where tier is not null;
