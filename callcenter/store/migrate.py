"""Brings a database to the shape this program needs: numbered files once each, then functions whenever they changed."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from callcenter.errors import Invalid
from callcenter.store.db import Connection
from callcenter.store.queries import Queries

_LOCK = 0x6361_6C6C  # any number that no other lock of the product has
_NUMBERED = re.compile(r"\d{4}_\w+\.sql")
_OUTSIDE = re.compile(r"^-- migrate: concurrently\s*$", re.MULTILINE)
FUNCTIONS = "functions"

_sql = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files are: `NNNN_name.sql` in one folder, `create or replace function` files in the other."""

    migrations: Path
    functions: Path

    def numbered(self) -> list[Path]:
        """The migrations, in order."""
        return sorted(path for path in self.migrations.glob("*.sql") if _NUMBERED.fullmatch(path.name))

    def functions_sql(self) -> str:
        """The function files as one text, in the order of their names."""
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.functions.glob("*.sql")))


def our_source() -> Source:
    """Look in the installed package first (a wheel carries the migrations), then in the checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "migrations"
    return Source(
        migrations=installed if installed.is_dir() else package.parent / "migrations",
        functions=package / "store" / "functions",
    )


async def migrate(conn: Connection, source: Source | None = None) -> list[str]:
    """Apply what is pending, one transaction a file, and return the names applied.

    Several programs may do so at once: one works, the others wait for it. Raises Invalid when the database has
    migrations that this program does not know, or when a file was changed after it was applied.
    """
    source = source or our_source()
    async with _alone(conn):
        await conn.execute(_sql.make_ledger)
        applied = []
        for path in await _pending_files(conn, source):
            await _apply(conn, path)
            applied.append(path.stem)
        if await _functions_differ(conn, source):
            await _apply_functions(conn, source)
            applied.append(FUNCTIONS)
        return applied


async def pending(conn: Connection, source: Source | None = None) -> list[str]:
    """Name what `migrate` would apply; raises Invalid as it does. Changes nothing."""
    source = source or our_source()
    if not await conn.fetchval(_sql.has_ledger):
        return [path.stem for path in source.numbered()] + [FUNCTIONS]
    names = [path.stem for path in await _pending_files(conn, source)]
    if await _functions_differ(conn, source):
        names.append(FUNCTIONS)
    return names


@asynccontextmanager
async def _alone(conn: Connection) -> AsyncIterator[None]:
    # Asked again and again instead of waited for: a waiting statement holds a snapshot, and an index that the
    # other program builds concurrently would wait for that snapshot, for ever.
    while not await conn.fetchval("select pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 it is another program's
        await asyncio.sleep(0.05)
    try:
        # Building an index may take long; a lock on a busy table must not be waited for with everybody behind us.
        await conn.execute("set statement_timeout = 0; set lock_timeout = '20s'")
        yield
    finally:
        if not conn.is_closed():
            await conn.execute("reset statement_timeout; reset lock_timeout")
            await conn.execute("select pg_advisory_unlock($1)", _LOCK)


async def _pending_files(conn: Connection, source: Source) -> list[Path]:
    applied = {row["name"]: row["checksum"] for row in await conn.fetch(_sql.applied)}
    files = {path.stem: path for path in source.numbered()}
    if unknown := sorted(applied.keys() - files.keys()):
        names = ", ".join(unknown)
        raise Invalid(f"The database is newer than this program: it has {names}. Install the newer program")
    for name in applied.keys() & files.keys():
        if applied[name] != _checksum(files[name].read_text(encoding="utf-8")):
            raise Invalid(f"The migration {name} was changed after it was applied; changes go into a new file")
    return [path for name, path in files.items() if name not in applied]


async def _apply(conn: Connection, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if _OUTSIDE.search(text):
        # A single statement, or PostgreSQL would wrap the file in a transaction after all.
        await _execute(conn, text, path.name)
        await conn.execute(_sql.record, path.stem, _checksum(text), [])
        return
    async with conn.transaction():
        await _free_of_time_limit(conn)
        await _execute(conn, text, path.name)
        await conn.execute(_sql.record, path.stem, _checksum(text), [])


async def _functions_differ(conn: Connection, source: Source) -> bool:
    return bool(await conn.fetchval(_sql.functions_checksum) != _checksum(source.functions_sql()))


async def _apply_functions(conn: Connection, source: Source) -> None:
    """Take away the functions of the last time and make those of this time, so that none is left over."""
    text = source.functions_sql()
    async with conn.transaction():
        await _free_of_time_limit(conn)
        for drop in [row["statement"] for row in await conn.fetch(_sql.drop_functions)]:
            await conn.execute(drop)
        await _execute(conn, text, "the functions, all files in one,")
        made = [row["signature"] for row in await conn.fetch(_sql.functions_made_now)]
        await conn.execute(_sql.record, FUNCTIONS, _checksum(text), made)


async def _execute(conn: Connection, text: str, name: str) -> None:
    if not text.strip():
        return
    try:
        await conn.execute(text)
    except asyncpg.PostgresError as error:
        line = text.count("\n", 0, int(error.position) - 1) + 1 if error.position else "?"
        raise Invalid(f"{name} line {line}: {error}") from error


async def _free_of_time_limit(conn: Connection) -> None:
    if conn.get_server_version().major >= 17:
        await conn.execute("set local transaction_timeout = 0")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def dump_schema(conn: Connection) -> str:
    """Describe the database as SQL to be read: tables with their constraints and indexes, then the functions' heads.

    Made from the catalogues, so that it is the same whatever PostgreSQL made it; months of a partitioned table are
    left out, since they come and go.
    """
    blocks = [row["sql"] for row in await conn.fetch(_sql.schema)]
    text = "\n\n".join(["-- Generated from the migrations: read this, change those.", *blocks]) + "\n"
    return text.replace("timestamp with time zone", "timestamptz").replace("'::text", "'")
