"""Tickets and tasks that nobody has, as work of their queue: offering them, taking offers back, and accepting one."""

from collections.abc import Collection
from datetime import datetime

from callcenter.actions import tasks, tickets
from callcenter.domain.events import Event
from callcenter.domain.task import TaskState
from callcenter.domain.ticket import OVER
from callcenter.errors import Conflict
from callcenter.store import tasks as task_rows
from callcenter.store import tickets as ticket_rows
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.offered_work import SQL

# Of each kind in one transaction, which holds their locks.
LIMIT = 200
_GONE = "This offer is no longer open."


async def reconcile(
    log: ContactLog, *, tickets: Collection[int], tasks: Collection[int], now: datetime
) -> tuple[Event, ...]:
    """These are on offer from now on where they should be, and only there."""
    return await log.write("reconcile_offers", sorted(tickets), sorted(tasks), now)


async def reconcile_all(log: ContactLog, *, now: datetime) -> int:
    """Whatever is not as it should be, LIMIT of each kind; how much was put right. 0: there is nothing left."""
    row = await log.pool.fetchrow(SQL.amiss, LIMIT)
    assert row is not None
    if not row["tickets"] and not row["tasks"]:
        return 0
    return len(await reconcile(log, tickets=row["tickets"], tasks=row["tasks"], now=now))


async def accept(
    log: ContactLog, directory: Directory, interaction: int, *, reservation: int, agent: int, now: datetime
) -> tuple[Event, ...]:
    """The agent has it in hand, and owns the ticket, or has the task, from now on.

    Raises Conflict when the offer is over or somebody else has it by now, Invalid when it may not change hands so.
    """
    async with log.transaction() as tx:
        about = await tx.connection.fetchrow(SQL.about, interaction)
        if about is None:
            raise Conflict(_GONE)
        # All locks come before the first write: what `answer` moves, then what the offer is about.
        await tx.connection.execute(SQL.lock_hand, interaction, agent)
        ticket: int | None = about["ticket_id"] or about["task_ticket"]
        if ticket is not None:
            await tx.lock_ticket(ticket)
        if not await tx.verb("answer", reservation, None, now):
            raise Conflict(_GONE)
        if about["ticket_id"] is not None:
            await _own(tx, about["ticket_id"], agent=agent, now=now)
        else:
            await _take(tx, directory, about["task_id"], agent=agent, now=now)
    return tuple(tx.events)


async def _own(tx: Transaction, ticket: int, *, agent: int, now: datetime) -> None:
    found = await ticket_rows.get(tx.connection, ticket)
    if found.owner not in (None, agent) or found.merged_into is not None or found.state in OVER:
        raise Conflict(_GONE)
    await tickets.change(tx, ticket, changes={"owner": agent}, version=None, actor=agent, now=now)


async def _take(tx: Transaction, directory: Directory, task: int, *, agent: int, now: datetime) -> None:
    found = await task_rows.get(tx.connection, task)
    if found.user not in (None, agent) or found.state is not TaskState.OPEN:
        raise Conflict(_GONE)
    await tasks.change(tx, directory, task, changes={"user": agent}, version=None, actor=agent, now=now)
