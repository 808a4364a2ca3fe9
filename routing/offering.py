"""Offers tickets and tasks that nobody has, and takes back what somebody took: a moment behind their writers."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from callcenter.actions import offered_work
from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel
from callcenter.store.db import TRY_AGAIN
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.offered_work import SQL
from routing.leadership import Leadership

log = structlog.get_logger()

# Whatever was not heard of is found by looking through everything.
_EVERY = 60.0
# What is written in one breath is looked at once.
_BREATH = 0.05
_AWAY = 0.5
_ENDS = frozenset({"interaction.closed", "interaction.abandoned"})
_OFFERED = frozenset({Channel.TICKET.value, Channel.TASK.value})


class Offering:
    """`run` is supervised; `note` subscribes to the feed. A second one that believes it leads does no harm."""

    def __init__(
        self, contact_log: ContactLog, directory: Directory, leadership: Leadership, *, clock: Callable[[], datetime]
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._leadership = leadership
        self._clock = clock
        self._wake = asyncio.Event()
        self._all = True
        self._tickets: set[int] = set()
        self._tasks: set[int] = set()
        self._returned: set[int] = set()  # offers that are to be looked at for what they are about

    def note(self, events: Sequence[Event]) -> None:
        if not self._leadership.leads:
            self._all = True
            return
        offers = self._offers
        for event in events:
            if event.noun == "organisation":
                self._all = True
            elif not offers:
                continue
            elif event.noun == "ticket" and event.ticket is not None:
                self._tickets.add(event.ticket)
            elif event.noun == "task":
                self._tasks.add(event.data["task"])
            elif _comes_back(event) and event.interaction is not None:
                self._returned.add(event.interaction)
            elif (event.kind in _ENDS or event.kind == "interaction.linked") and event.ticket is not None:
                self._tickets.add(event.ticket)
        if self._all or self._tickets or self._tasks or self._returned:
            self._wake.set()

    @property
    def _offers(self) -> bool:
        return any(queue.offers_tickets or queue.offers_tasks for queue in self._directory.queues.values())

    async def run(self) -> None:
        self._all = True  # what a crash left undone is looked at again
        while True:
            await self._leadership.gained.wait()
            self._wake.clear()
            try:
                await self._once()
            except TRY_AGAIN as error:
                log.warning("offering.database", error=repr(error))
                self._all = True
                await asyncio.sleep(_AWAY)
                continue
            try:
                async with asyncio.timeout(_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                self._all = self._all or self._offers
            else:
                await asyncio.sleep(_BREATH)

    async def _once(self) -> None:
        if self._directory.stale:
            await self._directory.load()
        now = self._clock()
        # Whatever is heard from now on is looked at again.
        tickets, self._tickets = self._tickets, set()
        tasks, self._tasks = self._tasks, set()
        returned, self._returned = self._returned, set()
        if self._all:
            self._all = False
            while await offered_work.reconcile_all(self._log, now=now):
                pass
            return
        if returned:
            for row in await self._log.pool.fetch(SQL.behind, sorted(returned)):
                if row["ticket_id"] is not None:
                    tickets.add(row["ticket_id"])
                else:
                    tasks.add(row["task_id"])
        for n in range(0, max(len(tickets), len(tasks)), offered_work.LIMIT):
            some = slice(n, n + offered_work.LIMIT)
            await offered_work.reconcile(
                self._log, tickets=sorted(tickets)[some], tasks=sorted(tasks)[some], now=self._clock()
            )


def _comes_back(event: Event) -> bool:
    """Whether an offer is over, so that what it was about may be free again; or waits again, while that may have got
    another customer or priority as somebody looked at it."""
    over = event.kind in _ENDS or (event.kind == "interaction.queued" and "returned" in event.data)
    return over and event.data.get("channel") in _OFFERED
