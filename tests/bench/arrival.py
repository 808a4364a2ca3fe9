"""What a call's arrival costs the database, and how fast the contact log takes and hands on events."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence, Set
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import uvloop

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel
from callcenter.feed import Feed
from callcenter.store.db import connect_pool
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.bench.dataset import phone_of
from tests.bench.figures import Row, Target, Unit, paired, percentile
from tests.bench.process import program, python

_MOST = 2.5
_ONE_ROW = "insert into bench_row (at, text) values ($1, $2)"


async def arrivals(dsn: str, *, customers: int, rounds: int, calls: int) -> list[Row]:
    """Call arrival in one round trip beside a single-row INSERT commit, both through the product's pool."""
    pool = await connect_pool(dsn, min_size=16, max_size=16)
    try:
        await pool.execute(
            "create table if not exists bench_row (id bigint generated always as identity primary key,"
            " at timestamptz not null, text text not null)"
        )
        queue = await pool.fetchval("select min(id) from queue")
        log = ContactLog(pool)
        numbers = count(1)
        run = time.time_ns()

        async def insert() -> None:
            await pool.execute(_ONE_ROW, datetime.now(UTC), phone_of(1 + next(numbers) % customers))

        async def arrive() -> None:
            number = next(numbers)
            events = await _arrive(log, f"bench/{run}.{number}", phone_of(1 + number * 7_919 % customers), queue)
            assert len(events) == 2

        latencies = [(await _alone(insert, calls), await _alone(arrive, calls)) for _ in range(rounds)]
        rates = [(await _together(insert, calls * 4), await _together(arrive, calls * 4)) for _ in range(rounds)]
        return [
            paired(
                "call arrival in one round trip, p50, against a single-row INSERT commit",
                Unit.MS,
                latencies,
                Target(_MOST, ratio=True),
            ),
            paired("the same from 16 connections at once", Unit.PER_SECOND, rates),
        ]
    finally:
        await pool.execute("drop table if exists bench_row")
        await pool.close()


async def _arrive(log: ContactLog, key: str, phone: str, queue: int) -> Sequence[Event]:
    arrival = Arrival(Channel.PHONE, key, "phone", phone, called="95500", pbx="bench", leg="PJSIP/trunk-00000001")
    return await interactions.arrive(log, arrival, queue=queue, queued=True, node=None, now=datetime.now(UTC))


async def _alone(act: Callable[[], Awaitable[None]], times: int) -> float:
    """Milliseconds of one act, p50, one after the other."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        await act()
        taken.append((time.perf_counter() - begun) * 1e3)
    return percentile(taken, 0.5)


async def _together(act: Callable[[], Awaitable[None]], times: int) -> float:
    """Acts a second from 16 connections."""
    left = iter(range(times))

    async def work() -> None:
        for _ in left:
            await act()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(16)))
    return times / (time.perf_counter() - begun)


async def contact_log(dsn: str, folder: Path, *, writers: int, seconds: float) -> list[Row]:
    """Writers as fast as they can; what a reader in the same process and one in another process see, and how late."""
    async with program(*python("tests.bench.arrival", dsn, "read"), name="reader", folder=folder) as reader:
        await reader.line("ready", within=20)
        async with program(
            *python("tests.bench.arrival", dsn, "write", str(writers), str(seconds)), name="writer", folder=folder
        ) as writer:
            wrote = json.loads(await writer.output(within=seconds + 60))
        await reader.end_of_input()
        read = json.loads(await reader.output(within=30))
    committed: dict[str, int] = wrote["committed"]
    rows = [
        Row(
            f"contact log, {writers} concurrent writers",
            Unit.PER_SECOND,
            wrote["transactions"] / wrote["seconds"],
            note="two events a transaction, fsync on",
        )
    ]
    for where, seen in (("the same process", wrote["seen"]), ("another process", read["seen"])):
        missed = len(committed.keys() - seen.keys())
        delays = [max(0.0, (seen[seq] - at) / 1e6) for seq, at in committed.items() if seq in seen]
        note = "0 missed" if not missed else f"**{missed} missed**"
        rows += [
            Row(f"from commit to a reader in {where}, {name}", Unit.MS, percentile(delays, share), note=note)
            for name, share in (("p50", 0.5), ("p99", 0.99))
        ]
    return rows


class _Reader:
    """The cursor reader of a node; notes when it delivered which event."""

    def __init__(self, dsn: str, pool: Pool) -> None:
        self.log = ContactLog(pool)
        self.feed = Feed(pool, self.log, dsn=dsn, clock=lambda: datetime.now(UTC))
        self.seen: dict[int, int] = {}
        self.feed.subscribe(self._note)
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()

    async def start(self) -> None:
        await self.feed.start()
        self._tasks = [asyncio.create_task(self.feed.run()), asyncio.create_task(self.feed.listen())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def caught_up(self, seqs: Set[int]) -> None:
        """Until all of these have been delivered."""
        while not seqs <= self.seen.keys():
            self._news.clear()
            await self._news.wait()

    def _note(self, events: Sequence[Event]) -> None:
        now = time.monotonic_ns()
        self.seen |= {event.seq: now for event in events}
        self._news.set()


async def _read(dsn: str) -> None:
    pool = await connect_pool(dsn, max_size=2)
    reader = _Reader(dsn, pool)
    await reader.start()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await reader.stop()
    await pool.close()
    print(json.dumps({"seen": reader.seen}))


async def _write(dsn: str, writers: int, seconds: float) -> None:
    pool = await connect_pool(dsn, min_size=writers + 2, max_size=writers + 2)
    reader = _Reader(dsn, pool)
    await reader.start()
    queue = await pool.fetchval("select min(id) from queue")
    committed: dict[int, int] = {}
    run, transactions = time.time_ns(), 0
    begun = time.perf_counter()

    async def work(lane: int) -> None:
        nonlocal transactions
        number = 0
        while time.perf_counter() - begun < seconds:
            number += 1
            phone = phone_of(1 + (lane * 100_003 + number * 7_919) % 10_000)
            events = await _arrive(reader.log, f"bench/{run}.{lane}.{number}", phone, queue)
            now = time.monotonic_ns()
            committed.update((event.seq, now) for event in events)
            transactions += 1

    await asyncio.gather(*(work(lane) for lane in range(writers)))
    taken = time.perf_counter() - begun
    async with asyncio.timeout(20):
        await reader.caught_up(committed.keys())
    await reader.stop()
    await pool.close()
    print(json.dumps({"transactions": transactions, "seconds": taken, "committed": committed, "seen": reader.seen}))


def main() -> None:
    """`DSN read` or `DSN write WRITERS SECONDS`: the two processes of `contact_log`."""
    dsn, role, *rest = sys.argv[1:]
    if role == "read":
        uvloop.run(_read(dsn))
    else:
        uvloop.run(_write(dsn, int(rest[0]), float(rest[1])))


if __name__ == "__main__":
    main()
