"""TOML files read so that every complaint names the line, the key and what was expected there."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from callcenter.errors import Invalid

T = TypeVar("T")
Location = tuple[str | int, ...]

_SECRET = ("secret", "password")  # keys whose values no complaint repeats


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands (a file's line, or the environment), which key, what was expected."""

    place: str
    key: str
    expected: str

    @property
    def line(self) -> int | None:
        found = re.search(r", line (\d+)$", self.place)
        return int(found[1]) if found else None

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.expected}" if self.key else f"{self.place}: {self.expected}"


class BadFile(Invalid):
    """A settings or organisation file cannot be used; one line for each of its `problems`."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says (`data`), and the line (from 1) of each of its keys and list items."""

    name: str
    data: dict[str, Any]
    lines: Mapping[Location, int]

    def problem(self, location: Location, expected: str) -> Problem:
        """Complain about what stands at `location`, or, where nothing does, about the nearest thing around it."""
        around = location
        while around and around not in self.lines:
            around = around[:-1]
        line = self.lines.get(around)
        return Problem(f"{self.name}, line {line}" if line else self.name, _dotted(location), expected)

    def read_as(self, adapter: TypeAdapter[T]) -> T:
        """Validate the whole file as one value; raises BadFile with everything that is wrong."""
        try:
            return adapter.validate_python(self.data)
        except ValidationError as error:
            problems = [self.problem(_in_file(details, self), wanted(details)) for details in error.errors()]
            raise BadFile(problems) from None


def read(path: Path) -> Document:
    """Read a file; raises BadFile when it is not there or is not TOML."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadFile([Problem(str(path), "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise BadFile([Problem(str(path), "", f"UTF-8 text was expected; byte {error.start} is not")]) from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Document:
    """Read a text; `name` is what complaints call it. Raises BadFile when it is not TOML."""
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words, line = str(error), text.count("\n") + 1
        if found := re.search(r" \(at line (\d+), column \d+\)$", words):
            words, line = words[: found.start()], int(found[1])
        raise BadFile([Problem(f"{name}, line {line}", "", f"not TOML: {words}")]) from None
    return Document(name, data, _Lines(text).find())


def wanted(details: ErrorDetails) -> str:
    """Say in words what a validation error asks for."""
    if details["type"] == "extra_forbidden":
        return "there is no such key"
    if details["type"] == "missing":
        return "this key is needed"
    secret = any(word in str(details["loc"][-1:]) for word in _SECRET)
    long = isinstance(details["input"], str) and "\n" in details["input"]
    given = "" if secret or long or isinstance(details["input"], dict | list) else f", not {details['input']!r}"
    return details["msg"].removeprefix("Value error, ").replace("Input should be", "expected") + given


def _in_file(details: ErrorDetails, document: Document) -> Location:
    # Names of union members and of validators stand in pydantic's path, but not in the file.
    where: Location = ()
    for part in details["loc"]:
        if (*where, part) in document.lines or part == details["loc"][-1]:
            where = (*where, part)
    return where


def _dotted(location: Location) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(r'''"""(?:[^\\]|\\[\s\S])*?"{3,5}|\'\'\'[\s\S]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''')
_PLAIN = re.compile(r"[^\s,\]}#]+(?: [0-9:.]+[Z0-9:+.-]*)?")


@dataclass(slots=True)
class _Lines:
    """A walk through a text that is known to be TOML, which notes where each key and item stands."""

    text: str
    at: int = 0
    lines: dict[Location, int] = field(default_factory=dict)
    tables: dict[Location, int] = field(default_factory=dict)  # arrays of tables: the index of the last one

    def find(self) -> dict[Location, int]:
        table: Location = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _note(self, location: Location, at: int) -> None:
        self.lines.setdefault(location, self.text.count("\n", 0, at) + 1)

    def _header(self) -> Location:
        start = self.at
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        location: Location = ()
        keys = self._keys()
        for i, key in enumerate(keys):
            location = (*location, key)
            self._note(location, start)
            if many and i == len(keys) - 1:
                self.tables[location] = self.tables.get(location, -1) + 1
            if location in self.tables:
                location = (*location, self.tables[location])
                self._note(location, start)
        self.at += 2 if many else 1
        return location

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            start = self.at
            quoted = self.text[start : self._skip(_KEY)]
            keys.append(next(iter(tomllib.loads(f"{quoted} = 0"))))
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _pair(self, table: Location) -> None:
        start = self.at
        location = table
        for key in self._keys():
            location = (*location, key)
            self._note(location, start)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(location)

    def _value(self, location: Location) -> None:
        match self.text[self.at]:
            case "[":
                self._members("]", location)
            case "{":
                self._members("}", location)
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_PLAIN)

    def _members(self, end: str, location: Location) -> None:
        self.at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != end:
            if end == "}":
                self._pair(location)
            else:
                self._note((*location, index), self.at)
                self._value((*location, index))
                index += 1
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1
