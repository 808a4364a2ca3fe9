"""Tickets and their texts: rows in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import asyncpg

from callcenter.domain.ticket import Priority, TicketState
from callcenter.errors import NotFound
from callcenter.store.log import Connection, Transaction
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Queue, owner, customers, followers, parent and interactions by their ids.

    `customer` is who asked, `customers` are the others. `merged_into`: where the case goes on.
    """

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
    type: str | None = None
    tags: tuple[str, ...] = ()
    followers: tuple[int, ...] = ()
    customers: tuple[int, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    parent: int | None = None
    merged_into: int | None = None

    def value(self, name: str) -> Any:
        """Of a field as changes and history name it: `fields.serial` is the organisation's own field `serial`."""
        head, _, own = name.partition(".")
        return self.fields.get(own) if own else getattr(self, head, None)

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


def ticket_of(row: asyncpg.Record) -> Ticket:
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
        type=row["type"],
        tags=tuple(row["tags"]),
        followers=tuple(row["followers"]),
        customers=tuple(row["customers"]),
        fields=row["fields"],
        parent=row["parent_id"],
        merged_into=row["merged_into"],
    )


async def get(connection: Connection | Pool, ident: int) -> Ticket:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.ticket, ident)
    if row is None:
        raise NotFound(f"There is no ticket {ident}.")
    return ticket_of(row)


async def many(connection: Connection | Pool, idents: Sequence[int]) -> dict[int, Ticket]:
    """By id; those that there are."""
    return {row["id"]: ticket_of(row) for row in await connection.fetch(SQL.many, idents)}


async def open_new(
    tx: Transaction,
    draft: Ticket,
    *,
    interaction: int | None,
    data: Mapping[str, Any],
    actor: int | None,
    now: datetime,
) -> Ticket:
    """A draft becomes a ticket, and its interaction its own; `data`: what the log says besides states and ids."""
    said = tx.said({**draft.image(), **data})
    events = await tx.run(SQL.open, *_new_row(draft, actor, now), interaction, said)
    opened, (number,) = events[-1]
    assert opened.ticket is not None
    assert opened.version is not None
    held = () if interaction is None else (interaction,)
    return replace(
        draft,
        id=opened.ticket,
        number=number,
        version=opened.version,
        created_at=now,
        updated_at=now,
        interactions=held,
    )


def _new_row(ticket: Ticket, actor: int | None, now: datetime) -> tuple[object, ...]:
    return (
        ticket.subject, ticket.state, ticket.priority, ticket.category, ticket.queue, ticket.owner, ticket.customer,
        actor, now, ticket.type, ticket.tags, ticket.followers, ticket.customers, dict(ticket.fields), ticket.parent,
    )  # fmt: skip


def change_row(ticket: Ticket, now: datetime, *, actor: int | None = None) -> tuple[object, ...]:
    """The arguments of the query `change`."""
    return (
        ticket.id, ticket.subject, ticket.state, ticket.priority, ticket.category, ticket.queue, ticket.owner,
        ticket.customer, now, ticket.type, ticket.tags, ticket.followers, ticket.customers, dict(ticket.fields),
        ticket.parent, ticket.merged_into, actor,
    )  # fmt: skip


async def messages(pool: Pool, ticket: int) -> Sequence[Message]:
    return [Message(*row) for row in await pool.fetch(SQL.messages, ticket)]
