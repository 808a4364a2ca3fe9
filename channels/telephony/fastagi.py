"""FastAGI server: moves the bytes between sockets and `agi.AgiConnection`, and bounds what a peer may cost."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, cast

from channels.telephony.agi import (
    AgiConnection,
    Command,
    Gone,
    GoneReason,
    MalformedAgi,
    Reply,
    Request,
    set_variable,
)
from channels.telephony.keepalive import keep_alive

BACKLOG: Final = 1024
FINISH_TIMEOUT: Final = 5.0
STOP_TIMEOUT: Final = 1.0
MAX_QUEUED_COMMANDS: Final = 64


class HungUp(Exception):
    """The caller's channel is gone; `reason` says how that became known."""

    def __init__(self, reason: GoneReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Logger(Protocol):
    """What is needed of a structlog logger."""

    def info(self, event: str, /, **fields: Any) -> Any: ...
    def warning(self, event: str, /, **fields: Any) -> Any: ...
    def error(self, event: str, /, **fields: Any) -> Any: ...


Handler = Callable[["AgiSession"], Awaitable[None]]


class AgiSession(asyncio.Protocol):
    """One FastAGI connection, from Asterisk's environment to its end. `peer` is the address of the PBX.

    The handler ends it by `finish()`; when it returns or fails without, the connection is closed without `CC_DONE`, so
    that the dialplan asks again.
    """

    __slots__ = (
        "_codec",
        "_gone",
        "_gone_future",
        "_on_gone",
        "_open",
        "_queue",
        "_server",
        "_task",
        "_timer",
        "_transport",
        "_waiter",
        "environment",
        "path",
        "peer",
        "query",
    )

    def __init__(self, server: AgiServer) -> None:
        self._server = server
        self._codec = AgiConnection()
        self._transport: asyncio.Transport | None = None
        self._open = False
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._queue: deque[tuple[Command, asyncio.Future[Reply]]] | None = None
        self._gone: Gone | None = None
        self._gone_future: asyncio.Future[Gone] | None = None
        self._on_gone: list[Callable[[Gone], None]] | None = None
        self.environment: Mapping[str, str] = {}
        self.path = ""
        self.query: Mapping[str, str] = {}
        self.peer = ""

    @property
    def gone(self) -> asyncio.Future[Gone]:
        """Done when the channel is gone; never cancelled by us. Wait with `asyncio.wait` or `shield`."""
        if self._gone_future is None:
            self._gone_future = self._server.loop.create_future()
            if self._gone is not None:
                self._gone_future.set_result(self._gone)
        return self._gone_future

    @property
    def gone_reason(self) -> GoneReason | None:
        return None if self._gone is None else self._gone.reason

    @property
    def connected(self) -> bool:
        return self._open

    def on_gone(self, callback: Callable[[Gone], None]) -> None:
        """Call back, in the same turn of the loop, when the channel is gone; at once when it is already."""
        if self._gone is not None:
            callback(self._gone)
        elif self._on_gone is None:
            self._on_gone = [callback]
        else:
            self._on_gone.append(callback)

    async def command(self, command: Command, *, timeout: float | None = None) -> Reply:
        """Send a command, after those before it, and wait for its reply.

        Raises HungUp when the channel is gone and the command is not dead-safe, or when the connection ends;
        TimeoutError after `timeout` seconds (the command itself then still runs in Asterisk).
        """
        if self._gone is not None and not (command.dead_safe and self.connected):
            raise HungUp(self._gone.reason)
        future = self._submit(command)
        if timeout is None:
            return await future
        async with asyncio.timeout(timeout):
            return await future

    async def finish(self, *, timeout: float = FINISH_TIMEOUT) -> None:
        """Tell the dialplan that the call is done (`CC_DONE=1`) and close, after `timeout` seconds in any case."""
        if self.connected:
            with contextlib.suppress(HungUp, TimeoutError):
                await self.command(set_variable("CC_DONE", "1"), timeout=timeout)
        self._close()

    def abort(self) -> None:
        """Close at once without `CC_DONE`: the dialplan asks again."""
        self._open = False
        if self._transport is not None:
            self._transport.abort()

    def _close(self) -> None:
        self._open = False
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Abort, and cancel the handler."""
        if self._task is not None:
            self._task.cancel()
        self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports do not inherit from it
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        refused = self._server.admit(self)
        if refused:
            self._server.logger.warning("agi.refused", peer=self.peer, reason=refused)
            self.abort()
            return
        self._open = True
        self._timer = self._server.loop.call_later(self._server.environment_timeout, self._environment_late)

    def data_received(self, data: bytes) -> None:
        self._codec.receive_data(data)
        self._read_events()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._open = False
        self._stop_timer()
        self._server.forget(self)
        self._codec.receive_data(b"")
        if self._task is not None:
            self._take_gone(Gone(GoneReason.EOF))
        self._fail_commands(self._gone.reason if self._gone else GoneReason.EOF)

    def _read_events(self) -> None:
        try:
            while True:
                match self._codec.next_event():
                    case Reply() as reply:
                        self._take_reply(reply)
                    case Gone() as gone:
                        self._take_gone(gone)
                    case Request() as request:
                        self._start(request)
                    case _:
                        return
        except MalformedAgi as error:
            self._server.logger.warning("agi.malformed", peer=self.peer, reason=str(error), **self._ids())
            self.abort()

    def _start(self, request: Request) -> None:
        self._stop_timer()
        self.environment, self.path, self.query = request.environment, request.path, request.query
        self._task = self._server.start_handler(self)
        self._task.add_done_callback(self._handler_done)

    def _handler_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        # a caller who left is an ordinary end, also where the handler has nothing to add to it
        if error is not None and not isinstance(error, HungUp):
            self._server.logger.error("agi.handler_failed", peer=self.peer, exc_info=error, **self._ids())
        self._task = None
        self._close()

    def _environment_late(self) -> None:
        self._server.logger.warning("agi.silent", peer=self.peer, seconds=self._server.environment_timeout)
        self.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ids(self) -> dict[str, str]:
        return {"uniqueid": self.environment.get("uniqueid", ""), "channel": self.environment.get("channel", "")}

    def _submit(self, command: Command) -> asyncio.Future[Reply]:
        if not self.connected:
            raise HungUp(GoneReason.EOF)
        future: asyncio.Future[Reply] = self._server.loop.create_future()
        if not self._codec.in_flight:
            self._send(command, future)
        else:
            if self._queue is None:
                self._queue = deque()
            if len(self._queue) >= MAX_QUEUED_COMMANDS:
                raise RuntimeError("too many AGI commands wait for their turn")
            self._queue.append((command, future))
        return future

    def _send(self, command: Command, future: asyncio.Future[Reply]) -> None:
        assert self._transport is not None
        self._waiter = future
        self._transport.write(self._codec.send(command))

    def _take_reply(self, reply: Reply) -> None:
        waiter, self._waiter = self._waiter, None
        # a reply that means "gone" ends the command as HungUp, whichever of the signs came first
        gone = self._codec.gone and self._gone is None
        if waiter is not None and not waiter.done():
            if gone:
                reason = GoneReason.DEAD_CHANNEL if reply.code == 511 else GoneReason.FAILED
                waiter.set_exception(HungUp(reason))
            elif reply.code == 511 and self._gone is not None:
                waiter.set_exception(HungUp(self._gone.reason))
            else:
                waiter.set_result(reply)
        if not gone:
            self._send_next()

    def _send_next(self) -> None:
        while self._queue and self.connected and not self._codec.in_flight:
            command, future = self._queue.popleft()
            if future.done():
                continue
            if self._gone is not None and not command.dead_safe:
                future.set_exception(HungUp(self._gone.reason))
            else:
                self._send(command, future)

    def _take_gone(self, gone: Gone) -> None:
        if self._gone is not None:
            return
        self._gone = gone
        if self._gone_future is not None:
            self._gone_future.set_result(gone)
        callbacks, self._on_gone = self._on_gone, None
        for callback in callbacks or ():
            callback(gone)
        self._send_next()

    def _fail_commands(self, reason: GoneReason) -> None:
        waiters = [future for _, future in self._queue or ()]
        if self._waiter is not None:
            waiters.append(self._waiter)
        self._waiter = self._queue = None
        for future in waiters:
            if not future.done():
                future.set_exception(HungUp(reason))


class AgiServer:
    """A listening FastAGI port and the sessions that are open on it."""

    def __init__(
        self,
        handler: Handler,
        *,
        allowed: Callable[[str], bool],
        max_connections: int,
        environment_timeout: float,
        logger: Logger,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.logger = logger
        self.environment_timeout = environment_timeout
        self.sessions: set[AgiSession] = set()
        self._handler = handler
        self._allowed = allowed
        self._max_connections = max_connections
        self._server: asyncio.Server | None = None
        # A handler outlives its connection while it writes down how that ended.
        self._handlers: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def port(self) -> int:
        """The port that is listened on (also when 0 was asked for)."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self, host: str, port: int) -> None:
        self._server = await self.loop.create_server(lambda: AgiSession(self), host, port, backlog=BACKLOG)
        for sock in self._server.sockets:
            keep_alive(sock)

    def admit(self, session: AgiSession) -> str | None:
        """Count a new connection in, or say why not."""
        if not self._allowed(session.peer):
            return "address not allowed"
        if len(self.sessions) >= self._max_connections:
            return "too many connections"
        self.sessions.add(session)
        self._empty.clear()
        return None

    def forget(self, session: AgiSession) -> None:
        self.sessions.discard(session)
        if not self.sessions:
            self._empty.set()

    def start_handler(self, session: AgiSession) -> asyncio.Task[None]:
        task = self.loop.create_task(self._handle(session))
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)
        return task

    async def _handle(self, session: AgiSession) -> None:
        await self._handler(session)

    def close(self) -> None:
        """Accept nobody any more; open sessions go on."""
        if self._server is not None:
            self._server.close()

    def abort_sessions(self) -> None:
        """Drop every open session without `CC_DONE`: their dialplans ask again elsewhere."""
        for session in list(self.sessions):
            session.abort()

    async def stop(self, *, within: float = STOP_TIMEOUT) -> None:
        """Drop every session and its handler, as a killed process would, and wait until they are gone.

        Only those whose caller has left may finish what they write down of it, for `within` seconds.
        """
        self.close()
        for session in list(self.sessions):
            if session.gone_reason is None:
                session.drop()
        if self._handlers:
            await asyncio.wait(self._handlers, timeout=within)
        self.abort_sessions()
        for task in self._handlers:
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def wait_closed(self) -> None:
        """Until no session is open; bound it with `asyncio.timeout`."""
        await self._empty.wait()


async def serve_agi(
    handler: Handler,
    *,
    host: str,
    port: int,
    allowed: Callable[[str], bool],
    max_connections: int,
    logger: Logger,
    environment_timeout: float = 5.0,
) -> AgiServer:
    """Listen for FastAGI; `allowed` is asked with the peer's address, `environment_timeout` is in seconds."""
    server = AgiServer(
        handler,
        allowed=allowed,
        max_connections=max_connections,
        environment_timeout=environment_timeout,
        logger=logger,
    )
    await server.start(host, port)
    return server
