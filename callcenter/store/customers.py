"""Customers and their addresses: rows in, rows out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.domain.customer import Address, AddressKind, Certainty
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.store.search import searched

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Customer:
    id: int
    external_id: str | None
    name: str
    company: str | None
    tier: str | None
    language: str | None
    note: str | None
    owner: str | None
    addresses: tuple[Address, ...]
    created_at: datetime
    version: int
    merged_into: int | None = None
    company_id: int | None = None


def _customer(row: asyncpg.Record) -> Customer:
    return Customer(
        id=row["id"],
        external_id=row["external_id"],
        name=row["name"],
        company=row["company"],
        tier=row["tier"],
        language=row["language"],
        note=row["note"],
        owner=row["owner"],
        addresses=tuple(
            Address(AddressKind(each["kind"]), each["value"], Certainty(each["certainty"])) for each in row["addresses"]
        ),
        created_at=row["created_at"],
        version=row["version"],
        merged_into=row["merged_into"],
        company_id=row["company_id"],
    )


async def get(connection: Connection | Pool, ident: int) -> Customer:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.customer, ident)
    if row is None:
        raise NotFound(f"There is no customer {ident}.")
    return _customer(row)


async def at_address(pool: Pool, kinds: Sequence[AddressKind], value: str, *, after: int, limit: int) -> list[Customer]:
    rows = await pool.fetch(SQL.by_address, list(kinds), value, after, limit)
    return [_customer(row) for row in rows]


async def with_words(pool: Pool, words: Sequence[str], *, after: int, limit: int) -> list[Customer]:
    """Whose name and company hold all of the words; of a single character the words that begin with it.

    Raises Invalid when it takes too long.
    """
    if not words:
        rows = await pool.fetch(SQL.all_ids, after, limit)
    else:
        rows = await searched(pool, SQL.by_words, list(words), after, limit)
    return [_customer(row) for row in rows]


async def add_addresses(connection: Connection, customer: int, addresses: Sequence[Address], *, now: datetime) -> None:
    await connection.executemany(
        SQL.add_address, [(customer, each.kind, each.value, each.certainty, now) for each in addresses]
    )
