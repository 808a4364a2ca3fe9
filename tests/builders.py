"""What tests need to exist, valid by default."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from callcenter.actions import agents, interactions
from callcenter.actions.customer_import import Report, import_list
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel
from callcenter.ports import Wait
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool

NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
_numbers = count(1)


def later(seconds: float, since: datetime = NOW) -> datetime:
    return since + timedelta(seconds=seconds)


async def make_user(
    pool: Pool,
    name: str = "amy",
    *,
    role: str = "agent",
    endpoint: str | None = None,
    full_name: str | None = None,
    password_hash: str | None = None,
) -> int:
    ident: int = await pool.fetchval(
        "insert into users (name, full_name, role, endpoint, password_hash) values ($1, $2, $3, $4, $5) returning id",
        name,
        full_name or name.title(),
        role,
        endpoint or f"PJSIP/{1000 + next(_numbers)}",
        password_hash,
    )
    await pool.execute("insert into agent (user_id) values ($1)", ident)
    return ident


async def make_queue(
    pool: Pool, name: str = "support", *, numbers: Sequence[str] = (), members: Sequence[int] = (), **columns: Any
) -> int:
    names = ["name", *columns]
    places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    ident: int = await pool.fetchval(
        f"insert into queue ({', '.join(names)}) values ({places}) returning id", name, *columns.values()
    )
    for number in numbers:
        await pool.execute("insert into queue_number (number, queue_id) values ($1, $2)", number, ident)
    for member in members:
        await pool.execute("insert into queue_member (queue_id, user_id) values ($1, $2)", ident, member)
    return ident


async def a_contract(pool: Pool, customer: int) -> int:
    """One in force, that makes a customer's work two minutes older."""
    ident: int = await pool.fetchval(
        """with kind as (
            insert into contract_kind (name, title, age_shift) values ('care', 'Care', '2 minutes') returning id)
        insert into contract (customer_id, kind_id, name, starts_on, starts_at, created_at, begun_at)
        select $1, id, '', $2::timestamptz::date, $2, $2, $2 from kind returning id""",
        customer, NOW,
    )  # fmt: skip
    return ident


async def make_customer(pool: Pool, name: str = "王小明", *, phone: str | None = None, certainty: str = "known") -> int:
    ident: int = await pool.fetchval("insert into customer (name) values ($1) returning id", name)
    if phone is not None:
        await pool.execute(
            "insert into address (customer_id, kind, value, certainty) values ($1, 'phone', $2, $3)",
            ident,
            phone,
            certainty,
        )
    return ident


async def on_queue(log: ContactLog, agent: int, *, node: int | None = None, now: datetime = NOW) -> None:
    await agents.set_presence(log, agent, presence="on_queue", reason=None, actor=agent, now=now)
    if node is not None:
        await agents.open_desk(log, agent, node=node, now=now)


async def make_node(pool: Pool, name: str = "here") -> int:
    ident: int = await pool.fetchval(
        "insert into node (name, lease_until) values ($1, $2) returning id", name, later(3600)
    )
    return ident


async def arrive(
    log: ContactLog,
    *,
    queue: int | None = None,
    phone: str = "+8613800138000",
    queued: bool = True,
    node: int | None = None,
    external_id: str | None = None,
    asks: Mapping[str, Any] | None = None,
    now: datetime = NOW,
) -> int:
    external_id = external_id or f"default/{next(_numbers)}.0"
    arrival = Arrival(Channel.PHONE, external_id, "phone", phone, "Xiaoming", "95500", pbx="default", asks=asks)
    events = await interactions.arrive(log, arrival, queue=queue, queued=queued, node=node, now=now)
    return ident_of(events)


def ident_of(events: Sequence[Event]) -> int:
    ident = events[0].interaction
    assert ident is not None
    return ident


async def reserve(log: ContactLog, interaction: int, agent: int, *, now: datetime = NOW) -> int:
    events = await interactions.reserve(
        log, interaction, agent=agent, agent_version=None, reason="longest_idle", decision=None, due=later(10, now),
        now=now,
    )  # fmt: skip
    ident: int = events[0].data["reservation"]
    return ident


@dataclass(frozen=True, slots=True)
class Floor:
    """One agent on queue, one queue."""

    log: ContactLog
    agent: int
    queue: int
    node: int


async def make_floor(pool: Pool, **queue: Any) -> Floor:
    log = ContactLog(pool)
    node = await make_node(pool)
    agent = await make_user(pool)
    ident = await make_queue(pool, members=[agent], numbers=["95500"], **queue)
    await on_queue(log, agent, node=node)
    return Floor(log, agent, ident, node)


@dataclass
class FakeWaits:
    """callcenter.ports.Waits with what a test puts in."""

    waits: dict[int, Wait] = field(default_factory=dict)
    queues: dict[int, float] = field(default_factory=dict)

    def of(self, interaction: int) -> Wait | None:
        return self.waits.get(interaction)

    def for_next(self, queue: int, channel: str | None = None) -> float | None:
        return self.queues.get(queue)


def a_wait(**changes: Any) -> Wait:
    fields: dict[str, Any] = {"position": 1, "expected_seconds": 90.0, "told_seconds": 180.0}
    return Wait(**{**fields, "median_seconds": None, "p80_seconds": None, "due": None, **changes})


async def eventually(check: Callable[[], Awaitable[object]], *, within: float = 20) -> None:
    """Until a check holds that nothing else tells of; fails after `within` seconds."""
    async with asyncio.timeout(within):
        while not await check():  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # what is asked for tells nobody when it comes


async def settled(pool: Pool) -> None:
    """Until no open writer can get in front of what the log has."""

    async def nothing_beyond() -> bool:
        horizon = "xid >= pg_snapshot_xmin(pg_current_snapshot())"
        return not await pool.fetchval(f"select exists (select from contact_log where {horizon})")

    await eventually(nothing_beyond, within=60)


async def import_customers(log: ContactLog, listed: str | bytes, *, dry: bool = False) -> Report:
    """A CSV list, as somebody in China sends it."""
    raw = listed if isinstance(listed, bytes) else listed.encode()
    return await import_list(log, raw, region="CN", users=(), dry=dry, actor=None, now=NOW)
