"""A real Dovecot for the whole run; every test has users of its own there."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from callcenter.settings import ImapSettings
from callcenter.store import nodes
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.email.imap import ImapMetrics, Reader
from channels.email.intake import Intake
from tests.imap.dovecot import PASSWORD, Dovecot

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.imap)


@pytest.fixture(scope="session")
def _server() -> Iterator[Dovecot]:
    if not (shutil.which("dovecot") or Path("/usr/sbin/dovecot").exists()):
        pytest.fail("Dovecot is missing: sudo apt-get install dovecot-imapd")
    dovecot = Dovecot()
    try:
        yield dovecot
    finally:
        dovecot.remove()


@pytest.fixture
def dovecot(_server: Dovecot) -> Iterator[Dovecot]:
    _server.start()
    yield _server
    _server.stop()


@pytest.fixture
def user() -> str:
    return f"care{next(_numbers)}"


@pytest.fixture
def settings(dovecot: Dovecot, user: str) -> Callable[..., ImapSettings]:
    """Of a mailbox, valid unless told otherwise."""

    def make(**changes: Any) -> ImapSettings:
        given: dict[str, Any] = {
            "name": "care", "host": "127.0.0.1", "port": dovecot.port, "security": "none", "user": user,
            "password": SecretStr(PASSWORD), "address": "care@heronbay.example",
        }  # fmt: skip
        return ImapSettings(**{**given, **changes})

    return make


@pytest.fixture
async def log(pool: Pool) -> ContactLog:
    await pool.execute("insert into queue (name) values ('support')")
    await pool.execute("insert into mailbox (address, queue_id) select 'care@heronbay.example', id from queue")
    return ContactLog(pool)


Reading = Callable[..., AbstractAsyncContextManager[Reader]]


@pytest.fixture
def metrics() -> ImapMetrics:
    return ImapMetrics(CollectorRegistry())


@pytest.fixture
async def reading(log: ContactLog, metrics: ImapMetrics) -> Reading:
    """Reads mailboxes, as a node does, for as long as the context lasts."""

    @asynccontextmanager
    async def read(*settings: ImapSettings, node: str = "one", log: ContactLog = log) -> AsyncIterator[Reader]:
        def clock() -> datetime:
            return datetime.now(UTC)

        registered = await nodes.register(log.pool, node, agi_host="", agi_port=0, now=clock())
        intake = Intake(log, clock=clock)
        readers = [Reader(each, log, intake, metrics, node=registered.id, clock=clock) for each in settings]
        tasks = [asyncio.create_task(reader.run()) for reader in readers]
        try:
            yield readers[0]
        finally:
            for reader in readers:
                await reader.stop()
            intake.close()
            failed = [task.exception() for task in tasks if not task.cancelled()]
            assert not failed, failed

    return read
