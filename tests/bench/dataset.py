"""A company with a long history: a million customers, ten million interactions, for the product and for the floor."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from callcenter.errors import Invalid
from callcenter.store.embedded import Embedded
from callcenter.store.migrate import migrate
from callcenter.store.queries import Queries
from tests.bench.ground import connected, running

_SQL = Queries.beside(__file__)
_FLOOR = Path(__file__).with_name("floor.sql")
_FLOOR_INDEXES = Path(__file__).with_name("floor_indexes.sql")
_CHUNK = 250_000
_LOADERS = 2
_LOADING = {
    # Foreign keys hold by construction; checking twenty million of them takes longer than loading.
    "session_replication_role": "replica",
    "maintenance_work_mem": "1GB",
    "max_parallel_maintenance_workers": "2",
    "synchronous_commit": "off",
}

_SURNAMES_ZH = list("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗")
_GIVEN_ZH = ["伟", "芳", "秀英", "敏", "静", "丽华", "强", "磊", "建国", "洋", "艳"]
_GIVEN = ["Anna", "Ben", "Carla", "David", "Elena", "Frank", "Grace", "Henry", "Irene", "Jack", "Karin"]
_SURNAMES = ["Adams", "Becker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Ivanov", "Jones", "Keller"]
_LOADED = ("customer", "address", "interaction", "ticket", "floor.customer", "floor.phone", "floor.interaction")

# A statement and its arguments.
Job = tuple[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much history; `customers` and `interactions` at least 100."""

    customers: int = 1_000_000
    interactions: int = 10_000_000
    agents: int = 1_000

    @property
    def database(self) -> str:
        return f"bench_{self.customers}_{self.interactions}_{self.agents}"


SMALL = Sizes(customers=10_000, interactions=100_000)


async def prepare(folder: Path, sizes: Sizes, *, say: Callable[[str], None]) -> None:
    """Load the data set unless an earlier run has left it in `folder` and its schema is still ours."""
    async with running(folder) as server:
        if await _usable(server, sizes):
            return
    begun = time.monotonic()
    say(f"loading {sizes.customers:,} customers and {sizes.interactions:,} interactions; kept in {folder}")
    async with running(folder, durable=False) as server:
        await _load(server, sizes)
    await asyncio.to_thread(os.sync)
    say(f"loaded in {time.monotonic() - begun:.0f} s")


async def clear(dsn: str, sizes: Sizes) -> None:
    """Take away what measurements have written."""
    async with connected(dsn) as connection:
        clear = _SQL.clear.replace("{loaded}", str(sizes.interactions)).replace("{cases}", str(sizes.customers // 10))
        await connection.execute(clear)


def phone_of(customer: int) -> str:
    """The number of a loaded customer, from 1 on."""
    return f"+86138{customer - 1:08d}"


def agent_name(number: int) -> str:
    """The sign-in name of a loaded agent, from 1 on."""
    return f"agent{number:04d}"


async def _usable(server: Embedded, sizes: Sizes) -> bool:
    async with connected(server.dsn_of("postgres")) as admin:
        if not await admin.fetchval("select true from pg_database where datname = $1", sizes.database):
            return False
    async with connected(server.dsn_of(sizes.database)) as connection:
        if not await connection.fetchval("select to_regclass('floor.loaded') is not null"):
            return False
        if await connection.fetchval("select sql from floor.loaded") != _definition():
            return False
        try:
            await migrate(connection)
        except Invalid:  # a migration that is not released yet was rewritten
            return False
        await connection.execute("select ensure_log_months(now(), 2)")
    return True


async def _load(server: Embedded, sizes: Sizes) -> None:
    async with connected(server.dsn_of("postgres")) as admin:
        await admin.execute(f"drop database if exists {sizes.database} with (force)")
        await admin.execute(f"create database {sizes.database}")
    await fill(server.dsn_of(sizes.database), sizes)


async def fill(dsn: str, sizes: Sizes) -> None:
    """Load an empty or just migrated database, product and floor; needs a superuser."""
    async with connected(dsn) as connection:
        await migrate(connection)
        await connection.execute("select ensure_log_months(now(), 2)")
        await connection.execute(_FLOOR.read_text())
        await _load_tables(dsn, connection, sizes)
        await connection.execute(_FLOOR_INDEXES.read_text())
        await connection.execute(f"alter sequence floor.interaction_id restart {sizes.interactions + 1}")
        # Frozen rows: no later reader writes hint bits, and autovacuum finds nothing to do.
        for table in _LOADED:
            await connection.execute(f"vacuum (freeze, analyze) {table}")
        await connection.execute("create table floor.loaded (sql text)")
        await connection.execute("insert into floor.loaded values ($1)", _definition())
        await connection.execute("checkpoint")


async def _load_tables(dsn: str, connection: asyncpg.Connection, sizes: Sizes) -> None:
    await _prepare_loader(connection)
    indexes = await connection.fetch(_SQL.secondary_indexes)
    for index in indexes:
        await connection.execute(f"drop index {index['name']}")
    await connection.execute(_SQL.agents, sizes.agents)
    queue = await connection.fetchval(_SQL.queue)
    jobs: list[Job] = []
    names = (_SURNAMES_ZH, _GIVEN_ZH, _GIVEN, _SURNAMES)
    for first, last in _chunks(sizes.customers):
        jobs.append((_SQL.customers, (first, last, *names)))
        jobs.append((_SQL.addresses, (first, last)))
    for first, last in _chunks(sizes.interactions):
        known = (sizes.interactions, sizes.customers, sizes.agents, queue)
        jobs.append((_SQL.interactions, (first, last, *known)))
    await _in_turn(dsn, jobs)
    await connection.execute(_SQL.tickets, sizes.customers, queue)
    await connection.execute(_SQL.sequences)
    await _in_turn(dsn, [(_SQL.floor_rows, ()), *((index["definition"], ()) for index in indexes)])


def _chunks(total: int) -> list[tuple[int, int]]:
    return [(first, min(first + _CHUNK - 1, total)) for first in range(1, total + 1, _CHUNK)]


async def _in_turn(dsn: str, jobs: list[Job]) -> None:
    """Run the jobs, in order, on as many connections as the machine has processors for."""
    waiting = iter(jobs)

    async def load() -> None:
        async with connected(dsn) as connection:
            await _prepare_loader(connection)
            for statement, arguments in waiting:
                await connection.execute(statement, *arguments)

    await asyncio.gather(*(load() for _ in range(_LOADERS)))


async def _prepare_loader(connection: asyncpg.Connection) -> None:
    for name, value in _LOADING.items():
        await connection.execute(f"set {name} = '{value}'")


def _definition() -> str:
    """What the loaded rows are made of; another text means that they must be loaded again."""
    return "\n".join(path.read_text() for path in (Path(__file__).with_suffix(".sql"), _FLOOR, _FLOOR_INDEXES))
