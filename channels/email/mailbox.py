"""A folder of an IMAP server (RFC 3501): one connection, whose every step has a deadline."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any, TypeVar

from aioimaplib import IMAP4, AioImapException
from aioimaplib.aioimaplib import Command, Response, quoted

from callcenter.errors import ChannelError
from callcenter.settings import ImapSettings

T = TypeVar("T")

_STEP = 15.0
# A message of the greatest size, over a slow line.
_FETCH = 300.0
_FAREWELL = 2.0
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE = re.compile(rb"\bUID (\d+)\b.*\bRFC822\.SIZE (\d+)|\bRFC822\.SIZE (\d+)\b.*\bUID (\d+)\b")
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]")
_AT_ONCE = 100  # UIDs of one command
# What the library raises when a server says what it does not expect.
_GARBLED = (AioImapException, AttributeError, IndexError, KeyError, TypeError, UnicodeError, ValueError)


class ImapTrouble(ChannelError):
    """The server is out of reach, or does not do what it is asked; `permanent`: nor will it, as things are set."""


class Folder:
    """An open one. Every method raises ImapTrouble."""

    def __init__(self, client: IMAP4, settings: ImapSettings, lost: "asyncio.Future[None]") -> None:
        self._client = client
        self._settings = settings
        self._lost = lost
        self.uidvalidity = 0

    @property
    def announces(self) -> bool:
        """Whether the server says when a message comes."""
        return bool(self._client.has_capability("IDLE"))

    async def _do(self, step: Awaitable[T], *, within: float = _STEP) -> T:
        """The library says nothing of a connection that is lost, in no command."""
        task = asyncio.ensure_future(step)
        try:
            await asyncio.wait((task, self._lost), timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        except _GARBLED as error:
            raise ImapTrouble(f"the server's answer was not understood: {error}", permanent=False) from None
        except OSError as error:  # TimeoutError is one
            raise ImapTrouble(_words(error), permanent=False) from None
        finally:
            task.cancel()
        raise ImapTrouble("the connection was lost" if self._lost.done() else "no answer in time", permanent=False)

    async def _ask(self, step: Awaitable[Response], what: str, *, within: float = _STEP) -> Sequence[Any]:
        response = await self._do(step, within=within)
        if response.result != "OK":
            said = b" ".join(bytes(line) for line in response.lines[-1:]).decode("utf-8", "replace")[:300]
            raise ImapTrouble(f"{what}: {said}", permanent=response.result == "NO")
        lines: Sequence[Any] = response.lines
        return lines

    async def open(self) -> None:
        """Signs in, and looks for the folders."""
        await self._do(self._client.wait_hello_from_server())
        if self._settings.security == "starttls":
            await self._encrypt()
        user, password = quoted(self._settings.user), self._settings.password.get_secret_value()
        await self._ask(self._client.login(user, password), "the log-in was refused")
        # Many servers tell what they can do only to whoever has signed in.
        await self._do(self._client.protocol.capability())
        name = self._settings.folder
        lines = await self._ask(self._client.select(_quoted(name)), f"the folder {name} cannot be opened")
        found = [match for line in lines if (match := _VALIDITY.search(bytes(line)))]
        if not found:
            raise ImapTrouble(f"the folder {name} has no lasting numbers (UIDVALIDITY)", permanent=True)
        self.uidvalidity = int(found[-1][1])

    async def has(self, folder: str) -> bool:
        step = self._client.status(_quoted(folder), "(UIDVALIDITY)")
        return bool((await self._do(step)).result == "OK")

    async def _encrypt(self) -> None:
        protocol = self._client.protocol
        await self._ask(protocol.execute(Command("STARTTLS", protocol.new_tag())), "no encryption (STARTTLS)")
        loop = asyncio.get_running_loop()
        step = loop.start_tls(
            protocol.transport, protocol, ssl.create_default_context(), server_hostname=self._settings.host
        )
        protocol.transport = await self._do(step)
        await self._do(protocol.capability())

    async def new(self, *, after: int, since: date) -> list[int]:
        """UIDs behind `after` of those that nobody has read, or that came on that day or later."""
        day = f"{since.day}-{_MONTHS[since.month - 1]}-{since.year}"
        terms = ["UID", f"{after + 1}:*", "UNDELETED", "OR", "UNSEEN", "SINCE", day]
        lines = await self._ask(self._client.uid_search(*terms, charset=None), "the folder cannot be searched")
        # A range always has the last message in it; and what follows the numbers is the server's last word.
        words = [word for line in lines[:-1] for word in bytes(line).split()]
        return sorted({int(word) for word in words if word.isdigit() and int(word) > after})

    async def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """In bytes; those that are gone are missing."""
        found: dict[int, int] = {}
        for some in _slices(uids):
            for line in await self._ask(self._client.uid("fetch", some, "(UID RFC822.SIZE)"), "no sizes"):
                if match := _SIZE.search(bytes(line)):
                    one, size = (match[1], match[2]) if match[1] else (match[4], match[3])
                    found[int(one)] = int(size)
        return found

    async def fetch(self, uid: int, *, most: int) -> bytes | None:
        """The message, or so much of its beginning, without a mark that it was read. None: it is gone."""
        step = self._client.protocol.uid("fetch", str(uid), f"(UID BODY.PEEK[]<0.{most}>)", timeout=None)
        lines = await self._ask(step, "a message cannot be fetched", within=_FETCH)
        return next((bytes(line) for line in lines if isinstance(line, bytearray)), None)

    async def see(self, uids: Collection[int]) -> None:
        for some in _slices(uids):
            await self._ask(self._client.uid("store", some, "+FLAGS.SILENT", "(\\Seen)"), "no message can be flagged")

    async def move(self, uids: Collection[int], to: str) -> None:
        """RFC 6851, or by hand."""
        for some in _slices(uids):
            if self._client.has_capability("MOVE"):
                await self._ask(self._client.uid("move", some, _quoted(to)), f"no message can be moved to {to}")
            else:
                await self._ask(self._client.uid("copy", some, _quoted(to)), f"no message can be copied to {to}")
                await self.delete(_uids(some))

    async def delete(self, uids: Collection[int]) -> None:
        """Without UIDPLUS they stay, marked: what others marked must not go with them."""
        for some in _slices(uids):
            await self._ask(self._client.uid("store", some, "+FLAGS.SILENT", "(\\Deleted)"), "nothing can be deleted")
            if self._client.has_capability("UIDPLUS"):
                await self._ask(self._client.uid("expunge", some), "nothing can be deleted")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While it lasts `announced` hears of messages (RFC 2177)."""
        idle = await self._do(self._client.idle_start(timeout=3_600))
        yield
        self._client.idle_done()
        await self._ask(idle, "it does not stop to listen")

    async def announced(self, within: float) -> bool:
        """Whether the folder has changed. A server that is gone is noticed by the next step, not by this one."""
        push = asyncio.ensure_future(self._client.protocol.idle_queue.get())
        try:
            await asyncio.wait((push, self._lost), timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            push.cancel()
        if self._lost.done():
            raise ImapTrouble("the connection was lost", permanent=False)
        return push.done() and not push.cancelled()

    async def alive(self) -> None:
        await self._ask(self._client.noop(), "no answer")


@asynccontextmanager
async def connect(settings: ImapSettings) -> AsyncIterator[Folder]:
    """The folder, opened. Raises ImapTrouble."""
    client = _client(settings)
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def gone(_: Exception | None) -> None:
        if not lost.done():
            lost.set_result(None)

    client.protocol.conn_lost_cb = gone
    folder = Folder(client, settings, lost)
    try:
        await folder.open()
        yield folder
        with suppress(*_GARBLED, OSError):
            await asyncio.wait_for(client.logout(), _FAREWELL)
    finally:
        await _drop(client)


def _client(settings: ImapSettings) -> IMAP4:
    context = ssl.create_default_context() if settings.security == "tls" else None
    return IMAP4(settings.host, settings.port, timeout=_STEP, ssl_context=context)


async def _drop(client: IMAP4) -> None:
    tasks = [client._client_task, *client.tasks, *client.protocol.tasks]  # noqa: SLF001 - it ends none of them itself
    for task in tasks:
        task.cancel()
    if client._idle_waiter is not None:  # noqa: SLF001
        client._idle_waiter.cancel()  # noqa: SLF001
    await asyncio.gather(*tasks, return_exceptions=True)
    if client.protocol.transport is not None:
        client.protocol.transport.abort()


def _slices(uids: Collection[int]) -> Iterable[str]:
    ordered = sorted(uids)
    for at in range(0, len(ordered), _AT_ONCE):
        yield ",".join(map(str, ordered[at : at + _AT_ONCE]))


def _uids(some: str) -> list[int]:
    return [int(each) for each in some.split(",")]


def _quoted(folder: str) -> str:
    return str(quoted(in_utf7(folder)))


def in_utf7(name: str) -> str:
    """A folder's name on the wire: modified UTF-7 (RFC 3501, section 5.1.3)."""
    pieces = re.split(r"([^ -~]+)", name)
    return "".join(
        "&" + piece.encode("utf-7").decode("ascii")[1:].rstrip("-").replace("/", ",") + "-"
        if n % 2
        else piece.replace("&", "&-")
        for n, piece in enumerate(pieces)
    )


def _words(error: OSError) -> str:
    match error:
        case TimeoutError():
            return "no answer in time"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message}"
        case _:
            return error.strerror or str(error) or type(error).__name__


async def complaints(settings: ImapSettings) -> list[str]:
    """What keeps us from reading a mailbox, in words; changes nothing there."""
    try:
        async with connect(settings) as folder:
            if settings.move_to is not None and not await folder.has(settings.move_to):
                reason = f"there is no folder {settings.move_to} to move messages to"
            else:
                return []
    except ImapTrouble as error:
        reason = str(error)
    return [f"The mailbox {settings.name} at {settings.host}:{settings.port} cannot be read: {reason}"]
