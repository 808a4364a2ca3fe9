"""The contact log as it grows, for other programs: in order, without loss or repetition, one event a frame."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import orjson
import structlog
from aiohttp import WSMsgType, hdrs, web

from callcenter.actions.deliveries import body_of
from callcenter.domain.agent import Role
from callcenter.domain.events import Cursor, Event
from callcenter.errors import Forbidden, Invalid, TooMany
from callcenter.feed import Feed
from callcenter.store.db import TRY_AGAIN
from callcenter.store.directory import Directory
from callcenter.store.log import event_of
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.web.auth import Identity, check_same_origin, identity, still_valid
from callcenter.web.keys import DIRECTORY, FEED, POOL
from callcenter.web.metrics import METRICS
from callcenter.web.openapi import PREFIX

log = structlog.get_logger()

_SQL = Queries.beside(__file__)

GONE = 4410  # the cursor is unknown or too old: load the state anew and follow from now
SIGNED_OUT = 4401
TOO_SLOW = 1013  # come back with the last cursor
RESTART = 1012

_PAGE = 500
# Events that wait for one client; more means that it does not read.
_MOST_WAITING = 2_000
_MOST_OF_ONE_USER = 20
_HEARTBEAT = 20.0
_CHECK_EVERY = 60.0
_CLOSE_WITHIN = 1.0
# In place of a seq: the end of a transaction, where a feed stands that has delivered nothing yet.
_MOST = 2**63 - 1


def frame_of(event: Event, directory: Directory) -> bytes:
    """The event as the surface has it: queue, agent and actor by name."""
    return orjson.dumps({"cursor": str(event.cursor), **body_of(event, directory)}, option=orjson.OPT_UTC_Z)


def concerns(event: Event, who: Identity) -> bool:
    """Supervisors see everything; agents what they did, what was done to them, and that the organisation changed."""
    if who.may(Role.SUPERVISOR) or event.kind == "organisation.applied":
        return True
    return who.user_id in (event.agent, event.actor)


class Client:
    """One connection and the events that wait for it, few enough that a stalled one costs nobody anything."""

    def __init__(self, who: Identity) -> None:
        self.who = who
        self.overflown = asyncio.Event()
        self._waiting: deque[tuple[Cursor, bytes]] = deque()
        self._more = asyncio.Event()

    def put(self, cursor: Cursor, frame: bytes) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self.overflown.set()
            self._waiting.clear()
        if not self.overflown.is_set():
            self._waiting.append((cursor, frame))
            self._more.set()

    async def take(self) -> Sequence[tuple[Cursor, bytes]]:
        """What waits, once something does."""
        await self._more.wait()
        self._more.clear()
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken


class Streams:
    """All connections of this process. Each event becomes a frame once, however many read it."""

    def __init__(self, feed: Feed, directory: Directory) -> None:
        self._directory = directory
        self.clients: dict[Client, web.WebSocketResponse] = {}
        self._joined: set[Client] = set()
        self._unsubscribe: Callable[[], None] | None = feed.subscribe(self.deliver)

    def deliver(self, events: Sequence[Event]) -> None:
        """A subscriber of the feed."""
        if not self._joined:
            return
        for event in events:
            readers = [client for client in self._joined if concerns(event, client.who)]
            if readers:
                frame = frame_of(event, self._directory)
                for client in readers:
                    client.put(event.cursor, frame)

    def join(self, client: Client) -> None:
        """From now on the client gets what the feed delivers."""
        self._joined.add(client)

    def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def leave(self, client: Client) -> None:
        self._joined.discard(client)
        self.clients.pop(client, None)


STREAMS: web.AppKey[Streams] = web.AppKey("streams")


async def is_gone(pool: Pool, cursor: Cursor, *, edge: Cursor) -> bool:
    """Whether the log no longer has what follows this cursor, or never gave it out. `edge`: up to where the feed is."""
    if cursor.epoch != edge.epoch or not (0 <= cursor.xid <= _MOST and 0 <= cursor.seq <= _MOST):
        return True
    if cursor.seq == _MOST:
        return cursor > edge or (cursor.xid > 0 and await pool.fetchval(_SQL.first_seq) not in (None, 1))
    return not await pool.fetchval(_SQL.is_known, cursor.epoch, str(cursor.xid), cursor.seq)


async def _history(pool: Pool, after: Cursor, edge: Cursor) -> AsyncIterator[Event]:
    """All events after a cursor, up to another that the feed has delivered."""
    while after < edge:
        rows = await pool.fetch(
            _SQL.between, after.epoch, str(after.xid), after.seq, edge.epoch, str(edge.xid), edge.seq, _PAGE
        )
        for row in rows:
            event = event_of(row)
            yield event
            after = event.cursor
        if len(rows) < _PAGE:
            return


async def _send_history(request: web.Request, socket: web.WebSocketResponse, client: Client, after: Cursor) -> Cursor:
    """Sends what was missed and joins the client to the feed; returns the cursor up to which all has been sent."""
    pool, feed, directory = request.app[POOL], request.app[FEED], request.app[DIRECTORY]
    position = after
    # What comes while the last short stretch is read waits in the client; what waits twice is told apart by its cursor.
    for last in (False, True):
        if last:
            request.app[STREAMS].join(client)
        edge = feed.cursor
        async for event in _history(pool, position, edge):
            if concerns(event, client.who):
                await socket.send_frame(frame_of(event, directory), WSMsgType.TEXT)
        position = max(position, edge)
    return position


async def _write(request: web.Request, socket: web.WebSocketResponse, client: Client, after: Cursor | None) -> None:
    """Sends for ever."""
    if after is None:
        request.app[STREAMS].join(client)
        sent = request.app[FEED].cursor
    else:
        sent = await _send_history(request, socket, client, after)
    while True:
        for cursor, frame in await client.take():
            if cursor > sent:
                await socket.send_frame(frame, WSMsgType.TEXT)


async def _guard(request: web.Request, socket: web.WebSocketResponse, client: Client) -> None:
    """Ends the connection of a client that does not read, or that we no longer know."""
    code, why = TOO_SLOW, "too slow"
    while not client.overflown.is_set():
        try:
            async with asyncio.timeout(_CHECK_EVERY):
                await client.overflown.wait()
        except TimeoutError:
            if not await still_valid(request, client.who):
                code, why = SIGNED_OUT, "signed out"
                break
    await _close(request, socket, code, why)


async def _or_close(work: Awaitable[None], request: web.Request, socket: web.WebSocketResponse) -> None:
    """A client of whom the database keeps us comes back with its last cursor, rather than wait for nothing."""
    try:
        await work
    except TRY_AGAIN as error:
        log.warning("stream.closed", error=repr(error))
        await _close(request, socket, RESTART, "database")


async def _close(request: web.Request, socket: web.WebSocketResponse, code: int, why: str) -> None:
    """Says goodbye for a moment, then hangs up: a client that does not read does not hear it either."""
    try:
        async with asyncio.timeout(_CLOSE_WITHIN):
            await socket.close(code=code, message=why.encode())
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()


def _admit(request: web.Request) -> Identity:
    """Raises Unauthorized, Forbidden for another site's page, TooMany."""
    who = identity(request)
    if who.session is not None:
        # Sockets know no same-origin policy, and a browser always says where it comes from.
        if hdrs.ORIGIN not in request.headers:
            raise Forbidden("A socket of a session needs an Origin header.")
        check_same_origin(request)
    own = sum(client.who.user_id == who.user_id for client in request.app[STREAMS].clients)
    if own >= _MOST_OF_ONE_USER:
        raise TooMany(f"At most {_MOST_OF_ONE_USER} streams of one user at once.")
    return who


