"""What Outlook packs into winmail.dat (MS-OXTNEF): its files, where they stand, and its text; pure, in bounded time.

Only what is needed is looked at, and the bytes of a file are never copied. What is broken ends the reading there:
`whole` is False then, and what was found before is kept.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from channels.email.charsets import decode
from channels.email.headers import one_line

_SIGNATURE = b"\x78\x9f\x3e\x22"
_DEEPEST = 3
_MOST_FILES = 200
_MOST_STEPS = 20_000  # attributes and values of properties
_LONGEST_TEXT = 1_000_000  # bytes, of all texts
_LONGEST_CID = 250
_GUID = 16  # bytes


class _Attribute(IntEnum):
    """MS-OXTNEF 2.1.3: its type, and its name."""

    CODEPAGE = 0x69007
    CLASS = 0x78008
    SUBJECT = 0x18004
    BODY = 0x2800C
    MESSAGE = 0x69003  # properties
    BEGINS_FILE = 0x69002
    TITLE = 0x18010
    DATA = 0x6800F
    FILE = 0x69005  # properties


class _Property(IntEnum):
    """MS-OXPROPS."""

    SUBJECT = 0x0037
    TEXT = 0x1000
    RTF = 0x1009
    HTML = 0x1013
    CONTENT = 0x3701
    SHORT_NAME = 0x3704
    LONG_NAME = 0x3707
    KIND = 0x370E
    CID = 0x3712


# MS-OXCDATA 2.11.1: how many bytes a value has; the types that are not here say it before each value.
_FIXED = {0: 0, 1: 0, 2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 2, 20: 8, 64: 8, 72: 16}
_OBJECT, _STRING, _UNICODE, _BINARY = 13, 30, 31, 258
_MANY = 0x1000
_NAMED = 0x8000
# A message that somebody wrote. An appointment or a task would lose what makes it one.
_LETTERS = ("", "ipm.note", "ipm.microsoft mail.note")


@dataclass(slots=True)
class File:
    """`start` and `length` are of the packed bytes."""

    name: str = ""
    kind: str = ""
    cid: str = ""
    start: int = 0
    length: int = 0


@dataclass(slots=True)
class Unpacked:
    """`html` is the source as it came. `rtf`: there is a text in a form that is not read (MS-OXRTFCP).

    `whole`: but for that one, nothing else was in it that a reader would miss.
    """

    subject: str = ""
    text: str = ""
    html: str = ""
    rtf: bool = False
    files: list[File] = field(default_factory=list)
    enclosed: list["Unpacked"] = field(default_factory=list)
    whole: bool = True

    @property
    def says_all(self) -> bool:
        return bool(self.text.strip() or self.html.strip()) or not self.rtf


def unpack(data: bytes) -> Unpacked:
    return _Reader(data).message(0, len(data), depth=1)


class _BrokenError(Exception):
    """Something is said to be where nothing can be, or there is too much of it."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._steps = _MOST_STEPS
        self._room = _LONGEST_TEXT
        self._files = _MOST_FILES
        self._codepage = "cp1252"

    def message(self, start: int, end: int, *, depth: int) -> Unpacked:
        found, of = Unpacked(), ""
        try:
            for attribute, at, length in self._attributes(start, end):
                match attribute:
                    case _Attribute.CODEPAGE if length >= 4:
                        self._codepage = f"cp{self._number(at, end)}"
                    case _Attribute.CLASS:
                        of = self._said(at, length)
                    case _Attribute.SUBJECT:
                        found.subject = self._said(at, length)
                    case _Attribute.BODY:
                        found.text = self._said(at, length)
                    case _Attribute.MESSAGE:
                        self._of_message(found, at, at + length)
                    case _:
                        self._of_files(found, attribute, at, length, depth)
        except _BrokenError:
            found.whole = False
        inside = all(each.whole and each.says_all for each in found.enclosed)
        found.whole = found.whole and inside and of.lower() in _LETTERS
        found.files = [each for each in found.files if each.length]
        return found

    def _of_message(self, found: Unpacked, at: int, end: int) -> None:
        for name, kind, start, length in self._properties(at, end):
            match name:
                case _Property.SUBJECT:
                    found.subject = self._said(start, length, kind)
                case _Property.TEXT:
                    found.text = self._said(start, length, kind)
                case _Property.HTML:
                    found.html = self._said(start, length, kind)
                case _Property.RTF:
                    found.rtf = True

    def _of_files(self, found: Unpacked, attribute: int, at: int, length: int, depth: int) -> None:
        """What follows the beginning of a file is about it."""
        if attribute == _Attribute.BEGINS_FILE:
            found.files.append(self._begin())
        elif found.files:
            file = found.files[-1]
            match attribute:
                case _Attribute.TITLE:
                    file.name = file.name or self._said(at, length)
                case _Attribute.DATA:
                    file.start, file.length = at, length
                case _Attribute.FILE:
                    self._of_file(found, at, at + length, depth)

    def _of_file(self, found: Unpacked, at: int, end: int, depth: int) -> None:
        file = found.files[-1]
        for name, kind, start, length in self._properties(at, end):
            match name:
                case _Property.LONG_NAME:
                    file.name = self._said(start, length, kind)
                case _Property.SHORT_NAME:
                    file.name = file.name or self._said(start, length, kind)
                case _Property.KIND:
                    file.kind = self._said(start, length, kind).lower()
                case _Property.CID:
                    file.cid = one_line(self._said(start, length, kind)).strip("<>")[:_LONGEST_CID]
                case _Property.CONTENT:
                    skip = min(_GUID, length) if kind == _OBJECT else 0
                    file.start, file.length = start + skip, length - skip
                    if depth < _DEEPEST and self._data.startswith(_SIGNATURE, file.start):
                        found.enclosed.append(self.message(file.start, start + length, depth=depth + 1))
                        file.length = 0

    def _attributes(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Of each its name, where its data begin and how many bytes they are."""
        if not self._data.startswith(_SIGNATURE, start):
            raise _BrokenError
        at = start + len(_SIGNATURE) + 2
        if at >= end:
            raise _BrokenError
        while at < end:
            self._step()
            if self._data[at] not in (1, 2):
                raise _BrokenError
            name, length = self._number(at + 1, end), self._number(at + 5, end)
            at += 9
            if length > end - at:
                raise _BrokenError
            yield name, at, length
            at += length + 2  # a sum of its bytes, which no transfer of today breaks

    def _properties(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Of each its name, type, and where its first value stands, in bytes (MS-OXTNEF 2.1.3.4)."""
        count, at = self._number(at, end), at + 4
        for _ in range(count):
            self._step()
            kind, name = divmod(self._number(at, end), 0x10000)[::-1]
            at += 4
            if name >= _NAMED:
                at = self._behind_name(at, end)
            many, kind = bool(kind & _MANY), kind & ~_MANY
            size = _FIXED.get(kind)
            if size is None and kind not in (_OBJECT, _STRING, _UNICODE, _BINARY):
                raise _BrokenError
            values = 1
            if many or size is None:
                values, at = self._number(at, end), at + 4
            if size is not None:
                first, length = at, size
                at += values * _padded(size)
            else:
                first, length = at, 0
                for nth in range(values):
                    self._step()
                    long = self._number(at, end)
                    first, length = (at + 4, long) if nth == 0 else (first, length)
                    at += 4 + _padded(long)
            if at > end + 3:  # some leave out the last padding
                raise _BrokenError
            yield name, kind, first, max(min(length, end - first), 0)

    def _behind_name(self, at: int, end: int) -> int:
        at += _GUID
        by_words = self._number(at, end)
        return at + 8 + (_padded(self._number(at + 4, end)) if by_words else 0)

    def _number(self, at: int, end: int) -> int:
        if at + 4 > end:
            raise _BrokenError
        return int(struct.unpack_from("<I", self._data, at)[0])

    def _said(self, at: int, length: int, kind: int = 0) -> str:
        self._room -= length
        if self._room < 0:
            raise _BrokenError
        data = self._data[at : at + length]
        text = data.decode("utf-16-le", "replace") if kind == _UNICODE else decode(data, self._codepage)[0]
        return text.rstrip("\0").replace("\0", "")

    def _begin(self) -> File:
        self._files -= 1
        if self._files < 0:
            raise _BrokenError
        return File()

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise _BrokenError


def _padded(size: int) -> int:
    return (size + 3) // 4 * 4
