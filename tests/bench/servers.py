"""The two programs under measurement: the floor and the product."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.process import program, python
from tests.bench.rig import Server

_FLOOR_DESKS = 1_000


@asynccontextmanager
async def floor(dsn: str, folder: Path) -> AsyncIterator[Server]:
    """The bare program."""
    async with program(*python("tests.bench.floor", "--dsn", dsn), name="floor", folder=folder) as running:
        agi, http = await running.line("ready", within=20)
        listeners = [(f"desk{number}", "") for number in range(_FLOOR_DESKS)]
        yield Server(running, int(agi), int(http), "/ws", listeners)
