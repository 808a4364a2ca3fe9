"""Interactions as other systems read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from callcenter.domain.interaction import Channel, State
from callcenter.errors import NotFound
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
# Above every id.
TOP = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`queue`, `agent` and `preferred` by name, `customer` and `ticket` by id; what has not happened yet is null.

    `language`: the one that the interaction itself asks for. `preferred`: for whom it waits, or waited, first.
    """

    id: int
    channel: str
    direction: str
    state: str
    outcome: str | None
    external_id: str | None
    customer: int | None
    queue: str | None
    agent: str | None
    ticket: int | None
    address: str | None
    address_name: str | None
    called: str | None
    subject: str | None
    priority: int
    language: str | None
    preferred: Sequence[str]
    preferred_as: str | None
    arrived_at: datetime
    queued_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    disposition: str | None
    note: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Happened:
    seq: int
    at: datetime
    kind: str
    agent: str | None
    queue: str | None
    actor: str | None
    ticket: int | None
    version: int | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Segment:
    n: int
    agent: str | None
    kind: str
    leg: str | None
    endpoint: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    hold_seconds: float
    cause: str | None


@dataclass(frozen=True, slots=True)
class Said:
    id: int
    kind: str
    text: str
    at: datetime
    author: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Item):
    timeline: Sequence[Happened]
    segments: Sequence[Segment]
    messages: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Wanted:
    """None leaves a condition out. `part_of`: only what this agent had a part in."""

    channel: Channel | None = None
    state: State | None = None
    queue: int | None = None
    agent: int | None = None
    customer: int | None = None
    part_of: int | None = None


async def find(pool: Pool, wanted: Wanted, *, below: int, limit: int) -> Sequence[Item]:
    """The newest first, of those with ids below."""
    conditions = (wanted.channel, wanted.state, wanted.queue, wanted.agent, wanted.customer)
    if wanted.part_of is not None or wanted.agent is not None:
        part_of = wanted.part_of if wanted.part_of is not None else wanted.agent
        rows = await pool.fetch(SQL.ids_of_agent, below, limit, *conditions, part_of)
    else:
        rows = await pool.fetch(_way(wanted), below, limit, *conditions)
    return await items(pool, [row["id"] for row in rows])


def _way(wanted: Wanted) -> str:
    if wanted.customer is not None:
        return SQL.ids_of_customer
    if wanted.state not in (None, State.CLOSED):
        return SQL.ids_open
    return SQL.ids_of_queue if wanted.queue is not None else SQL.ids


async def items(pool: Pool, idents: Sequence[int]) -> Sequence[Item]:
    """The newest first."""
    return [Item(**row) for row in await pool.fetch(SQL.items, list(idents))]


async def item(pool: Pool, ident: int) -> Item:
    """Raises NotFound."""
    found = await items(pool, [ident])
    if not found:
        raise NotFound(f"There is no interaction {ident}.")
    return found[0]


async def whole(pool: Pool, ident: int, *, now: datetime) -> Whole:
    """With all that happened to it. Raises NotFound."""
    rows = await pool.fetch(SQL.items, [ident])
    if not rows:
        raise NotFound(f"There is no interaction {ident}.")
    return Whole(
        **rows[0],
        timeline=[Happened(*row) for row in await pool.fetch(SQL.timeline, ident)],
        segments=[Segment(*row) for row in await pool.fetch(SQL.segments, ident, now)],
        messages=[Said(*row) for row in await pool.fetch(SQL.texts, ident)],
    )


async def with_external_id(pool: Pool, external_id: str, *, channel: Channel | None) -> Sequence[Item]:
    rows = await pool.fetch(SQL.id_of_external, external_id, channel, list(Channel))
    return await items(pool, [row["id"] for row in rows])


async def standing(pool: Pool, ident: int, *, asks: int) -> asyncpg.Record:
    """Raises NotFound."""
    row = await pool.fetchrow(SQL.standing, ident, asks)
    if row is None:
        raise NotFound(f"There is no interaction {ident}.")
    return row
