"""Connections lent for one statement or one transaction.

asyncpg's pool opens them, counts them and closes them. It takes a task and a proxy to give one back, which doubles what
a short statement costs this process; so one that will be used again in a moment is kept out of it until it is wanted.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy


class Pool:
    """A pool of asyncpg's with the same methods, of which a returned connection is the next one that is lent."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._kept: list[PoolConnectionProxy] = []
        self._wanted = 0  # how many wait for asyncpg's pool
        self._closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def fetch(self, query: str, *args: Any, timeout: float | None = None) -> list[asyncpg.Record]:
        connection = await self._borrow()
        try:
            return await connection.fetch(query, *args, timeout=timeout)
        finally:
            if not self._keep(connection):
                await self._pool.release(connection)

    async def fetchrow(self, query: str, *args: Any, timeout: float | None = None) -> asyncpg.Record | None:
        connection = await self._borrow()
        try:
            return await connection.fetchrow(query, *args, timeout=timeout)
        finally:
            if not self._keep(connection):
                await self._pool.release(connection)

    async def fetchval(self, query: str, *args: Any, timeout: float | None = None) -> Any:
        connection = await self._borrow()
        try:
            return await connection.fetchval(query, *args, timeout=timeout)
        finally:
            if not self._keep(connection):
                await self._pool.release(connection)

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        connection = await self._borrow()
        try:
            return await connection.execute(query, *args, timeout=timeout)
        finally:
            if not self._keep(connection):
                await self._pool.release(connection)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[PoolConnectionProxy]:
        """Lend a connection for several statements; it must not be used afterwards."""
        connection = await self._borrow()
        try:
            yield connection
        finally:
            if not _lost(connection) and connection.is_in_transaction():
                connection.terminate()
            if _lost(connection) or not self._keep(connection):
                await self._pool.release(connection)

    async def close(self) -> None:
        """Lend no more, wait until all are back, and close them."""
        self._closing = True
        while self._kept:
            await self._pool.release(self._kept.pop())
        await self._pool.close()

    def terminate(self) -> None:
        """Close all at once, those that work too."""
        self._closing = True
        self._pool.terminate()

    async def _borrow(self) -> PoolConnectionProxy:
        while self._kept:
            connection = self._kept.pop()
            if not _lost(connection):
                return connection
            await self._pool.release(connection)
        self._wanted += 1
        try:
            return await self._pool.acquire()
        finally:
            self._wanted -= 1

    def _keep(self, connection: PoolConnectionProxy) -> bool:
        if self._wanted or self._closing:
            return False
        self._kept.append(connection)
        return True


def _lost(connection: PoolConnectionProxy) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # and asyncpg's pool has taken it back by itself
        return True
