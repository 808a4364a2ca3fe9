"""Three nodes that all believe they lead: whatever they decide, nothing is offered twice and nothing is lost."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest

from callcenter.actions import interactions
from callcenter.domain.interaction import ReservationState
from callcenter.feed import Feed
from callcenter.store.db import connect_pool
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from routing.leadership import Leadership
from routing.router import Router
from tests.builders import arrive, eventually, later, make_queue, make_user, on_queue
from tests.routing.replay import replay, whole_log

_AGENTS, _QUEUES, _CONTACTS = 24, 3, 200


def clock() -> datetime:
    return datetime.now(UTC)


class Deluded(Leadership):
    """A leader who slept, was replaced, and goes on as if nothing had happened."""

    def __init__(self) -> None:
        super().__init__("", node=1)
        self.leads = True
        self.gained.set()


@asynccontextmanager
async def a_leader(dsn: str) -> AsyncIterator[Router]:
    """A router with connections and a picture of its own."""
    async with await connect_pool(dsn, max_size=6) as pool:
        log = ContactLog(pool)
        feed = Feed(pool, log, dsn=dsn)
        await feed.start()
        directory = Directory(pool)
        await directory.load()
        router = Router(log, feed, directory, Deluded(), require_console=False, clock=clock)
        tasks = [asyncio.create_task(work) for work in (feed.run(), feed.listen(), router.run())]
        try:
            yield router
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("decisions", [1_500, pytest.param(100_000, marks=pytest.mark.race)])
async def test_three_who_believe_they_lead_offer_nothing_twice_and_lose_nothing(
    pool: Pool, database: str, decisions: int
) -> None:
    log = ContactLog(pool)
    agents = [await make_user(pool, f"a{n}") for n in range(_AGENTS)]
    queues = [await make_queue(pool, f"q{n}", members=[a for a in agents if a % _QUEUES != n]) for n in range(_QUEUES)]
    for agent in agents:
        await on_queue(log, agent, now=clock())
    for n in range(_CONTACTS):
        await arrive(log, queue=queues[n % _QUEUES], now=later(n, clock()))
    async with AsyncExitStack() as stack:
        routers = [await stack.enter_async_context(a_leader(database)) for _ in range(3)]

        def made() -> int:
            return sum(router.decided["reserved"] + router.decided["refused"] for router in routers)

        floor = [asyncio.create_task(_work(log, n, queues, lambda: made() >= decisions)) for n in range(4)]
        await asyncio.gather(*floor)
        assert all(router.decided["reserved"] for router in routers)
        await eventually(lambda: _served(log), within=60)
    ended = replay(await whole_log(pool))
    assert ended["interaction.closed"] == await pool.fetchval("select count(*) from interaction") == ended["arrived"]


async def _work(log: ContactLog, number: int, queues: Sequence[int], enough: Callable[[], bool]) -> None:
    """Agents who answer or do not; as soon as one contact is over another one comes."""
    chance = random.Random(number)
    while not enough():
        for reservation, interaction in await _pending(log, number, 4):
            if chance.random() < 0.7:
                state = ReservationState.CANCELLED
                await interactions.return_to_queue(log, reservation, state=state, reason="test", now=clock())
            else:
                await _serve(log, reservation, interaction)
                await arrive(log, queue=chance.choice(queues), now=clock())
        await asyncio.sleep(0)


async def _served(log: ContactLog) -> bool:
    """Serves what is offered, until nothing is left."""
    for reservation, interaction in await _pending(log, 0, 1):
        await _serve(log, reservation, interaction)
    return not await log.pool.fetchval("select exists (select from interaction where closed_at is null)")


async def _pending(log: ContactLog, remainder: int, of: int) -> list[tuple[int, int]]:
    rows = await log.pool.fetch(
        "select id, interaction_id from reservation where state = 'pending' and id % $2 = $1", remainder, of
    )
    return [(row["id"], row["interaction_id"]) for row in rows]


async def _serve(log: ContactLog, reservation: int, interaction: int) -> None:
    await interactions.answer(log, reservation, now=clock())
    await interactions.end_interaction(log, interaction, cause="customer_hangup", now=clock())
    await interactions.wrap_up(log, reservation, queue=None, disposition=None, note=None, now=clock())
