"""Connections to PostgreSQL: one shape for all of them, and what is asked of the server at the other end.

What asyncpg gives: `xid8` is read and passed as int, `jsonb` and `json` (by the codecs set here) as Python values,
`interval` as timedelta, `timestamptz` as aware datetime in UTC.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import orjson

from callcenter.errors import Invalid
from callcenter.store.pool import Pool

T = TypeVar("T")
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

OLDEST_SERVER = 15
NO_PROXY = (
    "sessions with locks and settings of their own are needed, so connect to PostgreSQL itself "
    "or to a proxy that pools sessions, not transactions"
)

# PostgreSQL or the way to it went away for a moment; what was committed is safe, what was not must be asked again.
# asyncpg.DataError, a value that does not fit its column, is an InterfaceError too: catch it first.
TRY_AGAIN: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,  # ConnectionDoesNotExist among them
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    # The server ended an idle session: its farewell is read before the close, or the connection is found closed.
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    ConnectionError,  # reset, refused, broken pipe
    FileNotFoundError,  # its socket is not there yet
    TimeoutError,  # its machine has vanished
)

# Seconds; longer than the server's own limit, for a server that says nothing at all.
_COMMAND_TIMEOUT = 40.0

SESSION = {
    "timezone": "UTC",
    # Planning for a compiler costs more than our short queries take.
    "jit": "off",
    # Planned once a session, not six times before the general plan is tried: the first calls after a start feel each.
    "plan_cache_mode": "force_generic_plan",
    "statement_timeout": "30s",
    # An open transaction holds back every reader of the contact log.
    "idle_in_transaction_session_timeout": "10s",
}


def _encode_jsonb(value: Any) -> bytes:
    return b"\x01" + orjson.dumps(value)


def _decode_jsonb(data: bytes) -> Any:
    return orjson.loads(memoryview(data)[1:])


async def _prepare(conn: asyncpg.Connection) -> None:
    await conn.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_jsonb, decoder=_decode_jsonb, format="binary"
    )
    await conn.set_type_codec("json", schema="pg_catalog", encoder=orjson.dumps, decoder=orjson.loads, format="binary")


async def connect(dsn: str, *, application_name: str = "callcenter") -> asyncpg.Connection:
    """Open one connection outside any pool: for a LISTEN, a lock that must last, a command."""
    try:
        conn = await asyncpg.connect(dsn, server_settings=SESSION | {"application_name": application_name}, timeout=10)
    except asyncpg.ProtocolViolationError as error:
        raise Invalid(f"The database refuses our session settings ({error}): {NO_PROXY}") from error
    except asyncpg.InterfaceError:
        raise
    except ValueError:
        # What it says may show a part of the password.
        raise Invalid("The database's address cannot be read: in its password write / as %2F, @ as %40") from None
    await _prepare(conn)
    for name, value in _newer_settings(conn.get_server_version().major).items():
        await conn.execute(f"set {name} = '{value}'")
    return conn


def _newer_settings(major: int) -> dict[str, str]:
    """What only newer servers understand."""
    return {"transaction_timeout": "60s"} if major >= 17 else {}


class _Pooled(asyncpg.Connection):
    """Our sessions carry no state from one use to the next, so giving one back costs no round trip."""

    def get_reset_query(self) -> str:
        return ""


async def connect_pool(
    dsn: str, *, min_size: int = 2, max_size: int = 10, application_name: str = "callcenter"
) -> Pool:
    """Open a pool on a server that was found fit (`check_server`).

    Raises Invalid in words when the server cannot serve us, and one of TRY_AGAIN when it is out of reach.
    """
    major = await check_server(dsn, application_name=application_name)
    pool = asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        init=_prepare,
        connection_class=_Pooled,
        # Settings of the log-in, since those of a `set` are lost when a connection goes back to the pool.
        server_settings=SESSION | _newer_settings(major) | {"application_name": application_name},
        timeout=10,
        command_timeout=_COMMAND_TIMEOUT,
    )
    await pool
    return Pool(pool)


async def check_server(dsn: str, *, application_name: str = "callcenter") -> int:
    """Return the server's major version.

    Raises Invalid when it is too old, its text is not UTF-8, or a proxy shares its sessions among transactions.
    """
    conn = await connect(dsn, application_name=application_name)
    try:
        major = conn.get_server_version().major
        if major < OLDEST_SERVER:
            raise Invalid(f"PostgreSQL {OLDEST_SERVER} or later is needed; the server is version {major}")
        encoding = await conn.fetchval("show server_encoding")
        if encoding != "UTF8":
            raise Invalid(f"The database must be made with the encoding UTF8; it has {encoding}")
        # A server tells its process id at log-in; a proxy invents one.
        direct = await conn.fetchval("select pg_backend_pid()") == conn.get_server_pid()
        if not direct and await _changes_sessions(dsn, conn):
            raise Invalid(f"Between us and PostgreSQL stands a proxy that pools transactions: {NO_PROXY}")
        return major
    finally:
        await conn.close()


async def _changes_sessions(dsn: str, conn: asyncpg.Connection) -> bool:
    """Tell whether another client can be given the server session that `conn` had a moment ago."""
    other = await connect(dsn)
    try:
        before = await conn.fetchval("select pg_backend_pid()")
        async with other.transaction():
            if await other.fetchval("select pg_backend_pid()") == before:
                return True
            return bool(await conn.fetchval("select pg_backend_pid()", timeout=5) != before)
    except TimeoutError:
        return True
    finally:
        other.terminate()


async def retrying(operation: Callable[[], Awaitable[T]], *, within: timedelta) -> T:
    """Await `operation()` again after each of TRY_AGAIN until `within` has passed, then let the error out.

    Only for what may be done twice: reads, compare-and-set moves, moves with an id of their own.
    """
    loop = asyncio.get_running_loop()
    give_up = loop.time() + within.total_seconds()
    pause = 0.05
    while True:
        try:
            return await operation()
        except asyncpg.DataError:
            raise
        except TRY_AGAIN:
            if loop.time() + pause > give_up:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 1.0)
