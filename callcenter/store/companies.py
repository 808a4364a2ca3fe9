"""Companies, their people and what these have: rows in, rows out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from callcenter.errors import NotFound
from callcenter.store.customer_merges import Merge
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """`people`: how many records of customers; `merged_into`: the company that has them now."""

    id: int
    name: str
    domains: tuple[str, ...]
    note: str | None
    people: int
    created_at: datetime
    updated_at: datetime
    version: int
    merged_into: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """`last_at`: when they were last in contact."""

    id: int
    name: str
    tier: str | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    id: int
    number: int
    subject: str
    state: str
    priority: str
    owner: str | None
    updated_at: datetime
    customer_id: int
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A contract of one of the people; `title`: its kind's."""

    id: int
    name: str
    title: str
    customer_id: int
    customer: str
    starts_on: date
    ends_on: date | None


def _company(row: asyncpg.Record) -> Company:
    return Company(**{**dict(row), "domains": tuple(row["domains"])})


async def get(connection: Connection | Pool, ident: int) -> Company:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.company, ident)
    if row is None:
        raise NotFound(f"There is no company {ident}.")
    return _company(row)


async def with_words(pool: Pool, words: Sequence[str], *, after: int, limit: int) -> list[Company]:
    """Whose name holds all of the words; without words all of them."""
    if words:
        rows = await pool.fetch(SQL.named, list(words), after, limit)
    else:
        rows = await pool.fetch(SQL.all_ids, after, limit)
    return [_company(row) for row in rows]


async def with_domain(pool: Pool, domain: str, *, after: int, limit: int) -> list[Company]:
    return [_company(row) for row in await pool.fetch(SQL.with_domain, domain, after, limit)]


async def people(pool: Pool, company: int, *, limit: int) -> list[Colleague]:
    """The newest records, whoever was in contact last first."""
    return [Colleague(**row) for row in await pool.fetch(SQL.people, company, limit)]


async def open_tickets(pool: Pool, company: int, *, limit: int) -> list[OpenTicket]:
    """The newest first."""
    return [OpenTicket(**row) for row in await pool.fetch(SQL.tickets, company, limit)]


async def contracts(pool: Pool, company: int, *, now: datetime, limit: int) -> list[InForce]:
    """Those in force, whichever ends first before the others."""
    return [InForce(**row) for row in await pool.fetch(SQL.contracts, company, now, limit)]


async def merges(pool: Pool, company: int) -> list[Merge]:
    """The latest first, at most a hundred."""
    return [Merge(*row) for row in await pool.fetch(SQL.merges, company)]
