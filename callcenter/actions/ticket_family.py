"""Parents and children among tickets, and who hears of what happens to one."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from callcenter.domain.ticket import OVER
from callcenter.errors import Conflict, Invalid
from callcenter.store.log import Transaction
from callcenter.store.ticket_family import SQL
from callcenter.store.tickets import Ticket

# A longer line says that something else was meant.
DEEPEST = 10


class Children(StrEnum):
    """What becomes of open children when their parent is resolved or closed."""

    REFUSE = "refuse"  # the parent waits for them
    LEAVE = "leave"  # they stay as they are
    RESOLVE = "resolve"  # they are resolved with it, all or none


async def lock(tx: Transaction, *tickets: int | None, below: int | None = None) -> None:
    """Tickets in the order in which all lock them; `below`: with the open ones below that one."""
    wanted = {ticket for ticket in tickets if ticket is not None}
    if below is not None:
        wanted |= {row["id"] for row in await tx.connection.fetch(SQL.open_below, below)}
    for ident in sorted(wanted):
        await tx.lock_ticket(ident)


async def check_parent(tx: Transaction, ticket: Ticket, parent: Ticket) -> None:
    """Both are locked, and so are families.

    Raises Invalid for a circle, and Conflict for an open child of a parent that is over.
    """
    await check_unmerged(tx, parent)
    if parent.state in OVER and ticket.state not in OVER:
        raise Conflict(f"#{parent.number} is {parent.state}; reopen it first.")
    line = [row["number"] for row in await tx.connection.fetch(SQL.above, parent.id)]
    if ticket.number in line:
        way = " → ".join(f"#{number}" for number in [ticket.number, *line[: line.index(ticket.number) + 1]])
        raise Invalid(f"A ticket cannot be above itself: {way}.", field="parent")
    below = await tx.connection.fetchval(SQL.depth_below, ticket.id)
    if len(line) + 1 + below > DEEPEST:
        raise Invalid(f"Tickets stand at most {DEEPEST} levels below each other.", field="parent")


async def check_unmerged(tx: Transaction, *tickets: Ticket) -> None:
    """Raises Conflict for the first one whose case goes on in another ticket."""
    for ticket in tickets:
        if ticket.merged_into is not None:
            number = await tx.connection.fetchval(SQL.number_of, ticket.merged_into)
            raise Conflict(f"#{ticket.number} was merged into #{number}; go on there.")


async def tell(tx: Transaction, kind: str, ticket: Ticket, users: Iterable[int | None], *, now: datetime) -> list[int]:
    """Who got a notice; who has an unseen one that says the same gets no second."""
    wanted = sorted({user for user in users if user is not None})
    if not wanted:
        return []
    return [row["user_id"] for row in await tx.connection.fetch(SQL.tell, ticket.id, wanted, kind, now)]
