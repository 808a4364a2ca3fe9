"""A node that believes it leads, whatever the others do: a router of its own, and people who take what it offers.

Says `ready`; when its input ends it lets everything come to an end and prints how many decisions were carried out and
how many refused.
"""

import asyncio
import json
import logging
import random
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from callcenter.actions import interactions
from callcenter.domain.events import Event
from callcenter.domain.interaction import Arrival, Channel, ReservationState
from callcenter.feed import Feed
from callcenter.store.db import TRY_AGAIN, connect_pool
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from routing.leadership import Leadership
from routing.router import Router
from tests.builders import eventually

CHANNELS = (Channel.PHONE, Channel.CHAT)
_HANDS = 3


def clock() -> datetime:
    return datetime.now(UTC)


class Deluded(Leadership):
    """A leader who slept, was replaced, and goes on as if nothing had happened."""

    def __init__(self) -> None:
        super().__init__("", node=1)
        self.leads = True
        self.gained.set()


async def come(log: ContactLog, queue: int, channel: Channel) -> None:
    """Somebody whom nobody knows."""
    arrival = Arrival(channel, None, None, None)
    await interactions.arrive(log, arrival, queue=queue, queued=True, node=None, now=clock())


class Floor:
    """Agents who answer or do not; as soon as one contact is over another one comes, until it is enough."""

    def __init__(self, log: ContactLog, queues: Sequence[int], seed: int) -> None:
        self._log = log
        self._queues = queues
        self._chance = random.Random(seed)
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
                await come(self._log, self._chance.choice(self._queues), self._chance.choice(CHANNELS))


async def _race(dsn: str, seed: int) -> None:
    async with await connect_pool(dsn, max_size=8) as pool:
        log = ContactLog(pool)
        queues = [row["id"] for row in await pool.fetch("select id from queue order by id")]
        floor = Floor(log, queues, seed)
        log.listen(floor.hear)
        feed = Feed(pool, log, dsn=dsn)
        await feed.start()
        directory = Directory(pool)
        await directory.load()
        router = Router(log, feed, directory, Deluded(), require_console=False, clock=clock)

        async def listen() -> None:
            # On a machine that is busy elsewhere the doorbell may be late, and is hung up anew as its supervisor would.
            while True:
                with suppress(*TRY_AGAIN):
                    await feed.listen()

        async def served() -> bool:
            return not await pool.fetchval("select exists (select from interaction where closed_at is null)")

        async def until_served() -> None:
            await asyncio.to_thread(sys.stdin.read)
            floor.closing = True
            await eventually(served, within=120)

        tasks = [
            asyncio.create_task(work)
            for work in (feed.run(), listen(), router.run(), *(floor.work() for _ in range(_HANDS)))
        ]
        print("ready", flush=True)
        ending = asyncio.create_task(until_served())
        try:
            done, _ = await asyncio.wait([ending, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # none of the others ends but by a failure
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        print(json.dumps(router.decided))


if __name__ == "__main__":
    # Only the sums go to standard output, and of refusals there are many.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    asyncio.run(_race(sys.argv[1], int(sys.argv[2])))
