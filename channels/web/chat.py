"""One connection of a chat's visitor, as a value: frames in, acts and frames out; no IO.

Both ways are numbered. A line has its number in the chat, and a client says with `after` which it has seen; a client's
own lines have ids, and what got no answer is sent again under the same id. So a connection may break at any moment, and
the next one, to any node, goes on: nothing that matters is known to a connection alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import orjson
from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError

from callcenter.domain.chat import LONGEST_NAME, LONGEST_TEXT, Line, Side, bare_page, check_token
from callcenter.domain.interaction import State
from callcenter.errors import Invalid
from callcenter.ports import Wait
from callcenter.store.chats import Chat

# Bytes of a frame: a line of the longest kind in JSON, or a piece of a file.
LARGEST_FRAME = 64 * 1024
LARGEST_FILE = 10_000_000
# Frames: as many as somebody types and clicks, then one a quarter of a second.
_BURST = 30
_RATE = 4.0
# Bytes of a piece of a file that is not its last: smaller ones cost more than they bring.
_SMALLEST_PIECE = 1024
_SHOWN_STEP = 30  # seconds, of a wait that is shown

_STRICT = ConfigDict(extra="ignore")
_Word = Annotated[str, Field(max_length=64)]
_ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Code(StrEnum):
    """Why a line was not taken, for a program."""

    BAD = "bad"
    RATE = "rate"
    OVER = "over"
    CLOSED = "closed"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first frame of a connection. `after`: the last line that this page has; `proof`: the site's signed word."""

    __pydantic_config__ = _STRICT
    type: Literal["hello", "resume"]
    token: _Word
    browser: _Word
    language: _Word = "en"
    page: Annotated[str, Field(max_length=4000)] | None = None
    title: Annotated[str, Field(max_length=1000)] | None = None
    after: Annotated[int, Field(ge=0, lt=2**31)] = 0
    proof: Annotated[str, Field(max_length=4000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line. Name and mail address count with the first one, which opens the chat."""

    __pydantic_config__ = _STRICT
    type: Literal["message"]
    id: _ClientId
    text: Annotated[str, Field(max_length=4 * LONGEST_TEXT)]
    name: Annotated[str, Field(max_length=4 * LONGEST_NAME)] | None = None
    email: Annotated[str, Field(max_length=300)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBegins:
    """`size` bytes follow as binary frames, and become a line."""

    __pydantic_config__ = _STRICT
    type: Literal["file"]
    id: _ClientId
    name: Annotated[str, Field(max_length=300)]
    kind: Annotated[str, Field(max_length=200)] | None = None
    size: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    __pydantic_config__ = _STRICT
    type: Literal["typing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    __pydantic_config__ = _STRICT
    type: Literal["read"]
    upto: Annotated[int, Field(ge=1, lt=2**31)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The visitor went to another page without leaving the document."""

    __pydantic_config__ = _STRICT
    type: Literal["page"]
    page: Annotated[str, Field(max_length=4000)]
    title: Annotated[str, Field(max_length=1000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    __pydantic_config__ = _STRICT
    type: Literal["rate"]
    score: Annotated[int, Field(ge=0, le=10)]
    comment: Annotated[str, Field(max_length=2000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    __pydantic_config__ = _STRICT
    type: Literal["transcript"]
    email: Annotated[str, Field(max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The form that stands in place of the chat. `website` stays empty."""

    __pydantic_config__ = _STRICT
    type: Literal["form"]
    id: _ClientId
    values: dict[_Word, str]
    website: Annotated[str, Field(max_length=300)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMe:
    """They want to be called: `at` a moment of their choice, or in turn."""

    __pydantic_config__ = _STRICT
    type: Literal["callback"]
    id: _ClientId
    number: _Word
    at: AwareDatetime | None = None
    name: Annotated[str, Field(max_length=4 * LONGEST_NAME)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """How this number would be understood."""

    __pydantic_config__ = _STRICT
    type: Literal["number"]
    number: _Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When they could be called."""

    __pydantic_config__ = _STRICT
    type: Literal["times"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    __pydantic_config__ = _STRICT
    type: Literal["close"]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that has come whole."""

    id: str
    name: str
    kind: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """To the visitor."""

    frame: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection ends, with a code of WebSockets and words."""

    code: int
    reason: str


Frame = Annotated[
    Hello | Said | FileBegins | Typing | Read | Page | Rated | Transcript | Close | Filled | CallMe | Number | Times,
    Field(discriminator="type"),
]
# What the adapter is to do; a Hello is to be answered by `welcome`.
Instead = Filled | CallMe | Number | Times
Act = Hello | Said | Typing | Read | Page | Rated | Transcript | Close | Instead | Uploaded | Send | Drop
_FRAMES: TypeAdapter[Any] = TypeAdapter(Frame)

_WITH_IDS = ("message", "file", "form", "callback")

POLICY = 1008
TOO_LARGE = 1009
BAD = 1007


def refused(what: str | None, code: Code, reason: str) -> Send:
    """`what`: the id of the line."""
    return Send({"type": "refused", "id": what, "code": code, "reason": reason})


@dataclass(slots=True)
class Session:
    """What this connection knows: whether it said hello, which lines it was sent, and how much it may send."""

    greeted: bool = False
    sent: int = 0
    _shown: Mapping[str, Any] | None = None
    _left: float = float(_BURST)
    _at: datetime | None = None
    _file: FileBegins | None = None
    _pieces: bytearray = field(default_factory=bytearray)

    @property
    def held(self) -> int:
        """Bytes of a file that has not come whole."""
        return len(self._pieces)

    def receive(self, data: str, *, now: datetime) -> list[Act]:
        """What a text frame asks for."""
        if len(data) > LARGEST_FRAME:
            return [Drop(TOO_LARGE, f"a frame has at most {LARGEST_FRAME // 1024} KiB")]
        try:
            frame = _FRAMES.validate_python(orjson.loads(data))
        except orjson.JSONDecodeError:
            return [Drop(BAD, "a frame is JSON")]
        except ValidationError as error:
            return self._misread(data, error) if self._may(now) else [Drop(POLICY, "too many frames")]
        if not self._may(now):
            if isinstance(frame, Said | FileBegins | Filled | CallMe):
                return [refused(frame.id, Code.RATE, "That was fast; send it again in a moment.")]
            return [] if isinstance(frame, Typing | Read) else [Drop(POLICY, "too many frames")]
        if isinstance(frame, Hello):
            return self._hello(frame)
        if not self.greeted:
            return [Drop(POLICY, "hello comes first")]
        if isinstance(frame, FileBegins):
            return self._begin_file(frame)
        return [frame]

    def receive_bytes(self, data: bytes) -> list[Act]:
        """The next piece of a file."""
        if len(data) > LARGEST_FRAME:
            return [Drop(TOO_LARGE, f"a frame has at most {LARGEST_FRAME // 1024} KiB")]
        if not self.greeted:
            return [Drop(POLICY, "hello comes first")]
        begun = self._file
        if begun is None:
            return []  # the rest of a file that was refused
        self._pieces += data
        if self.held < begun.size:
            return [Drop(POLICY, "pieces are larger")] if len(data) < _SMALLEST_PIECE else []
        whole = bytes(self._pieces)
        self._file, self._pieces = None, bytearray()
        if len(whole) > begun.size:
            return [refused(begun.id, Code.BAD, "The file is longer than it said.")]
        return [Uploaded(begun.id, begun.name, begun.kind, whole)]

    def _hello(self, frame: Hello) -> list[Act]:
        if self.greeted:
            return [Drop(POLICY, "hello comes once")]
        try:
            check_token(frame.token)
            check_token(frame.browser)
        except Invalid as error:
            return [Drop(POLICY, str(error))]
        self.greeted = True
        self.sent = frame.after
        return [frame]

    def _begin_file(self, frame: FileBegins) -> list[Act]:
        self._file, self._pieces = None, bytearray()
        if frame.size > LARGEST_FILE:
            return [refused(frame.id, Code.BAD, f"A file has at most {LARGEST_FILE // 1_000_000} MB.")]
        self._file = frame
        return []

    def _misread(self, data: str, error: ValidationError) -> list[Act]:
        """A line is refused by its name; what else nobody understands is of a newer or another client, and left out."""
        given = orjson.loads(data)
        if not self.greeted:
            first = error.errors(include_url=False, include_input=False)[0]
            return [Drop(POLICY, f"hello: {first['msg']}"[:120])]
        if isinstance(given, dict) and given.get("type") in _WITH_IDS and isinstance(given.get("id"), str):
            return [refused(given["id"][:64], Code.BAD, "This line is too long or cannot be read.")]
        return []

    def _may(self, now: datetime) -> bool:
        """A bucket of frames that fills as time goes by."""
        if self._at is not None:
            self._left = min(float(_BURST), self._left + max(0.0, (now - self._at).total_seconds()) * _RATE)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def lines(self, lines: Iterable[tuple[Line, Mapping[str, Any]]]) -> Iterator[Mapping[str, Any]]:
        """Frames of those that this page does not have, without a gap: behind one they wait to be given again.

        Each with what else is shown of it (`name`, `files`).
        """
        for line, more in lines:
            if line.n == self.sent + 1:
                self.sent = line.n
                yield {
                    "type": "line",
                    "n": line.n,
                    "id": line.client_id if line.author is None else None,
                    "by": Side.VISITOR if line.author is None else Side.AGENT,
                    "text": line.text,
                    "at": line.at.isoformat(),
                    **more,
                }

    def state(self, shown: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The frame of a state, unless it is the one that this page shows."""
        if shown != self._shown:
            self._shown = shown
            yield shown


def where(chat: Chat, *, agent: str | None, wait: Wait | None, stars: bool) -> Mapping[str, Any]:
    """What a page shows of a chat. `agent`: the first name; `stars`: whether its queue asks how it was."""
    frame: dict[str, Any] = {"type": "state", "read": chat.agent_read}
    if not chat.open:
        return {**frame, "state": "over", "stars": stars and chat.agent is not None, "talked": chat.agent is not None}
    if chat.state is State.ACTIVE:
        return {**frame, "state": "talking", "agent": agent}
    return {
        **frame,
        "state": "waiting",
        "position": None if wait is None else wait.position,
        "expected": None if wait is None else shown_wait(wait.expected_seconds),
    }


def shown_wait(expected: float | None) -> int | None:
    """Seconds, in steps: a figure that dances is not believed."""
    return None if expected is None else max(_SHOWN_STEP, round(expected / _SHOWN_STEP) * _SHOWN_STEP)


def page_of(frame: Hello | Page) -> tuple[str | None, str | None]:
    """Address and title as they are kept."""
    title = " ".join((frame.title or "").split())
    return bare_page(frame.page), title[:200] or None


def in_language(texts: Mapping[str, str], language: str) -> str | None:
    """The text for this language, else for one like it (zh for zh_CN), for all (*), or the first."""
    wanted = language.replace("-", "_").lower()
    by_code = {code.lower(): text for code, text in texts.items()}
    alike = (text for code, text in by_code.items() if code.partition("_")[0] == wanted.partition("_")[0])
    return by_code.get(wanted) or next(alike, None) or by_code.get("*") or next(iter(by_code.values()), None)


def first_name(full_name: str) -> str:
    """Of 'Amy Chen' Amy; a Chinese name is whole."""
    words = full_name.split()
    return words[0] if words and full_name.isascii() else full_name
