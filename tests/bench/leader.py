"""The router and its database: how soon its state is loaded, how fast it reserves, and how soon another one leads."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from callcenter.domain.events import Event
from callcenter.store.db import connect_pool
from callcenter.store.embedded import Embedded
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from routing import snapshot
from tests.bench.figures import Row, Target, Unit, paired
from tests.bench.ground import fresh_database
from tests.bench.process import Program
from tests.bench.routed import leading
from tests.bench.servers import serving

_SQL = Queries(Path(__file__).with_suffix(".sql"))
_AGENTS, _WAITING = 10_000, 100_000
_WRITERS = 16
_BOUND = 3.0


async def reserving(server: Embedded, *, rounds: int, seconds: float) -> list[Row]:
    """A large centre whose agents are all free at once: the state is loaded, and all are given something."""
    async with fresh_database(server, "bench_leader") as own, _pool(own) as pool:
        await pool.execute("create table bench_row (id integer primary key, text text not null)")
        await pool.execute("insert into bench_row select n, 'x' from generate_series(1, 10000) n")
        async with pool.acquire() as connection:
            await connection.fetch(_SQL.fill, _AGENTS, _AGENTS // 100, _WAITING, timeout=60)
            await connection.execute("analyze", timeout=60)
        loads, rates = [], []
        for _ in range(rounds):
            begun = time.perf_counter()
            await snapshot.load(pool, require_console=False, day_began=datetime.now(UTC) - timedelta(days=1))
            loads.append(time.perf_counter() - begun)
            rates.append((await _updates(pool, seconds), await _reservations(own, pool)))
            await pool.fetchval(_SQL.put_back, timeout=60)
    size = f"{_AGENTS:,} agents, {_WAITING:,} waiting"
    return [
        Row(f"the router's state from the database, {size}", Unit.SECONDS, median(loads), target=Target(10)),
        paired(
            "reservations committed, against single-row UPDATE commits from 16 connections",
            Unit.PER_SECOND,
            rates,
            Target(1 / 5, ratio=True, least=True),
            f"one router; {size}",
        ),
    ]


async def _updates(pool: Pool, seconds: float) -> float:
    until = time.perf_counter() + seconds

    async def work(number: int) -> int:
        done = 0
        while time.perf_counter() < until:
            await pool.execute(_SQL.update_one, number * 600 + done % 500 + 1, str(done))
            done += 1
        return done

    return sum(await asyncio.gather(*(work(number) for number in range(_WRITERS)))) / seconds


async def _reservations(dsn: str, pool: Pool) -> float:
    """From the moment that it leads until every agent has been asked."""
    log = ContactLog(pool)
    asked = asyncio.Event()
    count = 0

    def note(events: Sequence[Event]) -> None:
        nonlocal count
        count += sum(event.kind == "interaction.reserved" for event in events)
        if count >= _AGENTS:
            asked.set()

    log.listen(note)
    async with leading(dsn, log):
        begun = time.perf_counter()
        async with asyncio.timeout(120):
            await asked.wait()
        return count / (time.perf_counter() - begun)


async def fail_over(server: Embedded, folder: Path, *, rounds: int) -> list[Row]:
    """Two servers; the one that leads is killed while work keeps coming: how long nobody is assigned anything."""
    gaps: list[float] = []
    async with fresh_database(server, "bench_fail_over") as own, _pool(own) as pool:
        async with pool.acquire() as connection:
            await connection.fetch(_SQL.fill, 100, 1, 10, timeout=60)
        async with AsyncExitStack() as stack:
            servers = {name: await _server(stack, own, folder, name) for name in ("a", "b")}
            coming = asyncio.create_task(_keep_busy(pool))
            stack.callback(coming.cancel)
            for _ in range(rounds):
                await _first_after(pool, datetime.now(UTC))
                name = await pool.fetchval(_SQL.leader)
                killed = datetime.now(UTC)
                servers[name].kill()
                gaps.append((await _first_after(pool, killed) - killed).total_seconds())
                servers[name] = await _server(stack, own, folder, name)
    return [
        Row(
            "fail-over: from kill -9 of the leader to the next reservation",
            Unit.SECONDS,
            max(gaps),
            target=Target(_BOUND),
            note=f"the longest of {rounds}; median {median(gaps):.2f} s",
        )
    ]


async def _server(stack: AsyncExitStack, dsn: str, folder: Path, name: str) -> Program:
    running, _, _ = await stack.enter_async_context(serving(dsn, folder, node=name, require_console=False))
    return running


async def _keep_busy(pool: Pool) -> None:
    """Work that comes, is offered and comes back, for ever."""
    while True:
        await pool.fetchval(_SQL.put_back)
        await asyncio.sleep(0.05)  # the pace at which work comes back; it is what is played


async def _first_after(pool: Pool, moment: datetime) -> datetime:
    """When a reservation was first made after a moment."""
    async with asyncio.timeout(30):
        while True:
            first: datetime | None = await pool.fetchval(_SQL.first_after, moment)
            if first is not None:
                return first
            await asyncio.sleep(0.01)  # what another process writes tells nobody here


@asynccontextmanager
async def _pool(dsn: str) -> AsyncIterator[Pool]:
    pool = await connect_pool(dsn, min_size=_WRITERS, max_size=_WRITERS)
    try:
        yield pool
    finally:
        await pool.close()
