"""AMI client that stays up: logs in, matches answers, notices a frozen or restarted PBX, and connects again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, cast

import structlog

from callcenter.errors import ChannelError
from channels.telephony.ami import AmiConnection, Event, MalformedAmi, Response, encode

log = structlog.get_logger()

CONNECT_TIMEOUT: Final = 5.0
ACTION_TIMEOUT: Final = 5.0
LISTING_TIMEOUT: Final = 10.0
# a connection that lasted so long was good: the next attempt is made soon again
_GOOD_AFTER: Final = 10.0

Fields = Mapping[str, str | Sequence[str]]


@dataclass(slots=True)
class _Pending:
    """An action that waits for its answer; `events` is kept for a list."""

    answer: asyncio.Future[Response]
    is_list: bool = False
    then: Callable[[list[Event]], None] | None = None
    response: Response | None = None
    events: list[Event] = field(default_factory=list)


class Manager:
    """The AMI connection of one PBX; `run()` is supervised and never returns by itself.

    `on_event` is called in the order of the stream for what no listing asked for. `on_connected(restarted)` is awaited
    after each log-in, so that the owner reconciles; `restarted` tells a PBX that has started anew (all channels are
    gone) from a connection that broke. `on_lost` is called when a connection that was logged in ends. Times in seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        host: str,
        port: int,
        user: str,
        secret: str,
        on_event: Callable[[Event], None],
        on_connected: Callable[[bool], Awaitable[None]] | None = None,
        on_lost: Callable[[], None] | None = None,
        ping_every: float = 5.0,
        ping_timeout: float = 3.0,
        backoff: tuple[float, float] = (0.1, 10.0),
    ) -> None:
        self.name = name
        self.state = "down"  # or connected
        self.since = datetime.now(UTC)
        self.reason = "not connected yet"
        self._address, self._user, self._secret = (host, port), user, secret
        self._on_event, self._on_connected, self._on_lost = on_event, on_connected, on_lost
        self._ping_every, self._ping_timeout, self._backoff = ping_every, ping_timeout, backoff
        self._wire: _Wire | None = None
        self._pending: dict[str, _Pending] = {}
        self._prefix = secrets.token_hex(4)
        self._number = 0
        self._started: str | None = None

    @property
    def connected(self) -> bool:
        return self.state == "connected"

    async def run(self) -> None:
        """Connect, serve, and connect again with growing pauses (with jitter, so that nodes do not come at once)."""
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._serve_once()
            except (OSError, TimeoutError, ChannelError, MalformedAmi) as error:
                reason = str(error) or f"no answer from {self._address[0]}:{self._address[1]}"
                if reason != self.reason:
                    log.warning("ami.down", pbx=self.name, reason=reason)
                self.reason = reason
            attempt = 0 if loop.time() - began > _GOOD_AFTER else attempt + 1
            shortest, longest = self._backoff
            pause = min(longest, shortest * 2 ** min(attempt, 20))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311

    async def action(self, action: str, fields: Fields | None = None, *, timeout: float = ACTION_TIMEOUT) -> Response:
        """Run an action. Raises Invalid for line breaks in it, ChannelError without a connection, TimeoutError."""
        return await self._ask(action, fields, _Pending(_future()), timeout)

    async def listing(
        self,
        action: str,
        fields: Fields | None = None,
        *,
        then: Callable[[list[Event]], None] | None = None,
        timeout: float = LISTING_TIMEOUT,
    ) -> list[Event]:
        """Run an action that answers with a list; gives its events without the one that ends it.

        `then` gets them in their place in the stream: before `on_event` gets what came after the list.
        """
        pending = _Pending(_future(), is_list=True, then=then)
        response = await self._ask(action, fields, pending, timeout)
        if not response.success and not response.message.startswith("No "):  # such as "No Contacts found"
            raise ChannelError(f"PBX {self.name} refused {action}: {response.message}", permanent=True)
        return pending.events

    async def _ask(self, action: str, fields: Fields | None, pending: _Pending, timeout: float) -> Response:
        if self._wire is None:
            raise ChannelError(f"No AMI connection to PBX {self.name}.", permanent=False)
        self._number += 1
        ident = f"{self._prefix}-{self._number}"
        data = encode(action, ident, fields)
        self._pending[ident] = pending
        try:
            async with asyncio.timeout(timeout):
                self._wire.write(data)
                return await pending.answer
        except TimeoutError:
            raise TimeoutError(f"PBX {self.name} did not answer {action} within {timeout:g} s") from None
        finally:
            self._pending.pop(ident, None)

    async def _serve_once(self) -> None:
        loop = asyncio.get_running_loop()
        wire = _Wire(self._take, self._fail_pending)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await loop.create_connection(lambda: wire, *self._address)
                self._wire = wire
                await self._log_in(wire)
            restarted = await self._has_restarted()
            self._become("connected", "")
            log.info("ami.connected", pbx=self.name, restarted=restarted)
            pinging = asyncio.create_task(self._ping(wire))
            try:
                if self._on_connected is not None:
                    await self._on_connected(restarted)
                await wire.lost
            finally:
                pinging.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pinging
            raise ChannelError(wire.reason, permanent=False)
        finally:
            self._close(wire)

    async def _log_in(self, wire: _Wire) -> None:
        response = await self.action("Login", {"Username": self._user, "Secret": self._secret}, timeout=CONNECT_TIMEOUT)
        if not response.success:
            raise ChannelError(f"AMI log-in refused: {response.message}", permanent=True)

    async def _has_restarted(self) -> bool:
        """Whether the PBX has another start time than at the last connection; False where it does not say."""
        status = await self.action("CoreStatus")
        started = f"{status.fields.get('CoreStartupDate', '')} {status.fields.get('CoreStartupTime', '')}"
        before = self._started
        if not status.success or not started.strip():
            return False
        self._started = started
        return before is not None and before != started

    async def _ping(self, wire: _Wire) -> None:
        """A frozen PBX keeps its connections open: without an answer in time this one is given up."""
        while True:
            await asyncio.sleep(self._ping_every)
            try:
                await self.action("Ping", timeout=self._ping_timeout)
            except TimeoutError:
                wire.abort("the PBX does not answer pings")
                return
            except ChannelError:
                return

    def _take(self, message: Event | Response) -> None:
        ident = message.fields.get("ActionID")
        pending = self._pending.get(ident) if ident is not None else None
        match message:
            case Response():
                if pending is not None:
                    self._take_response(pending, message)
            case Event():
                # the answer of an Originate carries the ActionID too, but belongs to no list
                if pending is not None and pending.is_list and pending.response is not None:
                    self._take_item(pending, message)
                else:
                    self._on_event(message)

    def _take_response(self, pending: _Pending, response: Response) -> None:
        if pending.is_list and response.starts_list:
            pending.response = response
        elif not pending.answer.done():
            pending.answer.set_result(response)

    def _take_item(self, pending: _Pending, event: Event) -> None:
        if not event.ends_list:
            pending.events.append(event)
        elif not pending.answer.done() and pending.response is not None:
            if pending.then is not None:
                pending.then(pending.events)
            pending.answer.set_result(pending.response)

    def _fail_pending(self, reason: str) -> None:
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(ChannelError(f"AMI of PBX {self.name}: {reason}", permanent=False))

    def _become(self, state: str, reason: str) -> None:
        self.state, self.reason, self.since = state, reason, datetime.now(UTC)

    def _close(self, wire: _Wire) -> None:
        ours = not wire.lost.done()  # we stop; nothing has happened to the connection
        wire.abort(wire.reason)
        self._wire = None
        self._fail_pending(wire.reason)
        if self.connected:
            self._become("down", wire.reason)
            if not ours:
                log.warning("ami.down", pbx=self.name, reason=wire.reason)
            if self._on_lost is not None:
                self._on_lost()


class _Wire(asyncio.Protocol):
    """The socket and its codec."""

    def __init__(self, take: Callable[[Event | Response], None], fail: Callable[[str], None]) -> None:
        self._take, self._fail = take, fail
        self._codec = AmiConnection()
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reason = "the connection was closed"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._codec.receive_data(data)
        try:
            for message in self._codec.events():
                if isinstance(message, Event | Response):
                    self._take(message)
        except MalformedAmi as error:
            self.abort(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
        self._fail(self.reason)

    def write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ChannelError(self.reason, permanent=False)
        self._transport.write(data)

    def abort(self, reason: str) -> None:
        self.reason = reason
        if self._transport is not None:
            self._transport.abort()


def _future() -> asyncio.Future[Response]:
    return asyncio.get_running_loop().create_future()
