"""Sans-IO codec of the Asterisk Manager Interface: bytes to banner, events and responses; actions to bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from callcenter.errors import Invalid

# the largest message is the output of a command such as `dialplan show`
MAX_MESSAGE: Final = 1 << 20
MAX_BANNER: Final = 256
# manager.c reads lines into 1,025 bytes and keeps 128 headers
MAX_LINE: Final = 1024
MAX_HEADERS: Final = 128

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_()-]*")
_END: Final = b"\r\n\r\n"


class MalformedAmi(Exception):
    """The peer does not speak AMI, or its message exceeds the limit."""


class Fields(Mapping[str, str]):
    """The headers of one message; only those that are asked for are read, since most of an event never is.

    A header may come several times (`ChanVariable`, `Output`): `[]` gives the first, so that what a user event appends
    cannot pass for what Asterisk wrote; `all()` gives every one.
    """

    __slots__ = ("_text",)

    def __init__(self, raw: bytes) -> None:
        self._text = "\r\n" + raw.decode("utf-8", "replace")

    def __getitem__(self, key: str) -> str:
        value = self._find(key)
        if value is None:
            raise KeyError(key)
        return value

    def _find(self, key: str) -> str | None:
        mark = f"\r\n{key}:"
        start = self._text.find(mark)
        if start < 0:
            return None
        start += len(mark)
        end = self._text.find("\r\n", start)
        return self._text[start : end if end >= 0 else None].removeprefix(" ")

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for line in self._text[2:].split("\r\n"):
            key, colon, value = line.partition(":")
            if colon:
                yield key, value.removeprefix(" ")

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs()))

    def __len__(self) -> int:
        return len(dict(self._pairs()))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not None

    def __repr__(self) -> str:
        return f"Fields({list(self._pairs())})"

    def all(self, key: str) -> list[str]:
        return [value for name, value in self._pairs() if name == key]

    def is_doubled(self, key: str) -> bool:
        return self._text.count(f"\r\n{key}:") > 1

    def variables(self, key: str = "ChanVariable") -> dict[str, str]:
        """The channel variables that `channelvars` of manager.conf adds to every event of a channel."""
        pairs = (value.partition("=") for value in self.all(key))
        return {name: value for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Banner:
    """The greeting: the version of the protocol, such as `11.0.0`."""

    version: str


@dataclass(frozen=True, slots=True)
class Event:
    """What happened; `fields` holds every header, `Event` included."""

    name: str
    fields: Fields

    @property
    def action_id(self) -> str | None:
        return self.fields.get("ActionID")

    @property
    def ends_list(self) -> bool:
        return self.fields.get("EventList") in ("Complete", "cancelled")


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to one action."""

    action_id: str | None
    success: bool
    message: str
    fields: Fields

    @property
    def starts_list(self) -> bool:
        return self.fields.get("EventList") == "start"

    @property
    def output(self) -> list[str]:
        """The lines that a Command printed."""
        return self.fields.all("Output")


class _NeedData(Enum):
    NEED_DATA = auto()


NEED_DATA: Final = _NeedData.NEED_DATA


def encode(action: str, action_id: str, fields: Mapping[str, str | Sequence[str]] | None = None) -> bytes:
    """One action; raises Invalid for what Asterisk would read as another header or action, or not at all."""
    lines = [_line("Action", action), _line("ActionID", action_id)]
    for key, value in (fields or {}).items():
        values = [value] if isinstance(value, str) else value
        lines += [_line(key, one) for one in values]
    if len(lines) > MAX_HEADERS:
        raise Invalid(f"an AMI action of {len(lines)} headers, Asterisk keeps {MAX_HEADERS}")
    return b"".join(lines) + b"\r\n"


def _line(key: str, value: str) -> bytes:
    if not _KEY.fullmatch(key):
        raise Invalid(f"not the name of an AMI header: {key[:80]!r}")
    if "\r" in value or "\n" in value or "\0" in value:
        raise Invalid(f"a line break or NUL in the AMI header {key}")
    line = f"{key}: {value}\r\n".encode("utf-8", "replace")
    if len(line) > MAX_LINE:
        raise Invalid(f"the AMI header {key} is {len(line)} bytes long, Asterisk reads {MAX_LINE}")
    return line


class AmiFraming:
    """Cuts a stream into messages; both ends use it."""

    __slots__ = ("_buffer", "_scanned")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0

    def receive_data(self, data: bytes) -> None:
        self._buffer += data

    def next_line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end > MAX_BANNER or (end < 0 and len(self._buffer) > MAX_BANNER):
            raise MalformedAmi("no AMI greeting")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def messages(self) -> list[bytes]:
        """Every whole message so far, without its last line break."""
        buffer = self._buffer
        end = buffer.rfind(_END, max(self._scanned - 3, 0))
        if end < 0:
            self._scanned = len(buffer)
            if len(buffer) > MAX_MESSAGE:
                raise MalformedAmi("AMI message too long")
            return []
        whole = bytes(buffer[:end])
        del buffer[: end + len(_END)]
        self._scanned = 0
        return whole.split(_END)


class AmiConnection:
    """The client's side of one AMI connection."""

    __slots__ = ("_framing", "_greeted", "_ready")

    def __init__(self) -> None:
        self._framing = AmiFraming()
        self._greeted = False
        self._ready: list[Banner | Event | Response] = []

    def receive_data(self, data: bytes) -> None:
        self._framing.receive_data(data)

    def events(self) -> list[Banner | Event | Response]:
        """All that has arrived since the last call; raises MalformedAmi."""
        found: list[Banner | Event | Response] = []
        if not self._greeted:
            line = self._framing.next_line()
            if line is None:
                return found
            found.append(_banner(line))
            self._greeted = True
        for raw in self._framing.messages():
            message = _message(raw)
            if message is not None:
                found.append(message)
        return found

    def next_event(self) -> Banner | Event | Response | _NeedData:
        """The same one by one."""
        if not self._ready:
            self._ready = self.events()
            self._ready.reverse()
        return self._ready.pop() if self._ready else NEED_DATA


def _banner(line: bytes) -> Banner:
    name, slash, version = line.decode("utf-8", "replace").partition("/")
    if not slash or "Call Manager" not in name:
        raise MalformedAmi(f"no AMI greeting: {line[:80]!r}")
    return Banner(version.strip())


def _message(raw: bytes) -> Event | Response | None:
    if raw[:7] == b"Event: ":
        end = raw.find(b"\r\n")
        name = raw[7:] if end < 0 else raw[7:end]
        return Event(name.decode("utf-8", "replace"), Fields(raw))
    fields = Fields(raw)
    if "Response" in fields:
        success = fields["Response"] in ("Success", "Goodbye", "Follows")
        return Response(fields.get("ActionID"), success, fields.get("Message", ""), fields)
    return Event(fields["Event"], fields) if "Event" in fields else None
