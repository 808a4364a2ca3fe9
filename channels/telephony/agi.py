"""Sans-IO codec of the Asterisk Gateway Interface: bytes in, events out, commands to bytes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum, auto
from functools import cache, lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from callcenter.errors import Invalid

MAX_ENVIRONMENT: Final = 64 * 1024
MAX_LINE: Final = 8 * 1024
# AGI_BUF_LEN of res_agi.c is 2048 with the final NUL: a longer line is read as two commands.
MAX_COMMAND: Final = 2047
MAX_STRAY_LINES: Final = 100
MAX_QUERY_FIELDS: Final = 32

_REPLY = re.compile(r"(\d{3})(?: result=(-?[^ ]*))?(?: ?\((.*)\))?(?:.* endpos=(\d+))?", re.DOTALL)
_PLAIN_WORD = re.compile(r'[^\s"\\\x00-\x1f\x7f]+')
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\([A-Za-z0-9_(),:.*/@+-]*\))?")
_APPLICATION = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ENDPOINT = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_./@+:*#~=-]+")
_DIAL_OPTIONS = re.compile(r"[A-Za-z0-9()^:;_-]*")
# Asterisk writes these before the caller's number and name, and leaves line breaks in those: only the first one counts.
_BEFORE_THE_CALLER = frozenset(["network", "network_script", "request", "channel", "uniqueid"])
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class MalformedAgi(Exception):
    """The peer does not speak AGI, or speaks more of it than the limits allow."""


class GoneReason(StrEnum):
    """Why no more can be done for the caller on this connection."""

    HANGUP = "hangup"  # the line HANGUP: the caller left, or AMI Redirect or a blind transfer took the channel away
    DEAD_CHANNEL = "dead_channel"  # 511 to a command that needs a living channel
    FAILED = "failed"  # result=-1 to a command that fails only on a hung-up channel
    EOF = "eof"  # the connection ended


@dataclass(frozen=True, slots=True)
class Request:
    """The environment that opens a session; keys without their `agi_` prefix, `path` with its leading slash."""

    environment: Mapping[str, str]
    path: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command; `text` is what stood in parentheses, or the usage of a 520."""

    code: int
    result: str | None
    text: str | None
    endpos: int | None = None

    @property
    def ok(self) -> bool:
        return self.code == 200


@dataclass(frozen=True, slots=True)
class Gone:
    """Comes exactly once in a session; after `HANGUP` the dead-safe commands are still answered."""

    reason: GoneReason


Event = Request | Reply | Gone


class _NeedData(Enum):
    NEED_DATA = auto()


NEED_DATA: Final = _NeedData.NEED_DATA


@dataclass(frozen=True, slots=True)
class Command:
    """One line to Asterisk. `dead_safe`: is answered on a hung-up channel too. `fails_when_gone`: -1 means hung up."""

    line: bytes
    dead_safe: bool = False
    fails_when_gone: bool = True


@cache
def answer() -> Command:
    """Answer at once: the command ANSWER would wait up to 500 ms for the first RTP packet."""
    return exec_("Answer", "", "i")


@cache
def hangup() -> Command:
    return _command("HANGUP")


@lru_cache(maxsize=256)
def music_on(music_class: str = "default") -> Command:
    return _command("SET MUSIC ON", music_class)


@cache
def music_off() -> Command:
    return _command("SET MUSIC OFF")


@lru_cache(maxsize=256)
def get_variable(name: str) -> Command:
    return _command("GET VARIABLE", _checked(_VARIABLE, name, "variable name"), dead_safe=True, fails_when_gone=False)


def set_variable(name: str, value: str) -> Command:
    checked = _checked(_VARIABLE, name, "variable name")
    return _command("SET VARIABLE", checked, value, dead_safe=True, fails_when_gone=False)


def verbose(message: str, level: int = 1) -> Command:
    return _command("VERBOSE", message, str(level), dead_safe=True, fails_when_gone=False)


def stream_file(name: str, escape: str = "") -> Command:
    """Play a prompt; `escape` are the digits that end it. -1 means that it is missing, or that the caller left."""
    return _command("STREAM FILE", name, escape, fails_when_gone=False)


def wait_for_digit(seconds: float) -> Command:
    return _command("WAIT FOR DIGIT", str(round(seconds * 1000)))  # the key's ASCII code, or 0


def say_number(number: int) -> Command:
    """Spoken in the channel's language; -1 as for a prompt."""
    return _command("SAY NUMBER", str(number), "", fails_when_gone=False)


