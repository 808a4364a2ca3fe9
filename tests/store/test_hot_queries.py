"""What a call asks of the database finds its rows by an index, however long the history is."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from callcenter.store.queries import Queries
from tests.builders import NOW

ROOT = Path(__file__).resolve().parents[2]
FEED = Queries(ROOT / "callcenter" / "feed.sql")
DUE = Queries(ROOT / "routing" / "due.sql")
SNAPSHOT = Queries(ROOT / "routing" / "snapshot.sql")
WAITS = Queries(ROOT / "routing" / "waits.sql")
OUTBOX = Queries(ROOT / "callcenter" / "store" / "outbox.sql")
DELIVERIES = Queries(ROOT / "callcenter" / "store" / "deliveries.sql")
CALLOUTS = Queries(ROOT / "callcenter" / "store" / "callouts.sql")
CONTRACTS = Queries(ROOT / "callcenter" / "store" / "contracts.sql")
VALUE = Queries(ROOT / "callcenter" / "store" / "value.sql")
SLA = Queries(ROOT / "callcenter" / "store" / "sla.sql")
RULES = Queries(ROOT / "callcenter" / "store" / "rules.sql")
TASKS = Queries(ROOT / "callcenter" / "store" / "tasks.sql")
VOICE = Queries(ROOT / "channels" / "telephony" / "voice.sql")


HISTORY = """
insert into users (name, full_name, role) values ('amy', 'Amy', 'agent');
insert into interaction (channel, state, external_id, pbx, arrived_at, closed_at)
select 'phone', 'closed', 'default/' || n, 'default', timestamptz '2026-01-01' + n * interval '1 minute', now()
from generate_series(1, 5000) n;
insert into reservation (interaction_id, agent_id, segment, channel, state, created_at)
select id, (select id from users), 1, 'phone', 'completed', arrived_at from interaction;
insert into reservation (interaction_id, agent_id, segment, channel, state, created_at)
select n, n + 1000, 1, 'phone', 'accepted', now() from generate_series(1, 500) n;
insert into segment (interaction_id, n, agent_id, started_at, ended_at)
select id, 1, (select id from users), arrived_at, arrived_at from interaction;
insert into customer (name) select 'c' || n from generate_series(1, 5000) n;
insert into address (customer_id, kind, value) select id, 'phone', '+86' || id from customer;
insert into outbox (recipient, template, state, created_at, due_at, expires_at)
select 'a@b.example', 'survey', case when n % 10 = 0 then 'waiting' else 'sent' end, at, at, at + interval '3 days'
from (select n, timestamptz '2026-01-01' + n * interval '1 hour' as at from generate_series(1, 5000) n) past;
insert into contact_log (kind, at) select 'interaction.closed', arrived_at from interaction;
insert into contact_log (kind, at)
select 'interaction.closed', now() + n % 4 * interval '1 month' from generate_series(1, 5000) n; -- of each month
insert into ticket (number, subject, created_at, updated_at)
select n, 'x', now(), now() from generate_series(1, 5000) n;
insert into ticket_sla (ticket_id, revision, next_at)
select id, 1, timestamptz '2026-03-01' + id * interval '1 minute' from ticket;
insert into webhook (name, url) select 'w' || n, 'https://example.com' from generate_series(1, 3) n;
insert into delivery (webhook_id, seq, kind, body, state, created_at, due_at, expires_at)
select 1 + n % 3, n, 'ticket.opened', '{}', case when n % 100 = 0 then 'waiting' else 'sent' end, at, at, at
from (select n, timestamptz '2026-01-01' + n * interval '1 hour' as at from generate_series(1, 5000) n) past;
insert into notice (user_id, ticket_id, clock, due_at, at) select 1, id, 'own', now(), now() from ticket;
insert into phone_notice (notice_id, user_id, endpoint, number, state, due_at, expires_at)
select id, 1, 'PJSIP/1', 1, case when id % 100 = 0 then 'waiting' else 'acknowledged' end, now(), now() from notice;
insert into ticket_timer (ticket_id, revision, touched_at, next_at)
select id, 1, now(), case when id % 2 = 0 then timestamptz '2026-03-01' + id * interval '1 minute' end from ticket;
insert into task (ticket_id, title, state, user_id, queue_id, required, due_at, next_at, created_at, updated_at)
select id, 'x', case when id % 3 = 0 then 'open' else 'done' end, null, null, id % 2 = 0, now(),
    case when id % 3 = 0 then now() end, now(), now() from ticket;
