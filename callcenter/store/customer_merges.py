"""Merges of customers: rows in, rows out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Merge:
    """`source`: what was merged into the record; `by`, `undone_by`: names of users."""

    id: int
    source: int
    source_name: str
    at: datetime
    by: str | None
    undone_at: datetime | None
    undone_by: str | None


async def of_customer(pool: Pool, customer: int) -> Sequence[Merge]:
    """The latest first, at most a hundred."""
    return [Merge(*row) for row in await pool.fetch(SQL.of_customer, customer)]
