"""The reader misses nothing and sees each aggregate's events in order, whoever else writes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from callcenter import feed as feeds
from callcenter.actions import agents
from callcenter.domain.events import Event
from callcenter.feed import Feed, Signal
from callcenter.store.db import connect_pool
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.builders import NOW, arrive, eventually, make_queue, make_user


@asynccontextmanager
async def reading(pool: Pool, log: ContactLog, dsn: str) -> AsyncIterator[Feed]:
    feed = Feed(pool, log, dsn=dsn)
    await feed.start()
    tasks = [asyncio.create_task(feed.run())]
    try:
        yield feed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_sixteen_writers_are_read_without_a_miss_or_an_inversion(database: str) -> None:
    async with await connect_pool(database, min_size=17, max_size=17) as pool:
        log = ContactLog(pool)
        users = [await make_user(pool, f"a{n}") for n in range(4)]
        queue = await make_queue(pool)
        async with reading(pool, log, database) as feed:
            seen: list[Event] = []
            feed.subscribe(seen.extend)

            async def writer(n: int) -> None:
                for i in range(60):
                    agent = users[(n + i) % 4]
                    presence = ("break", "on_queue")[i % 2]
                    await agents.set_presence(log, agent, presence=presence, reason=None, actor=agent, now=NOW)
                    if i % 5 == 0:
                        await arrive(log, queue=queue)

            await asyncio.gather(*(writer(n) for n in range(16)))
            expected: int = await pool.fetchval("select count(*) from contact_log")
            async with asyncio.timeout(20):
                while len(seen) < expected:
                    await feed.read()
    assert len(seen) == len({event.seq for event in seen}) == expected
    versions: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    for event in seen:
        aggregate = event.agent if event.noun == "agent" else event.interaction
        versions[event.noun, aggregate].append(event.version or 0)
    for numbers in versions.values():
        assert numbers == sorted(numbers)
    for agent in users:
        assert versions["agent", agent] == list(range(1, len(versions["agent", agent]) + 1))


async def test_an_unrelated_open_writer_delays_an_event_only_until_it_ends(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_POLL", 60.0)  # so that it is not the poll that finds it, on a slow machine either
    log = ContactLog(pool)
    agent = await make_user(pool)
    blocker = await asyncpg.connect(database)
    try:
        async with reading(pool, log, database) as feed:
            got = asyncio.Event()
            feed.subscribe(lambda _: got.set())
            transaction = blocker.transaction()
            await transaction.start()
            await blocker.execute("create table unrelated (n int)")
            await agents.set_presence(log, agent, presence="busy", reason=None, actor=agent, now=NOW)
            assert await feed.read()  # rows exist beyond the horizon
            assert not got.is_set()
            await transaction.commit()
            # No bell is rung by the stranger's commit, and the slow poll is a minute away.
            async with asyncio.timeout(20):
                await got.wait()
    finally:
        await blocker.close()


async def test_a_server_that_starts_while_others_write_begins_no_new_life_of_the_log(pool: Pool, database: str) -> None:
    log = ContactLog(pool)
    agent = await make_user(pool)
    epoch = await pool.fetchval("select note_cluster()")
    starting = await asyncpg.connect(database)
    try:
        async with starting.transaction():
            await starting.fetchval("select pg_current_xact_id()")
            await agents.set_presence(log, agent, presence="busy", reason=None, actor=agent, now=NOW)
            assert await starting.fetchval("select note_cluster()") == epoch
    finally:
        await starting.close()


async def test_xids_from_the_future_begin_a_new_life_of_the_log(pool: Pool) -> None:
    epoch = await pool.fetchval("select note_cluster()")
    await pool.execute("insert into contact_log (xid, kind, at) values ('900000000', 'agent.presence', $1)", NOW)
    assert await pool.fetchval("select note_cluster()") == epoch + 1


async def test_a_month_that_is_made_late_takes_what_was_written_before_it_was_there(pool: Pool) -> None:
    log = ContactLog(pool)
    agent = await make_user(pool)
    await agents.set_presence(log, agent, presence="busy", reason=None, actor=agent, now=NOW)
    assert await pool.fetchval("select ensure_log_months($1, 2)", NOW) == 2
    assert await pool.fetchval("select ensure_log_months($1, 2)", NOW) == 0
    assert await pool.fetchval("select tableoid::regclass::text from contact_log") == "contact_log_2026_03"


async def test_signals_reach_every_node_once_and_leave_nothing_behind(pool: Pool, database: str) -> None:
    log = ContactLog(pool)
    here, there = Feed(pool, log, dsn=database), Feed(pool, log, dsn=database)
    heard: dict[str, list[Signal]] = {"here": [], "there": []}
    arrived = asyncio.Event()
    here.hear(heard["here"].append)
    there.hear(heard["there"].append)
    there.hear(lambda signal: arrived.set() if signal.what == "last" else None)
    bells = [asyncio.create_task(feed.listen()) for feed in (here, there)]

    async def both_listen() -> bool:
        return here._bell is not None and there._bell is not None

    try:
        await eventually(both_listen)
        said = [Signal(7, "typing", "visitor"), Signal(8, "typing", "agent"), Signal(7, "last", "visitor")]
        for signal in said:
            here.signal(signal)
        assert heard["here"] == said
        async with asyncio.timeout(20):
            await arrived.wait()
        assert heard == {"here": said, "there": said}
    finally:
        for bell in bells:
            bell.cancel()
        await asyncio.gather(*bells, return_exceptions=True)
