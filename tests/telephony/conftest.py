"""A real Asterisk for the whole run, phones on it, and a call-centre server of each test's own."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tests.conftest import Server
from tests.telephony.lab.debian import Unavailable
from tests.telephony.lab.instance import Instance
from tests.telephony.lab.tree import NEWEST, Tree, default_cache, fetch
from tests.telephony.pbx import make_instance, remove
from tests.telephony.peers import Manager
from tests.telephony.phones import Telephones
from tests.telephony.product import ORGANISATION, Centre, Stream, centre, command


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asterisk)


@pytest.fixture(scope="session")
def tree() -> Tree:
    """The newest Asterisk of Debian, or that of the suite in ASTERISK_LAB_SUITE; downloaded once."""
    suite = os.environ.get("ASTERISK_LAB_SUITE")
    return fetch(default_cache(), (suite,) if suite else NEWEST)


@pytest.fixture(scope="session")
def asterisk(tree: Tree) -> Iterator[Instance]:
    """The Asterisk that all tests of a run share."""
    instance = make_instance()
    try:
        instance.start(tree)
        yield instance
    except Unavailable as error:
        pytest.fail(str(error))
    finally:
        remove(instance)


@pytest.fixture
def phones(asterisk: Instance) -> Telephones:
    return Telephones(pbx=asterisk.ports.sip, provider=asterisk.ports.trunk)


@pytest_asyncio.fixture
async def manager(asterisk: Instance) -> AsyncIterator[Manager]:
    """AMI beside the product; at the end no call is left."""
    async with Manager(asterisk.ports.ami) as ami:
        yield ami
        await ami.act("Hangup", Channel="/^.*$/")


USERS = ("sue", "amy", "bo")
Organised = tuple[str, dict[str, str]]
_numbers = itertools.count(1)


async def _copy(server: Server, template: str, name: str) -> str:
    admin = await asyncpg.connect(server.dsn_of("postgres"), command_timeout=60)
    try:
        await admin.execute(f"create database {name} template {template} strategy file_copy")
    finally:
        await admin.close()
    return server.dsn_of(name)


async def _drop(server: Server, name: str) -> None:
    admin = await asyncpg.connect(server.dsn_of("postgres"), command_timeout=60)
    try:
        await admin.execute(f"drop database if exists {name} with (force)")
    finally:
        await admin.close()


async def _organise(server: Server, name: str) -> dict[str, str]:
    dsn = await _copy(server, server.template, name)
    await command(dsn, "apply", str(ORGANISATION))
    return {user: await command(dsn, "token", "create", "--user", user) for user in USERS}


@pytest.fixture(scope="session")
def organised(server: Server) -> Iterator[Organised]:
    """A database with the organisation of the journeys in it, to be copied, and its users' tokens."""
    name = f"journeys_{os.getpid()}"
    try:
        yield name, asyncio.run(_organise(server, name))
    finally:
        asyncio.run(_drop(server, name))


@pytest.fixture
async def organisation(server: Server, organised: tuple[str, dict[str, str]]) -> AsyncIterator[Organised]:
    """A database of this test's own, and the tokens of those who work there."""
    template, tokens = organised
    name = f"{template}_{next(_numbers)}"
    yield await _copy(server, template, name), tokens
    await _drop(server, name)


@pytest.fixture
async def closed_centre(organisation, asterisk: Instance, manager: Manager) -> AsyncIterator[Centre]:
    """A call centre on the shared Asterisk, none of whose nodes has been started."""
    dsn, tokens = organisation
    async with centre(dsn, tokens, {"default": asterisk}) as one:
        yield one


@pytest.fixture
async def open_centre(closed_centre: Centre) -> Centre:
    """A call centre with one node."""
    await closed_centre.start()
    return closed_centre


@pytest.fixture
async def stream(open_centre: Centre) -> Stream:
    """The contact log of its node."""
    return await open_centre.stream()