def _cursor(request: web.Request) -> Cursor | None:
    """Raises Invalid for what cannot be a cursor."""
    text = request.query.get("after")
    return None if text is None else Cursor.parse(text)


async def get_stream(request: web.Request) -> web.StreamResponse:
    """`after`: the cursor of the last event seen; without it from now."""
    who = _admit(request)
    streams, gauge = request.app[STREAMS], request.app[METRICS].streams
    socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, compress=False, max_msg_size=4096, writer_limit=65536)
    await socket.prepare(request)
    try:
        after = _cursor(request)
        gone = after is not None and await is_gone(request.app[POOL], after, edge=request.app[FEED].cursor)
    except Invalid:
        after, gone = None, True
    except TRY_AGAIN:
        await _close(request, socket, RESTART, "database")
        return socket
    if gone:
        await _close(request, socket, GONE, "unknown or too old")
        return socket
    client = Client(who)
    streams.clients[client] = socket
    gauge.inc()
    tasks = [
        asyncio.create_task(_or_close(_write(request, socket, client, after), request, socket)),
        asyncio.create_task(_or_close(_guard(request, socket, client), request, socket)),
    ]
    try:
        # Nothing is expected; reading answers pings and notices the end.
        async for _ in socket:
            pass
    finally:
        gauge.dec()
        streams.leave(client)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ends:
        if isinstance(error, Exception) and not isinstance(error, ConnectionError):
            raise error
    return socket


async def start_streams(app: web.Application) -> None:
    app[STREAMS] = Streams(app[FEED], app[DIRECTORY])


async def close_streams(app: web.Application) -> None:
    """Before the server waits for its connections: clients come back to whoever serves then."""
    streams = app[STREAMS]
    streams.stop()
    sockets = tuple(streams.clients.values())
    if sockets:
        closing = [asyncio.create_task(socket.close(code=RESTART, message=b"restart")) for socket in sockets]
        await asyncio.wait(closing, timeout=_CLOSE_WITHIN)


def routes() -> list[web.RouteDef]:
    return [web.get(f"{PREFIX}/stream", get_stream)]
