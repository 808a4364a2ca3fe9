"""Gateways as an organisation file has them, and the rows of what comes and goes through them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from callcenter.domain.gateway_keys import GatewayTable
from callcenter.domain.organisation import GatewayEntry
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Gateway:
    id: int
    queue: int
    table: GatewayTable
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that was taken for attempt number `attempt`; `ident` is the same at each."""

    id: int
    ident: UUID
    table: GatewayTable
    secrets: Mapping[str, str] = field(repr=False)
    to: str = field(repr=False)
    text: str = field(repr=False)
    number: int | None  # of its ticket
    interaction: int
    ticket: int | None
    customer: int | None
    queue: int | None
    agent: int | None
    message: int
    attempt: int
    expires_at: datetime


async def read(connection: Connection) -> tuple[GatewayEntry, ...]:
    rows = await connection.fetch(SQL.gateways)
    return tuple(
        GatewayEntry(name=name, queue=queue, body=body, secrets=secrets) for name, queue, body, secrets in rows
    )


async def put(connection: Connection, wanted: Sequence[GatewayEntry]) -> None:
    rows = [(each.name, each.queue, dict(each.body), dict(each.secrets)) for each in wanted]
    await connection.executemany(SQL.put, rows)


async def retire(connection: Connection, names: Sequence[str]) -> None:
    await connection.execute(SQL.retire, list(names))


async def named(pool: Pool, name: str) -> Gateway:
    """Raises NotFound."""
    row = await pool.fetchrow(SQL.named, name)
    if row is None:
        raise NotFound("There is no gateway of this name.")
    return Gateway(row["id"], row["queue_id"], table_of(row["name"], row["body"], queue=row["queue"]), row["secrets"])


def table_of(name: str, body: Mapping[str, object], *, queue: str = "none") -> GatewayTable:
    return GatewayTable.model_validate({"name": name, "queue": queue, **body})


def outgoing(row: asyncpg.Record) -> Outgoing:
    """Of a row of the query `take`."""
    return Outgoing(
        id=row["id"],
        # asyncpg has a UUID class of its own, which nobody else knows.
        ident=UUID(str(row["ident"])),
        table=table_of(row["name"], row["body"]),
        secrets=row["secrets"],
        to=row["correspondent"],
        text=row["text"],
        number=row["number"],
        interaction=row["interaction_id"],
        ticket=row["ticket_id"],
        customer=row["customer_id"],
        queue=row["interaction_queue"],
        agent=row["agent_id"],
        message=row["message_id"],
        attempt=row["attempts"],
        expires_at=row["expires_at"],
    )
