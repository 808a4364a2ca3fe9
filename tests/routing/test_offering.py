"""The leader hears what becomes of offered tickets and tasks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from callcenter.actions import interactions, offered_work, tickets
from callcenter.domain.events import Event
from callcenter.domain.interaction import ReservationState
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from routing.leadership import Leadership
from routing.offering import Offering
from tests.builders import Floor, later, make_customer, make_floor, reserve


class Clock:
    """Tells each time that somebody looks at it."""

    def __init__(self) -> None:
        self.looks: asyncio.Queue[None] = asyncio.Queue()

    def __call__(self) -> datetime:
        self.looks.put_nowait(None)
        return later(60)


@asynccontextmanager
async def offering(pool: Pool, dsn: str, log: ContactLog, *, node: int, clock: Clock) -> AsyncIterator[None]:
    """One that leads, and has looked through everything."""
    directory = Directory(pool)
    await directory.load()
    leadership = Leadership(dsn, node=node)
    found = Offering(log, directory, leadership, clock=clock)
    log.listen(found.note)
    tasks = [asyncio.create_task(work) for work in (leadership.run(), found.run())]
    try:
        await clock.looks.get()
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def open_ticket(floor: Floor) -> int:
    ticket = await tickets.open_ticket(
        floor.log, subject="No hot water", customer=None, interaction=None, queue=floor.queue, priority="normal",
        text=None, actor=None, now=later(0),
    )  # fmt: skip
    return ticket.id


@pytest.mark.parametrize("field", ["customer", "priority"])
async def test_what_changes_while_a_ticket_is_offered_counts_as_soon_as_it_waits_again(
    pool: Pool, database: str, field: str
) -> None:
    floor, clock = await make_floor(pool, offers_tickets=True), Clock()
    customer = await make_customer(pool)
    ticket = await open_ticket(floor)
    while await offered_work.reconcile_all(floor.log, now=later(0)):
        pass
    ident = await pool.fetchval("select interaction_id from offered_work")
    offer = await reserve(floor.log, ident, floor.agent, now=later(1))
    kinds: asyncio.Queue[str] = asyncio.Queue()

    def note(events: Sequence[Event]) -> None:
        for event in events:
            if event.interaction == ident:
                kinds.put_nowait(event.kind)

    async with asyncio.timeout(20), offering(pool, database, floor.log, node=floor.node, clock=clock):
        changes = {"customer": customer} if field == "customer" else {"priority": "high"}
        await tickets.change(floor.log, ticket, changes=changes, version=None, actor=None, now=later(2))
        await clock.looks.get()
        # That looks at it while it is offered; the next look, at another ticket, begins when this one is over.
        await open_ticket(floor)
        for _ in range(2):
            await clock.looks.get()
        floor.log.listen(note)
        await interactions.return_to_queue(floor.log, offer, state=ReservationState.REJECTED, reason="", now=later(3))
        told = "interaction.revalued" if field == "customer" else "interaction.moved"
        while await kinds.get() != told:
            pass
    kept = await pool.fetchrow("select customer_id, minutes from offered_work where ticket_id = $1", ticket)
    assert kept is not None
    assert tuple(kept) == ((customer, 0) if field == "customer" else (None, 60))