insert into sla_clock (ticket_id, clock, state, target, started_at, due_at)
select id, 'resolution', 'running', '1 day', now(), now() + id * interval '1 minute' from ticket;
"""

HISTORY += """
insert into contract_kind (name, title) values ('care', 'Care');
insert into contract (customer_id, kind_id, name, starts_on, starts_at, created_at, next_at)
select n, 1, 'x', '2026-01-01', timestamptz '2026-01-01', timestamptz '2026-01-01',
    case when n % 5 = 0 then timestamptz '2026-03-01' + n * interval '1 minute' end from generate_series(1, 5000) n;
insert into company (name, domains)
select 'Firm ' || n, array['firm' || n || '.example'] from generate_series(1, 5000) n;
insert into company_name (key, company_id) select company_key(name), id from company;
insert into customer_value (customer_id, due_at, revision)
select n, timestamptz '2026-03-01' + n * interval '1 minute', 1 from generate_series(1, 5000) n;
insert into customer_order (number, customer_id, ordered_on, amount, currency)
select n, n % 5000 + 1, date '2026-01-01', 9, 'CNY' from generate_series(1, 20000) n;
"""

# A hundred days of five hundred contacts each.
DAYS = """
insert into reservation (interaction_id, agent_id, queue_id, segment, channel, state, created_at)
select n, n % 10, n % 3, 1, 'phone', 'completed', timestamptz '2026-03-13' - (50001 - n) * interval '1 day' / 500
from generate_series(1, 50000) n;
insert into segment (interaction_id, n, agent_id, started_at, answered_at)
select interaction_id, 1, agent_id, created_at, created_at from reservation order by created_at;
"""

INTERRUPTED = """
update segment s set held_at = now() from reservation h
where h.agent_id = $1 and h.state = 'accepted' and s.interaction_id = h.interaction_id and s.reservation_id = h.id
"""


async def indexes_of(db: asyncpg.Connection, sql: str, *args: object) -> set[str]:
    """The indexes that the plan uses. Raises AssertionError for a plan that reads a whole table or sorts."""
    plan = await db.fetchval(f"explain (format json) {sql}", *args)
    found: set[str] = set()

    def look(node: dict[str, object]) -> None:
        assert node["Node Type"] not in ("Seq Scan", "Sort") or node["Plan Rows"] == 1, node
        if "Index Name" in node:
            found.add(str(node["Index Name"]))
        for child in node.get("Plans", ()):  # type: ignore[attr-defined]
            look(child)

    look((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return found


HOT: Sequence[tuple[str, tuple[object, ...], str]] = [
    (FEED.page, (1, "1", 0, 500), "contact_log"),
    (VOICE.known, (["default/1.0"],), "interaction_external"),
    (VOICE.open, ("default", NOW, True, ["default"]), "interaction_open"),
    (SNAPSHOT.waiting, (), "interaction_open"),
    (DUE.wrap_ups, (NOW,), "reservation_live"),
    (DUE.offers, (NOW,), "reservation_"),
    (OUTBOX.take, ("x.example", NOW, NOW), "outbox_due"),
    # What the sweep asks, however many tickets are open.
    (SLA.next, (), "ticket_sla_next"),
    (SLA.next, (), "ticket_sla_revision"),
    (SLA.due, (NOW, 100), "ticket_sla_next"),
    (SLA.outdated, (1, 100), "ticket_sla_revision"),
    # What goes out to people and other systems.
    (DELIVERIES.take, (1, 4, NOW, NOW), "delivery_due"),
    (CALLOUTS.take, (NOW, NOW, 3), "phone_notice_due"),
    (CALLOUTS.unanswered, (NOW, 3), "phone_notice_due"),
    (CALLOUTS.drop_moot, (NOW,), "phone_notice_due"),
    (SLA.clocks, ([7],), "sla_clock_pkey"),
    (RULES.next, (), "ticket_timer_next"),
    (RULES.next, (), "task_next"),
    (RULES.due, (NOW, 50), "ticket_timer_next"),
    (RULES.following, (7, 200), "ticket_pkey"),
    (RULES.is_behind, (7,), "ticket_pkey"),
    (TASKS.due, (NOW, 100), "task_next"),
    (TASKS.blocking, (7,), "task_ticket"),
    (TASKS.left, (7,), "task_ticket"),
    (TASKS.following, (7,), "task_list"),
    # Looking through everything for what should be on offer, or no longer.
    ("select id from unoffered_tickets() order by id limit 200", (), "ticket_unowned"),
    ("select id from unoffered_tasks() order by id limit 200", (), "task_queue"),
    ("select ticket_id from offered_now() where reason is not null limit 200", (), "interaction_open"),
    # What is asked of contracts and of the value of customers, however many there are.
    (CONTRACTS.next, (), "contract_next"),
    (CONTRACTS.due, (NOW, 20), "contract_next"),
    (VALUE.next, (), "customer_value_due"),
    (VALUE.next, (), "customer_value_revision"),
    (VALUE.due, (NOW, 200), "customer_value_due"),
    ("select customer_id from address where kind = 'phone' and value = $1", ("+8613800138000",), "address_value"),
    # The company of whoever writes from a domain, or is given a name: as it is written, or by its key.
    (
        "select id from company where domains <> '{}' and merged_into is null and domains && array[$1]",
        ("firm7.example",),
        "company_domains",
    ),
    (
        "select id from company where name = $1 and merged_into is null limit 1 for key share",
        ("Firm 7",),
        "company_spelling",
    ),
    ("select company_id from company_name where key = $1", ("firm7",), "company_name_pkey"),
    # What every move of an agent asks: settle_agent, lock_hand, free_slot, interrupt.
    (
        "select channel from reservation where agent_id = $1 and state in ('pending', 'accepted')",
        (1050,),
        "reservation_slot",
    ),
    (
        "select interaction_id from reservation where agent_id = $1 and state = 'accepted'",
        (1050,),
        "reservation_slot",
    ),
    (INTERRUPTED, (1050,), "segment_pkey"),
]


async def test_each_hot_query_finds_its_rows_by_an_index(db: asyncpg.Connection) -> None:
    await db.execute(HISTORY)
    await db.execute("analyze")
    for sql, args, index in HOT:
        found = await indexes_of(db, sql, *args)
        assert any(name.startswith(index) for name in found), (sql, found)


async def test_a_router_reads_what_the_day_has_brought_by_indexes_however_many_days_there_were(
    db: asyncpg.Connection,
) -> None:
    await db.execute(DAYS)
    await db.execute("analyze reservation, segment")
    for name in ("reservation_created", "segment_started"):
        await db.execute("select brin_summarize_new_values($1::regclass)", name)
    today = datetime(2026, 3, 12, tzinfo=UTC)
    for sql, index in ((SNAPSHOT.served, "segment_started"), (SNAPSHOT.turns, "reservation_created")):
        plan = "\n".join(row[0] for row in await db.fetch(f"explain {sql}", today))
        assert index in plan, plan
        assert "Seq Scan" not in plan


async def test_the_pace_of_an_hour_is_found_by_indexes(db: asyncpg.Connection) -> None:
    await db.execute(HISTORY)
    await db.execute("insert into queue (name) values ('support')")
    await db.execute(
        "update interaction set queue_id = 1, queued_at = arrived_at, answered_at = arrived_at, closed_at = arrived_at"
    )
    await db.execute("analyze")
    await db.execute("set plan_cache_mode = force_generic_plan")
    await db.execute(f"prepare measure as {WAITS.measure}")
    plan = "\n".join(row[0] for row in await db.fetch("explain execute measure ('2026-01-04')"))
    assert "Seq Scan on interaction" not in plan
    assert "interaction_closed_at" in plan
    assert "interaction_queued_at" in plan
