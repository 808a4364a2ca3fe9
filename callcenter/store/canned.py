"""Prepared answers: those of an organisation file, and those of agents."""

from collections.abc import Sequence

from callcenter.domain.canned import Canned
from callcenter.domain.organisation import CannedEntry
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


async def read(connection: Connection) -> tuple[CannedEntry, ...]:
    return tuple(
        CannedEntry(name=row["name"], texts=dict(sorted(row["texts"].items())), queue=row["queue"])
        for row in await connection.fetch(SQL.declared)
    )


async def put(connection: Connection, wanted: Sequence[CannedEntry]) -> None:
    await drop(connection, [entry.name for entry in wanted])
    rows = [(entry.name, text, code or None, entry.queue) for entry in wanted for code, text in entry.texts.items()]
    await connection.executemany(SQL.declare, rows)


async def drop(connection: Connection, names: Sequence[str]) -> None:
    await connection.execute(SQL.withdraw, list(names))


async def for_user(pool: Pool, user: int) -> list[Canned]:
    """Of the organisation, and their own."""
    return [Canned(**row) for row in await pool.fetch(SQL.for_user, user)]
