"""Connections lent for one statement or one transaction.

asyncpg's pool opens them, counts them and closes them. It takes a task and a proxy to give one back, which doubles what
a short statement costs this process; so one that will be used again in a moment is kept out of it until it is wanted.
"""

import asyncio
from typing import Any, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy

_RELEASE_TIMEOUT = 5.0  # seconds


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
        async with _Loan(self) as connection:
            return await connection.fetch(query, *args, timeout=timeout)

    async def fetchrow(self, query: str, *args: Any, timeout: float | None = None) -> asyncpg.Record | None:
        async with _Loan(self) as connection:
            return await connection.fetchrow(query, *args, timeout=timeout)

    async def fetchval(self, query: str, *args: Any, timeout: float | None = None) -> Any:
        async with _Loan(self) as connection:
            return await connection.fetchval(query, *args, timeout=timeout)

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        async with _Loan(self) as connection:
            return await connection.execute(query, *args, timeout=timeout)

    def acquire(self) -> "_Loan":
        """Lend a connection for several statements; it must not be used afterwards."""
        return _Loan(self, several=True)

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

    async def borrow(self) -> PoolConnectionProxy:
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

    async def give_back(self, connection: PoolConnectionProxy, *, clean: bool) -> None:
        """`clean`: what it was lent for ended well. After anything else asyncpg finds out what state it is in.

        A `begin` that timed out or was cancelled may still be carried out, and what came next would be in it.
        """
        if clean and not (self._wanted or self._closing or _lost(connection)):
            self._kept.append(connection)
        else:
            await self._pool.release(connection, timeout=_RELEASE_TIMEOUT)


class _Loan:
    """A class of its own: made from a generator it would cost more than the statement's protocol."""

    __slots__ = ("_connection", "_pool", "_several")

    def __init__(self, pool: Pool, *, several: bool = False) -> None:
        self._pool = pool
        self._several = several

    async def __aenter__(self) -> PoolConnectionProxy:
        self._connection = await self._pool.borrow()
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        connection = self._connection
        if self._several and not _lost(connection) and (_broken_off(kind) or connection.is_in_transaction()):
            # Nobody can tell how far a transaction has come that was broken off.
            connection.terminate()
        await self._pool.give_back(connection, clean=kind is None)


def _broken_off(kind: type[BaseException] | None) -> bool:
    return kind is not None and issubclass(kind, asyncio.CancelledError | TimeoutError)


def _lost(connection: PoolConnectionProxy) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # and asyncpg's pool has taken it back by itself
        return True
