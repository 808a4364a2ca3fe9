"""Promises of tickets: deadlines, a sweep that has nothing to do, one that has very much, and how late it comes."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain import sla as rules
from callcenter.domain.business import Calendar
from callcenter.domain.events import Event
from callcenter.domain.hours import Hours
from callcenter.domain.organisation_file import understand
from callcenter.feed import Feed
from callcenter.store.db import connect_pool
from callcenter.store.embedded import Embedded
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.store.sla import SQL as SWEEP
from tests.bench.figures import Row, Target, Unit, percentile
from tests.bench.ground import checkpoint, fresh_database
from tests.bench.process import Failed
from tests.bench.servers import serving

_SQL = Queries(Path(__file__).with_suffix(".sql"))
_ORGANISATION = """\
[organisation]
name = "Bench"
[[users]]
name = "sue"
full_name = "Sue"
role = "supervisor"
email = "sue@example.com"
notify = ["email"]
[[sla_policies]]
name = "all"
resolution = "8h"
escalations = [
  { clock = "resolution", at = "+0m", actions = [{ notify = "role:supervisor" }, { priority = "high" }] },
]
"""
# The sweeps look again after five seconds at most, and must have seen what was made due behind their backs.
_AHEAD = timedelta(seconds=8)
# Letters are written where mail goes out; here nobody takes it, so that only the writing is measured.
_MAIL = {
    "CALLCENTER_MAIL_HOST": "127.0.0.1",
    "CALLCENTER_MAIL_PORT": "1",
    "CALLCENTER_MAIL_SECURITY": "none",
    "CALLCENTER_MAIL_FROM": "bench@example.com",
}
_SERVERS = ("a", "b", "c")


def deadlines(*, seconds: float) -> Row:
    """Of tickets opened at any moment of a year with holidays and split days, due in up to 80 hours."""
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-12:00", "13:30-18:00"))
    calendar = Calendar(Hours.parse(timezone="Asia/Shanghai", weekly=week, holidays="CN"))
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    draw = random.Random(1)
    cases = [
        (begin + timedelta(seconds=draw.uniform(0, 364 * 86_400)), timedelta(hours=draw.uniform(0.5, 80)))
        for _ in range(1000)
    ]
    rules.reached(calendar, begin + timedelta(days=364), timedelta(hours=80), ())
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for at, amount in cases:
            rules.reached(calendar, at, amount, ())
        done += len(cases)
    took = (time.perf_counter() - began) / done * 1e3
    return Row("a deadline over a year's calendar with holidays", Unit.MS, took, target=Target(0.05))


async def promises(server: Embedded, folder: Path, *, tickets: int, due: int, trickle: int) -> list[Row]:
    """`tickets` are open; `due` of them are due in one second while a server dies; `trickle` one after the other."""
    async with fresh_database(server, "bench_sla") as dsn, await connect_pool(dsn, max_size=4) as pool:
        log = ContactLog(pool)
        file = understand(toml.parse(_ORGANISATION, "bench.toml"), {})
        await organisation.apply(log, file, prune=False, actor=None, now=datetime.now(UTC))
        async with pool.acquire() as connection:
            await connection.execute("set statement_timeout = 0")
            await connection.execute("set transaction_timeout = 0")
            for _ in range(tickets // 50_000):
                await connection.execute(_SQL.fill, 50_000, timeout=300)
            await connection.execute("vacuum analyze", timeout=300)
        await checkpoint(dsn)
        rows = [await _idle(pool, tickets)]
        async with AsyncExitStack() as stack:
            running = [
                (
                    await stack.enter_async_context(
                        serving(dsn, folder, node=name, require_console=False, settings=_MAIL)
                    )
                )[0]
                for name in _SERVERS
            ]
            late = await _trickle(pool, log, dsn, trickle)
            note = f"{trickle:,} in 10 s, {len(_SERVERS)} servers; median {percentile(late, 0.5):.0f} ms"
            rows.append(
                Row(
                    "from a due moment to the reader of the escalation, p99",
                    Unit.MS,
                    percentile(late, 0.99),
                    target=Target(500),
                    note=note,
                )
            )
            first = trickle + 1
            took = await _at_once(pool, first, first + due - 1, before=trickle, kill=running[0].kill)
        note = f"{len(_SERVERS)} servers, one killed half-way; each once: log, clocks, notices, letters, tickets"
        rows.append(
            Row(
                f"{due:,} tickets due in the same second, all escalated",
                Unit.SECONDS,
                took,
                target=Target(10),
                note=note,
            )
        )
        if wrong := await pool.fetchval(_SQL.wrong, 1, first + due - 1, timeout=120):
            raise Failed(f"{wrong} tickets were not escalated exactly once")
        return rows


async def _idle(pool: Pool, tickets: int) -> Row:
    plan = "\n".join(row[0] for row in await pool.fetch(f"explain {SWEEP.next}"))
    if "Seq Scan on ticket_sla" in plan:
        raise Failed(f"the sweep scans tickets:\n{plan}")
    times = []
    for _ in range(500):
        began = time.perf_counter()
        await pool.fetchrow(SWEEP.next)
        times.append((time.perf_counter() - began) * 1e3)
    note = f"no scan; p99 {percentile(times, 0.99):.2f} ms"
    what = f"a sweep with nothing due, {tickets:,} open tickets"
    return Row(what, Unit.MS, percentile(times, 0.5), target=Target(2), note=note)


async def _trickle(pool: Pool, log: ContactLog, dsn: str, count: int) -> list[float]:
    """Milliseconds from each moment to the arrival of its event at a reader of the log."""
    late: list[float] = []
    ready = asyncio.Event()

    def note(events: Sequence[Event]) -> None:
        now = datetime.now(UTC)
        for event in events:
            if event.kind == "ticket.escalated":
                due = datetime.fromisoformat(event.data["due_at"])
                late.append((now - due).total_seconds() * 1e3)
        if len(late) >= count:
            ready.set()

    feed = Feed(pool, log, dsn=dsn)
    await feed.start()
    feed.subscribe(note)
    tasks = [asyncio.create_task(feed.run()), asyncio.create_task(feed.listen())]
    try:
        begin = datetime.now(UTC) + _AHEAD
        await pool.execute(_SQL.make_due, 1, count, begin, timedelta(seconds=10) / count, timeout=60)
        async with asyncio.timeout(60):
            await ready.wait()
    except TimeoutError:
        raise Failed(f"{len(late)} of {count} escalations were heard of") from None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return late


async def _at_once(pool: Pool, first: int, last: int, *, before: int, kill: Callable[[], None]) -> float:
    """Seconds from the moment until all are escalated; half-way one of the servers is killed."""
    begin = datetime.now(UTC) + _AHEAD
    count = last - first + 1
    await pool.execute(_SQL.make_due, first, last, begin, timedelta(seconds=1) / count, timeout=120)
    killed = False
    async with asyncio.timeout(120):
        while (done := await pool.fetchval(_SQL.fired) - before) < count:
            if done > count / 2 and not killed:
                kill()
                killed = True
            await asyncio.sleep(0.05)
    return (datetime.now(UTC) - begin).total_seconds()
