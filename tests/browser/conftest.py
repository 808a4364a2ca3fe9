"""Every test of this folder needs a Chromium: `make test-parts PARTS=browser`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.stage import Stage, a_stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
async def stage(database: str) -> AsyncIterator[Stage]:
    async with a_stage(database) as stage:
        yield stage
        assert stage.faults == []
