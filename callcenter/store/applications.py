"""What was done to the organisation's settings: one row for each application."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg

from callcenter.domain.plan import Plan
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


class Via(StrEnum):
    """Through which door."""

    FILE = "file"  # the command line
    PAGE = "page"  # the administration pages
    API = "api"


@dataclass(frozen=True, slots=True)
class Application:
    """`actor` is empty for the command line."""

    id: int
    applied_at: datetime
    actor: str
    via: Via
    lines: tuple[str, ...]


async def add(connection: Connection, plan: Plan, *, via: Via, actor: int | None, now: datetime) -> None:
    await connection.execute(SQL.add, now, actor, via, list(plan.lines()))


async def since(pool: Pool, seen: int) -> list[Application]:
    return _all(await pool.fetch(SQL.since, seen))


async def page(pool: Pool, *, below: int, limit: int) -> list[Application]:
    return _all(await pool.fetch(SQL.page, below, limit))


def _all(rows: Sequence[asyncpg.Record]) -> list[Application]:
    return [
        Application(row["id"], row["applied_at"], row["actor"], Via(row["via"]), tuple(row["lines"])) for row in rows
    ]
