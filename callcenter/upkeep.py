"""The loop that keeps contracts and customers' value up to date: asleep until something is due, woken by the log."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from callcenter.actions import contracts, value
from callcenter.domain.events import Event
from callcenter.feed import Feed
from callcenter.store.contracts import SQL as CONTRACTS
from callcenter.store.db import TRY_AGAIN
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.value import SQL as VALUE

log = structlog.get_logger()

# Who changes a customer, a contract or the rules is heard in the log; this covers a clock that is set forward.
_LONGEST_SLEEP = 5.0
# What is due is in the hands of another node, or the database is away.
_AGAIN = 0.05
_AWAY = 0.5
_NOUNS = frozenset({"customer", "contract", "orders", "organisation"})


class Upkeep:
    """`run` is supervised, on every node: whoever comes first does it, and the others find it done.

    `tickets_moved` is called when tickets wait for the sweep of promises.
    """

    def __init__(
        self,
        contact_log: ContactLog,
        feed: Feed,
        directory: Directory,
        *,
        clock: Callable[[], datetime],
        tickets_moved: Callable[[], None],
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._clock = clock
        self._tickets_moved = tickets_moved
        self._wake = asyncio.Event()
        self._touched: set[int] = set()
        feed.subscribe(self._note)

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.noun in _NOUNS:
                self._wake.set()
            if event.customer is not None and _says_something(event):
                self._touched.add(event.customer)
                self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause = await self._once()
            except TRY_AGAIN as error:
                log.warning("upkeep.database", error=repr(error))
                pause = _AWAY
            if pause > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()

    async def _once(self) -> float:
        """Does what is due; seconds until there may be more."""
        now, pool = self._clock(), self._log.pool
        if self._directory.stale:
            await self._directory.load()
        if touched := sorted(self._touched):
            if await pool.fetchval(VALUE.has_rules):
                await value.ask(self._log, touched, now=now)
            self._touched.difference_update(touched)
        reviewed = await contracts.review(self._log, now=now)
        if reviewed > 0:
            self._tickets_moved()
        done = False
        contract_at = await pool.fetchval(CONTRACTS.next)
        if contract_at is not None and contract_at <= now:
            done |= await contracts.perform_due(self._log, self._directory, now=now) > 0
        row = await pool.fetchrow(VALUE.next)
        assert row is not None
        if row["outdated"] or (row["next_at"] is not None and row["next_at"] <= now):
            zone = ZoneInfo(self._directory.organisation.timezone)
            done |= await value.assess_due(self._log, zone=zone, now=now) > 0
        if done or reviewed > 0:
            return 0.0
        if reviewed == 0:
            return _AGAIN
        return _pause(now, contract_at, row["next_at"], behind=row["outdated"])


def _pause(now: datetime, *moments: datetime | None, behind: bool) -> float:
    """Until the next of some moments; one that is past is in another node's hands."""
    if behind:
        return _AGAIN
    waits = [(moment - now).total_seconds() for moment in moments if moment is not None]
    return min([_LONGEST_SLEEP, *(max(_AGAIN, wait) for wait in waits)])


def _says_something(event: Event) -> bool:
    """Whether it may be a sign that a customer is leaving, or is not."""
    if event.kind == "ticket.changed":
        return "category" in event.data.get("changed", ())
    return event.kind in ("ticket.opened", "survey.answered")
