"""Three nodes that all believe they lead: whatever they decide, nothing is offered twice and nothing is lost."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest

from callcenter.actions import interactions
from callcenter.domain.events import Event
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

# Many of both, so that each leader has a batch to carry out whenever it looks.
_AGENTS, _QUEUES, _CONTACTS = 96, 3, 600
_HANDS = 8


def clock() -> datetime:
    return datetime.now(UTC)


class Deluded(Leadership):
    """A leader who slept, was replaced, and goes on as if nothing had happened."""

    def __init__(self) -> None:
        super().__init__("", node=1)
        self.leads = True
        self.gained.set()


@asynccontextmanager
async def a_leader(dsn: str, floor: "Floor") -> AsyncIterator[Router]:
    """A router with connections and a picture of its own."""
    async with await connect_pool(dsn, max_size=6) as pool:
        log = ContactLog(pool)
        log.listen(floor.hear)
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


class Floor:
    """Agents who answer or do not; as soon as one contact is over another one comes, until it is enough."""

    def __init__(self, log: ContactLog, queues: Sequence[int]) -> None:
        self._log = log
        self._queues = queues
        self._chance = random.Random(1)
        self._offers: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self.closing = False

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.kind == "interaction.reserved":
                assert event.interaction is not None
                self._offers.put_nowait((event.data["reservation"], event.interaction))

    async def work(self) -> None:
        """One of those who serve what is offered, for ever."""
        while True:
            reservation, interaction = await self._offers.get()
            if not self.closing and self._chance.random() < 0.7:
                state = ReservationState.CANCELLED
                await interactions.return_to_queue(self._log, reservation, state=state, reason="test", now=clock())
                continue
            await interactions.answer(self._log, reservation, now=clock())
            await interactions.end_interaction(self._log, interaction, cause="customer_hangup", now=clock())
            await interactions.wrap_up(self._log, reservation, queue=None, disposition=None, note=None, now=clock())
            if not self.closing:
                await arrive(self._log, queue=self._chance.choice(self._queues), now=clock())


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
    floor = Floor(log, queues)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as hands:
        routers = [await stack.enter_async_context(a_leader(database, floor)) for _ in range(3)]
        at_work = [hands.create_task(floor.work()) for _ in range(_HANDS)]

        async def enough() -> bool:
            return sum(router.decided["reserved"] + router.decided["refused"] for router in routers) >= decisions

        async def served() -> bool:
            return not await pool.fetchval("select exists (select from interaction where closed_at is null)")

        await eventually(enough, within=600)
        assert all(router.decided["reserved"] for router in routers)
        floor.closing = True
        await eventually(served, within=60)
        for task in at_work:
            task.cancel()
    ended = replay(await whole_log(pool))
    assert ended["interaction.closed"] == await pool.fetchval("select count(*) from interaction") == ended["arrived"]
