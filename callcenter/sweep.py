"""The loop that breaches, warns and escalates in time: asleep until something is due, woken by the log."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from callcenter.actions import automations, sla, tasks
from callcenter.domain.events import Event
from callcenter.feed import Feed
from callcenter.store import rules
from callcenter.store.db import TRY_AGAIN
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.sla import SQL

log = structlog.get_logger()

# What moves a due moment is heard from the log; this covers a clock that is set forward.
_LONGEST_SLEEP = 5.0
# What is due is in the hands of another node's sweep, or the database is away.
_AGAIN = 0.05
_AWAY = 0.5
_NOUNS = frozenset({"ticket", "sla", "organisation", "task"})


class Sweeper:
    """`run` is supervised, on every node: whoever comes first does it, and the others find it done."""

    def __init__(
        self,
        contact_log: ContactLog,
        feed: Feed,
        directory: Directory,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._clock = clock
        self._wake = asyncio.Event()
        feed.subscribe(self._note)

    def _note(self, events: Sequence[Event]) -> None:
        if any(event.noun in _NOUNS for event in events):
            self._wake.set()

    def wake(self) -> None:
        """Something became due of which the log says nothing."""
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause = min(await self._once(), await self._rules())
            except TRY_AGAIN as error:
                log.warning("sweep.database", error=repr(error))
                pause = _AWAY
            if pause > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()

    async def _once(self) -> float:
        """Does what is due; seconds until there may be more."""
        row = await self._log.pool.fetchrow(SQL.next)
        assert row is not None
        now = self._clock()
        until = timedelta.max if row["next_at"] is None else row["next_at"] - now
        if until > timedelta() and not row["outdated"]:
            return min(until.total_seconds(), _LONGEST_SLEEP)
        if self._directory.stale:
            await self._directory.load()
        done = await sla.sweep(self._log, self._directory, now=now, able=self._directory.able)
        if done:
            log.info("sweep.done", tickets=done)
        return 0.0 if done else _AGAIN

    async def _rules(self) -> float:
        """The same for automations and tasks."""
        row = await self._log.pool.fetchrow(rules.SQL.next)
        assert row is not None
        now = self._clock()
        due = [moment for moment in row if moment is not None]
        if not due or min(due) > now:
            return min((min(due) - now).total_seconds(), _LONGEST_SLEEP) if due else _LONGEST_SLEEP
        if self._directory.stale:
            await self._directory.load()
        done = await tasks.sweep(self._log, self._directory, now=now)
        done += await automations.sweep(self._log, self._directory, now=now)
        done += await automations.walk(self._log, self._directory, now=now)
        return 0.0 if done else _AGAIN
