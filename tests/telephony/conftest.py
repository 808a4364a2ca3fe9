"""A real Asterisk for the whole run, its ports chosen by the system, and phones on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.telephony.lab.debian import Unavailable
from tests.telephony.lab.instance import Instance
from tests.telephony.lab.tree import NEWEST, Tree, default_cache, fetch
from tests.telephony.pbx import make_instance, remove
from tests.telephony.peers import Manager
from tests.telephony.phones import Telephones


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asterisk)


@pytest.fixture(scope="session")
def tree() -> Tree:
    """The newest Asterisk of Debian, downloaded once."""
    return fetch(default_cache(), NEWEST)


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
