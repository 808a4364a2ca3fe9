"""What a call asks of the database finds its rows by an index, however long the history is."""

import json
from collections.abc import Sequence
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
SLA = Queries(ROOT / "callcenter" / "store" / "sla.sql")
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
insert into ticket (number, subject, created_at, updated_at)
select n, 'x', now(), now() from generate_series(1, 5000) n;
insert into ticket_sla (ticket_id, revision, next_at)
select id, 1, timestamptz '2026-03-01' + id * interval '1 minute' from ticket;
insert into sla_clock (ticket_id, clock, state, target, started_at, due_at)
select id, 'resolution', 'running', '1 day', now(), now() + id * interval '1 minute' from ticket;
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
    (SLA.clocks, ([7],), "sla_clock_pkey"),
    ("select customer_id from address where kind = 'phone' and value = $1", ("+8613800138000",), "address_value"),
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
