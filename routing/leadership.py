"""Which node decides: an advisory lock on a connection of its own, with a heartbeat beside it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import asyncpg
import structlog

from callcenter.store.queries import Queries

_SQL = Queries(Path(__file__).with_suffix(".sql"))
log = structlog.get_logger()

LOCK = 0x63616C6C_6C656164
_BEAT = 1.0
# A stopped process keeps its lock; without a beat for this long its backend is ended.
_SILENCE = timedelta(seconds=3)
_CONNECT_WITHIN = 5.0


class Leadership:
    """`run` is supervised: when it crashes (connection lost) this node no longer leads until it has the lock again."""

    def __init__(self, dsn: str, *, node: int) -> None:
        self._dsn = dsn
        self._node = node
        self.leads = False
        self.gained = asyncio.Event()
        self._resigned = asyncio.Event()

    def resign(self) -> None:
        """Lead no more, for good: a newer process has this node's name."""
        self._resigned.set()

    async def run(self) -> None:
        # Without limits a database whose machine has vanished would be waited for until TCP gives up.
        connection = await asyncpg.connect(
            self._dsn,
            server_settings={"application_name": "callcenter leader"},
            timeout=_CONNECT_WITHIN,
            command_timeout=_SILENCE.total_seconds(),
        )
        try:
            while not self._resigned.is_set():
                row = await connection.fetchrow(_SQL.acquire, LOCK)
                assert row is not None
                if row["leads"]:
                    break
                await connection.fetch(_SQL.depose, LOCK, _SILENCE)
                await self._pause()
            else:
                return
            await connection.execute(_SQL.beat, self._node)
            log.info("leader.elected", node=self._node)
            self.leads = True
            self.gained.set()
            while not self._resigned.is_set():
                await self._pause()
                async with asyncio.timeout(_SILENCE.total_seconds()):
                    await connection.execute(_SQL.beat, self._node)
        finally:
            self.leads = False
            self.gained.clear()
            connection.terminate()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_BEAT):
                await self._resigned.wait()
