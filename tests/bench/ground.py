"""Where everything is measured: an embedded PostgreSQL as in production, in a folder that is kept between runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from callcenter.store.embedded import Embedded
from callcenter.store.migrate import migrate

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "var" / "bench"


@asynccontextmanager
async def running(folder: Path, *, durable: bool = True) -> AsyncIterator[Embedded]:
    """The server of the benchmarks; `durable=False` only for loading: it may lose its data with the machine's power."""
    server = Embedded(folder / "data", durable=durable)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One plain connection without time limits."""
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "bench"})
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def fresh_database(server: Embedded, name: str) -> AsyncIterator[str]:
    """An empty database with the product's schema, dropped at the end; gives its address."""
    async with connected(server.dsn_of("postgres")) as admin:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name}")
        try:
            async with connected(server.dsn_of(name)) as connection:
                await migrate(connection)
                await connection.execute("select ensure_log_months(now(), 2)")
            yield server.dsn_of(name)
        finally:
            await admin.execute(f"drop database if exists {name} with (force)")


async def checkpoint(dsn: str) -> None:
    """Write down what is dirty, so that no checkpoint of earlier work falls into the next measure."""
    async with connected(dsn) as connection:
        await connection.execute("checkpoint")