def exec_(app: str, *args: str) -> Command:
    """Run a dialplan application; no argument may hold a comma, which would make it two."""
    _checked(_APPLICATION, app, "application")
    for arg in args:
        if "," in arg:
            raise Invalid(f"a comma in an argument of {app}")
    return _command(f"EXEC {app}", *([",".join(args)] if args else []))


def dial(endpoint: str, *, timeout: timedelta, options: str = "", answered: str | None = None) -> Command:
    """Ring an endpoint such as `PJSIP/1001`.

    `answered`: runs `U(callcenter-answered^ID)` on the agent's leg when it answers. A result of -1 is no proof that the
    caller has left: without option `g` it also comes when the agent hangs up. If the caller left, HANGUP comes before
    the next reply.
    """
    _checked(_ENDPOINT, endpoint, "endpoint")
    _checked(_DIAL_OPTIONS, options, "dial options")
    if answered is not None:
        options += f"U(callcenter-answered^{_checked(_TOKEN, answered, 'id of an answer')})"
    seconds = f"{max(timeout.total_seconds(), 0.001):.3f}".rstrip("0").rstrip(".")
    return _command("EXEC Dial", f"{endpoint},{seconds},{options}".rstrip(","), fails_when_gone=False)


def quote(word: str) -> str:
    """One argument as parse_args() of res_agi.c reads it back."""
    if _PLAIN_WORD.fullmatch(word):
        return word
    if "\n" in word or "\r" in word or "\0" in word:
        raise Invalid("a line break or NUL in an AGI argument")
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise Invalid(f"not a valid {what}: {value[:80]!r}")
    return value


def _command(verb: str, *words: str, dead_safe: bool = False, fails_when_gone: bool = True) -> Command:
    text = " ".join([verb, *map(quote, words)]) + "\n"
    # surrogates (undecodable bytes from elsewhere) have no place on the wire
    line = text.encode("utf-8", "replace")
    if len(line) > MAX_COMMAND:
        raise Invalid(f"AGI command of {len(line)} bytes, at most {MAX_COMMAND} are read as one")
    return Command(line, dead_safe, fails_when_gone)


