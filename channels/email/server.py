# ruff: noqa: N802 - names of handlers are aiosmtpd's
"""The door for mail servers: SMTP, or LMTP (RFC 2033), which answers 250 only for what is committed."""

import asyncio
import logging
from typing import Any, cast

import asyncpg
import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from callcenter.domain.network import limited_as
from callcenter.errors import CallcenterError, Invalid
from callcenter.store.db import TRY_AGAIN
from channels.email.intake import LARGEST, Intake

log = structlog.get_logger()

_MOST_RECIPIENTS = 100
_MOST_CONNECTIONS = 50
_MOST_OF_PEER = 20  # that many a Postfix opens
_IDLE = 60.0  # seconds without a command or a line
_LONGEST_LINE = 2 * 1024 * 1024  # senders exist that know no limit of 998
_LATER = "451 4.3.0 The message could not be kept; try again later"
_NO_PLACE = "550 5.1.1 Nobody receives mail at this address"
# Whatever is wrong with us, the sender is not to be told that it is for good.
_NOT_NOW: tuple[type[Exception], ...] = (*TRY_AGAIN, asyncpg.PostgresError, CallcenterError, OSError)
_MB = 1024 * 1024
_ROOM = 256 * _MB  # for the messages that are on their way in, of all connections together
_WAITS = 20.0  # seconds for room: less than senders wait, and than they may be silent here
_CROWDED = "452 4.3.1 Too much mail at once; try again later"
_FULL = b"421 4.7.0 Too many connections; try again later\r\n"


def _turn_away(transport: asyncio.BaseTransport) -> None:
    writer = cast("asyncio.WriteTransport", transport)  # uvloop's are no subclasses
    writer.write(_FULL)
    writer.close()


class _Room:
    """So many bytes may be on their way in."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._given = asyncio.Event()

    async def take(self, size: int) -> None:
        """Waits until there is room; what was taken is to be given back. Raises TimeoutError when there is none."""
        async with asyncio.timeout(_WAITS):
            while size > self._left:
                self._given.clear()
                await self._given.wait()
        self._left -= size

    def give(self, size: int) -> None:
        self._left += size
        self._given.set()


class _Smtp(SMTP):
    line_length_limit = _LONGEST_LINE
    open: set["_Smtp"]  # of its door
    room: _Room
    intake: Intake

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.peer = limited_as((transport.get_extra_info("peername") or ("",))[0])
        self.turned_away = sum(each.peer == self.peer for each in self.open) >= _MOST_OF_PEER
        if not self.turned_away:
            self.open.add(self)
            super().connection_made(transport)
            return
        _turn_away(transport)

    async def smtp_DATA(self, arg: str) -> None:
        await self.intake.turn()
        size = self._largest()
        try:
            await self.room.take(size)
        except TimeoutError:
            log.warning("mail.crowded", size=size)
            await self.push(_CROWDED)
            return
        self.data_size_limit = size
        try:
            await super().smtp_DATA(arg)
        finally:
            self.data_size_limit = LARGEST
            self.room.give(size)

    def _largest(self) -> int:
        """Bytes that the message may have; where a size was declared not much more: servers on the way add to it."""
        options = [] if self.envelope is None else self.envelope.mail_options
        declared = [option.partition("=")[2] for option in options if option.startswith("SIZE=")]
        return min(LARGEST, 4 * int(declared[0]) + 4 * _MB) if declared else LARGEST

    def connection_lost(self, error: Exception | None) -> None:
        self.open.discard(self)
        if not self.turned_away:
            super().connection_lost(error)


class _Lmtp(_Smtp, LMTP):
    pass


class _Door:
    """The handler of all connections."""

    def __init__(self, intake: Intake, *, each: bool) -> None:
        self._intake = intake
        self._each = each  # LMTP answers for each recipient

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            if not await self._intake.accepts(address):
                return _NO_PLACE
        except _NOT_NOW as error:
            return _put_off(error)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        recipients = tuple(envelope.rcpt_tos)
        try:
            received = await self._intake.receive(
                envelope.content, recipients=recipients, null_sender=envelope.mail_from in (None, "", "<>")
            )
        except Invalid:
            answer = _NO_PLACE
        except _NOT_NOW as error:
            answer = _put_off(error)
        else:
            answer = f"250 OK {received.interaction}"
        return "\r\n".join([answer] * (len(recipients) if self._each else 1))

    async def handle_exception(self, error: Exception) -> str:
        """Called by aiosmtpd, whose own answer would be that it is for good."""
        log.error("mail.fault", exc_info=error)
        return _LATER


def _put_off(error: Exception) -> str:
    log.warning("mail.put_off", reason=type(error).__name__)
    return _LATER


class _Full(asyncio.Protocol):
    """Whoever comes when all places are taken."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        _turn_away(transport)


class MailServer:
    """Listens from `start` to `stop`."""

    def __init__(self, intake: Intake, *, protocol: str, at: tuple[str, int]) -> None:
        self._intake = intake
        self._protocol = protocol
        self._at = at
        self._open: set[_Smtp] = set()
        self._room = _Room(_ROOM)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        # The library tells of every command, and so of every address.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self._server = await asyncio.get_running_loop().create_server(self._connection, *self._at)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """What is on its way in is not answered, and so comes again."""
        if self._server is not None:
            self._server.close()
        for each in tuple(self._open):
            if each.transport is not None:
                cast("asyncio.Transport", each.transport).abort()
        self._intake.close()

    def _connection(self) -> asyncio.Protocol:
        if len(self._open) >= _MOST_CONNECTIONS:
            return _Full()
        kind = _Lmtp if self._protocol == "lmtp" else _Smtp
        handler = _Door(self._intake, each=self._protocol == "lmtp")
        options: dict[str, Any] = {"data_size_limit": LARGEST, "timeout": _IDLE, "enable_SMTPUTF8": True}
        connection = kind(handler, hostname="callcenter", ident="callcenter", **options)
        connection.open = self._open
        connection.room = self._room
        connection.intake = self._intake
        return connection
