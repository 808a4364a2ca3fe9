"""Tickets and their texts: rows in, rows out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from callcenter.domain.ticket import Priority, TicketState
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Queue, owner, customer and interactions by their ids."""

    id: int
    number: int
    subject: str
    state: TicketState
    priority: Priority
    category: str | None
    queue: int | None
    owner: int | None
    customer: int | None
    interactions: tuple[int, ...]
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    version: int

    def image(self) -> dict[str, Any]:
        """States and ids, for the log."""
        return {
            "state": self.state,
            "priority": self.priority,
            "queue": self.queue,
            "owner": self.owner,
            "customer": self.customer,
        }


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    kind: str
    public: bool
    text: str
    at: datetime
    author: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """None leaves a condition out."""

    state: str | None = None
    priority: str | None = None
    queue: int | None = None
    owner: int | None = None
    customer: int | None = None
    number: int | None = None


def _ticket(row: asyncpg.Record) -> Ticket:
    return Ticket(
        id=row["id"],
        number=row["number"],
        subject=row["subject"],
        state=TicketState(row["state"]),
        priority=Priority(row["priority"]),
        category=row["category"],
        queue=row["queue_id"],
        owner=row["owner_id"],
        customer=row["customer_id"],
        interactions=tuple(row["interactions"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        closed_at=row["closed_at"],
        version=row["version"],
    )


async def get(connection: Connection | Pool, ident: int) -> Ticket:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.ticket, ident)
    if row is None:
        raise NotFound(f"There is no ticket {ident}.")
    return _ticket(row)


async def many(connection: Connection, idents: Sequence[int]) -> dict[int, Ticket]:
    """By id; those that there are."""
    return {row["id"]: _ticket(row) for row in await connection.fetch(SQL.many, idents)}


def change_row(ticket: Ticket, now: datetime) -> tuple[object, ...]:
    """The arguments of the query `change`."""
    return (
        ticket.id, ticket.subject, ticket.state, ticket.priority, ticket.category, ticket.queue, ticket.owner,
        ticket.customer, now,
    )  # fmt: skip


async def find(pool: Pool, wanted: Filter, *, below: int, limit: int) -> Sequence[Ticket]:
    """The newest first, of those with ids below."""
    rows = await pool.fetch(
        SQL.list,
        below,
        wanted.state,
        wanted.priority,
        wanted.queue,
        wanted.owner,
        wanted.customer,
        wanted.number,
        limit,
    )
    return [_ticket(row) for row in rows]


async def messages(pool: Pool, ticket: int) -> Sequence[Message]:
    return [Message(*row) for row in await pool.fetch(SQL.messages, ticket)]
