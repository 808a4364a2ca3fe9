"""Writing a ticket, its history and its row of the log; the ticket is locked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from callcenter.store import tickets as store
from callcenter.store.log import Transaction
from callcenter.store.ticket_family import SQL as FAMILY
from callcenter.store.tickets import SQL, Ticket


async def write(
    tx: Transaction, before: Ticket, changes: Mapping[str, Any], *, actor: int | None, now: datetime
) -> Ticket:
    """As it is now, at the next version."""
    row = await tx.connection.fetchrow(SQL.change, *store.change_row(replace(before, **changes), now, actor=actor))
    assert row is not None
    return store.ticket_of(row)


async def remember(
    tx: Transaction, before: Ticket, after: Ticket, field: str, *, actor: int | None, now: datetime
) -> None:
    """A row of its history for what no column of it holds, like its interactions."""
    was, became = before.value(field), after.value(field)
    await note(tx, after, field, was, became, actor=actor, now=now)


async def note(
    tx: Transaction, ticket: Ticket, field: str, was: object, became: object, *, actor: int | None, now: datetime
) -> None:
    """The same with the values themselves."""
    await tx.connection.execute(FAMILY.remember, ticket.id, ticket.version, field, was, became, actor, now)


async def append(
    tx: Transaction,
    kind: str,
    ticket: Ticket,
    *,
    actor: int | None,
    now: datetime,
    interaction: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    await tx.append(
        kind,
        ticket=ticket.id,
        customer=ticket.customer,
        agent=ticket.owner,
        queue=ticket.queue,
        interaction=interaction,
        actor=actor,
        version=ticket.version,
        data={**ticket.image(), **(data or {})},
        now=now,
    )
