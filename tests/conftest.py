"""What every test may ask for: a database of its own, a moment in time, and an end without anything left behind."""

import asyncio
import hashlib
import inspect
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import hypothesis
import pytest
import uvloop

from callcenter.store import migrate
from callcenter.store.db import connect, connect_pool
from callcenter.store.embedded import Embedded
from callcenter.store.pool import Pool
from tests.databases import Databases, Pristine

T = TypeVar("T")

HOME = "CALLCENTER_TESTS_HOME"  # where this run's servers keep their data
_ROOM = 4 * 1024**3  # bytes
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
SERVER = "CALLCENTER_TESTS_DATABASE_URL"  # a server to use instead of the embedded one


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of the servers of this run."""
    if HOME not in os.environ:
        home = tempfile.mkdtemp(prefix="callcenter-tests-", dir=_in_memory())
        Path(home).chmod(0o755)  # as root the server runs as another user
        os.environ[HOME] = home
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(HOME), ignore_errors=True))


def _in_memory() -> Path | None:
    """A folder without a disk, if there is room: a database is a thousand files, made in 35 ms and not in a second."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else None


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: whole servers in tests wait for each other half of the time."""
    return (os.cpu_count() or 1) + 1


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """Test on the loop that serves."""
    return {"uvloop": uvloop.new_event_loop}


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL with a migrated template database."""

    dsn_of: Callable[[str], str]
    template: str


@pytest.fixture(scope="session")
def server(worker_id: str) -> Iterator[Server]:
    """Give this worker's server: in one that all share, each open transaction would hold back the others' logs."""
    if url := os.environ.get(SERVER):
        yield _with_template(lambda name: urlsplit(url)._replace(path=f"/{name}").geturl())
        return
    embedded = Embedded(Path(os.environ[HOME]) / worker_id, durable=False)
    embedded.start_server()
    try:
        yield _with_template(embedded.dsn_of)
    finally:
        embedded.stop_server()


def _with_template(dsn_of: Callable[[str], str]) -> Server:
    source = migrate.our_source()
    files = [path.read_bytes() for path in source.numbered()]
    digest = hashlib.sha256(b"\0".join([*files, source.functions_sql().encode()])).hexdigest()[:12]
    template = f"callcenter_template_{digest}"
    _in_a_loop_of_its_own(_make_template(dsn_of, template))
    return Server(dsn_of=dsn_of, template=template)


async def _make_template(dsn_of: Callable[[str], str], template: str) -> None:
    admin = await asyncpg.connect(dsn_of("postgres"))
    try:
        await admin.execute("select pg_advisory_lock(1)")
        if await admin.fetchval("select true from pg_database where datname = $1", template):
            return
        await admin.execute("drop database if exists callcenter_unfinished")
        await admin.execute("create database callcenter_unfinished")
        conn = await connect(dsn_of("callcenter_unfinished"))
        try:
            await migrate.migrate(conn)
            # As every server does when it starts: a database that a server has changed could not be used again.
            await conn.execute("select ensure_log_months(now(), 4)")
        finally:
            await conn.close()
        await admin.execute(f"alter database callcenter_unfinished rename to {template}")
    finally:
        await admin.close()


def _in_a_loop_of_its_own(work: Awaitable[T]) -> T:
    async def run() -> T:
        return await work

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()


@pytest.fixture(scope="session")
def databases(server: Server) -> Iterator[Databases]:
    """Give the databases of this worker, each used by one test after the other."""
    databases = Databases(server.dsn_of, server.template, _in_a_loop_of_its_own(_pristine(server)))
    yield databases
    _in_a_loop_of_its_own(databases.close())


async def _pristine(server: Server) -> Pristine:
    conn = await asyncpg.connect(server.dsn_of(server.template))
    try:
        return await Pristine.of(conn)
    finally:
        await conn.close()


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[str]:
    """Give the address of a migrated database that is this test's alone."""
    async with databases.one() as dsn:
        yield dsn


@pytest.fixture
async def empty_database(databases: Databases) -> AsyncIterator[str]:
    """Give the address of a database without anything in it."""
    async with databases.empty() as dsn:
        yield dsn


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """Give a pool as the server has it."""
    pool = await connect_pool(database, min_size=1, max_size=10, application_name="test")
    yield pool
    # A test that failed half-way may still hold a connection.
    with suppress(TimeoutError):
        await asyncio.wait_for(pool.close(), 2)
    pool.terminate()


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Give one connection as the server has it."""
    conn = await connect(database, application_name="test")
    yield conn
    await conn.close()


@pytest.fixture
def now() -> datetime:
    """Give a moment: a Tuesday morning, working time in Shanghai and in Europe."""
    return datetime(2026, 3, 10, 8, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _watch_async_tests(request: pytest.FixtureRequest) -> None:
    # Only where there is a loop to watch: making one costs a plain test 6 ms.
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_nothing_lost")


@pytest.fixture
async def _nothing_lost() -> AsyncIterator[None]:
    """Fail on an exception that no one awaited, and on a task that outlives its test."""
    lost: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: lost.append(context))
    before = asyncio.all_tasks()
    yield
    left = {task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if not task.done()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=1)
    assert not lost, f"exceptions that nobody awaited: {lost}"
    assert not left, f"tasks that outlive the test: {left}"