class AgiConnection:
    """Our side of one AGI session; one command may be in flight."""

    __slots__ = ("_buffer", "_ended", "_gone_next", "_gone_seen", "_in_flight", "_requested", "_scanned", "_stray")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._requested = False
        self._in_flight: Command | None = None
        self._gone_next: GoneReason | None = None
        self._gone_seen = False
        self._ended = False
        self._stray = 0

    @property
    def in_flight(self) -> bool:
        return self._in_flight is not None

    @property
    def gone(self) -> bool:
        return self._gone_seen or self._gone_next is not None

    def receive_data(self, data: bytes) -> None:
        """Take what was read; empty bytes mean end of file."""
        if data:
            self._buffer += data
        else:
            self._ended = True

    def send(self, command: Command) -> bytes:
        if self._in_flight is not None or not self._requested or self._ended:
            raise RuntimeError("an AGI command can be sent only after the environment and when none is in flight")
        self._in_flight = command
        return command.line

    def next_event(self) -> Event | _NeedData:
        """The next event; raises MalformedAgi when the peer is to be disconnected."""
        if not self._requested:
            request = self._read_request()
            if request is not None:
                return request
        elif self._buffer and self._gone_next is None:
            reply = self._read_plain_reply() or self._read_reply()
            if reply is not None:
                return reply
        if self._gone_next is not None:
            return self._say_gone(self._gone_next)
        if self._ended and not self._gone_seen:
            return self._say_gone(GoneReason.EOF)
        return NEED_DATA

    def _say_gone(self, reason: GoneReason) -> Gone:
        self._gone_seen, self._gone_next = True, None
        return Gone(reason)

    def _note_gone(self, reason: GoneReason) -> None:
        if not self._gone_seen:
            self._gone_next = reason

    def _read_request(self) -> Request | None:
        buffer = self._buffer
        if not b"agi_".startswith(buffer[:4]):
            raise MalformedAgi("the first line is no AGI environment")
        start = max(self._scanned - 2, 0)
        end, gap = buffer.find(b"\n\n", start), 2
        if end < 0:
            end, gap = buffer.find(b"\n\r\n", start), 3
        if max(end, len(buffer) if end < 0 else 0) > MAX_ENVIRONMENT:
            raise MalformedAgi("environment too long")
        if end < 0:
            self._scanned = len(buffer)
            return None
        block = buffer[:end].decode("utf-8", "replace")
        del buffer[: end + gap]
        self._scanned = 0
        self._requested = True
        return _parse_environment(block)

    def _read_line(self) -> str | None:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            if len(self._buffer) > MAX_LINE:
                raise MalformedAgi("line too long")
            self._scanned = len(self._buffer)
            return None
        if end > MAX_LINE:
            raise MalformedAgi("line too long")
        return self._buffer[:end].decode("utf-8", "replace").rstrip("\r")

    def _drop(self, upto: int) -> None:
        del self._buffer[:upto]
        self._scanned = 0

    def _read_plain_reply(self) -> Reply | None:
        """The usual case, one short reply to the command in flight and nothing else, at a third of the cost."""
        buffer = self._buffer
        size = len(buffer)
        if size > MAX_LINE or buffer[:11] != b"200 result=" or buffer.find(b"\n") != size - 1:
            return None
        command = self._in_flight
        result, _, value = buffer[11:-1].decode("utf-8", "replace").partition(" ")
        if (
            command is None
            or result == "-1"
            or "\r" in result
            or (value and not (value[0] == "(" and value[-1] == ")"))
        ):
            return None
        buffer.clear()
        self._scanned = 0
        self._in_flight = None
        return Reply(200, result, value[1:-1] if value else None)

    def _read_reply(self) -> Reply | None:
        """A reply, or None when there is none yet or when the channel turned out to be gone."""
        while self._buffer and (line := self._read_line()) is not None:
            if line.startswith("HANGUP"):
                self._drop(self._buffer.find(b"\n") + 1)
                self._note_gone(GoneReason.HANGUP)
                if self._gone_next is not None:
                    return None
                continue
            whole = self._whole_reply(line)
            if whole is None:
                return None
            if self._in_flight is None or whole == "" or whole.startswith("1"):
                self._count_stray(whole)
                continue
            return self._take_reply(self._in_flight, whole)
        return None

    def _whole_reply(self, line: str) -> str | None:
        """The text of a whole reply ('' for what is none), taken off the buffer; None when some of it is missing."""
        if line.startswith("520-"):
            end = self._find_end(b"\n520 ")
        elif "(" in line and line[:4] == "200 " and not line.endswith(")") and ")" not in line:
            # Asterisk does not escape: a value with a line break goes on until the closing parenthesis
            end = self._find_end(b")")
        else:
            self._drop(self._buffer.find(b"\n") + 1)
            return line if line[:3].isdigit() else ""
        if end is None:
            return None
        text = self._buffer[:end].decode("utf-8", "replace").rstrip("\r\n")
        self._drop(end)
        return text

    def _find_end(self, mark: bytes) -> int | None:
        at = self._buffer.find(mark)
        end = -1 if at < 0 else self._buffer.find(b"\n", at + len(mark))
        if (end if end >= 0 else len(self._buffer)) > MAX_LINE:
            raise MalformedAgi("reply too long")
        return None if end < 0 else end + 1

    def _count_stray(self, line: str) -> None:
        self._stray += 1
        if self._stray > MAX_STRAY_LINES:
            raise MalformedAgi(f"lines that nobody asked for, the last {line[:80]!r}")

    def _take_reply(self, command: Command, text: str) -> Reply:
        self._in_flight = None
        if text.startswith("520-"):
            return Reply(520, None, text)
        match = _REPLY.match(text)
        if match is None:
            raise MalformedAgi(f"not a reply: {text[:80]!r}")
        code, result, value, endpos = match.groups()
        if code == "511":
            self._note_gone(GoneReason.DEAD_CHANNEL)
        elif result == "-1" and command.fails_when_gone:
            self._note_gone(GoneReason.FAILED)
        if value is None and result is None:
            value = text[4:]
        return Reply(int(code), result, value, int(endpos) if endpos else None)


def _read_variables(block: str) -> dict[str, str]:
    lines = [line[4:].partition(":") for line in block.split("\n") if line.startswith("agi_")]
    environment = {sys.intern(name): value.strip() for name, colon, value in lines if colon}
    if len(environment) < len(lines):
        lines.reverse()
        first = {name: value.strip() for name, colon, value in lines if colon and name in _BEFORE_THE_CALLER}
        environment |= first
    return environment


def _parse_environment(block: str) -> Request:
    environment = _read_variables(block)
    script = environment.get("network_script") or _script_of(environment.get("request", ""))
    path, _, query = script.partition("?")
    if "%" not in query and "+" not in query and query.count("&") < MAX_QUERY_FIELDS:
        pairs = (field.partition("=") for field in query.split("&") if field)
        return Request(environment, "/" + path.strip("/"), {name: value for name, _, value in pairs})
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS, errors="replace")
    except ValueError as error:
        raise MalformedAgi("query with too many fields") from error
    return Request(environment, "/" + path.strip("/"), dict(fields))


def _script_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise MalformedAgi("agi_request is no address") from error
    return f"{parts.path.lstrip('/')}?{parts.query}"
