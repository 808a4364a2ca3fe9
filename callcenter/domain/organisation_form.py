"""Entries of an organisation file as forms, made of the keys that the file declares; what none can show is text."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from callcenter.domain.duration import format_duration
from callcenter.domain.organisation_file import FileTable
from callcenter.domain.organisation_text import value_text

Schema = Mapping[str, Any]
Typed = Mapping[str, Sequence[str]]


class Shape(StrEnum):
    """How a key is edited."""

    TEXT = "text"
    LONG = "long"  # several lines
    HIDDEN = "hidden"  # never shown again
    NUMBER = "number"
    DURATION = "duration"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"  # any of several
    LIST = "list"  # one a line
    SERIES = "series"  # one beside the other, as intervals of a day
    MAP = "map"  # names that somebody makes up, each with a value
    TABLE = "table"
    TABLES = "tables"
    TOML = "toml"  # as the file has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A key with what stands in it. `path` as complaints write it; `table`: whose names are offered.

    `usual`: what holds when it is empty. `rows` of a map are (key, value), of tables the fields of each.
    """

    path: str
    key: str
    shape: Shape
    value: str = ""
    values: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    table: str = ""
    usual: str = ""
    required: bool = False
    problems: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()

    @property
    def is_set(self) -> bool:
        return bool(self.value or self.values or self.rows or self.problems or any(each.is_set for each in self.fields))


class Unread(str):
    """What was typed where a value of TOML was expected, and is none."""

    __slots__ = ()


_LONG = frozenset({"text", "signature", "greeting", "closing", "note", "reply"})
_SECRETS = frozenset({"password", "secret"})
# Of the server's environment no page says anything.
_NOT_HERE = frozenset({"password_env", "secret_env", "secrets_env"})
# The schema tells one of their two forms only.
_AS_TEXT = frozenset({"needs"})
# Keys that name entries of another table, wherever they stand.
_NAMES = {
    "manager": "users", "agent": "users", "hours": "hours", "queue": "queues", "to": "queues", "lend": "queues",
    "scorecard": "scorecards", "checklist": "checklists", "contract": "contracts",
}  # fmt: skip
_NAMES_AT = {"widgets.form": "web_forms", "queues.survey.form": "surveys"}
_NOT_NAMES = frozenset({"triggers.then.mail.to"})


@cache
def _whole() -> Schema:
    return TypeAdapter(FileTable).json_schema()


def declared(kind: str) -> Schema:
    """What is known of one table of the file."""
    found = _plain(_whole()["properties"][kind])
    return _plain(found["items"]) if found.get("type") == "array" else found


def _plain(schema: Schema) -> Schema:
    """Without references and without the null of what may be absent; {} where several forms are allowed."""
    while True:
        if "$ref" in schema:
            target = _whole()["$defs"][schema["$ref"].rpartition("/")[2]]
            schema = {**target, **{key: each for key, each in schema.items() if key != "$ref"}}
        elif "anyOf" in schema:
            forms = [each for each in schema["anyOf"] if each.get("type") != "null"]
            rest = {key: each for key, each in schema.items() if key != "anyOf"}
            schema = {**forms[0], **rest} if len(forms) == 1 else rest
        else:
            return schema


_OF_STRINGS = {"duration": Shape.DURATION}
_OF_TYPES = {"boolean": Shape.YES_NO, "integer": Shape.NUMBER, "number": Shape.NUMBER}


def _shape(key: str, schema: Schema) -> Shape:
    kind = schema.get("type")
    if key in _AS_TEXT:
        return Shape.TOML
    if "enum" in schema or "const" in schema:
        return Shape.CHOICE
    if kind == "string":
        plain = Shape.HIDDEN if key in _SECRETS else Shape.LONG if key in _LONG else Shape.TEXT
        return _OF_STRINGS.get(schema.get("format", ""), plain)
    if kind == "array":
        return _shape_of_array(_plain(schema.get("items", {})))
    if kind == "object":
        return _shape_of_object(schema)
    return _OF_TYPES.get(str(kind), Shape.TOML)


def _shape_of_array(items: Schema) -> Shape:
    if "enum" in items:
        return Shape.CHOICES
    if items.get("type") == "string":
        return Shape.LIST
    return Shape.TABLES if "properties" in items else Shape.TOML


def _shape_of_object(schema: Schema) -> Shape:
    if "properties" in schema or _fixed(schema):
        return Shape.TABLE
    inner = _values(schema)
    return Shape.MAP if inner.get("type") in ("string", "integer", "number") or _is_series(inner) else Shape.TOML


def _values(schema: Schema) -> Schema:
    """What the values of a map are."""
    patterns = list(schema.get("patternProperties", {}).values())
    more = schema.get("additionalProperties")
    return _plain(patterns[0] if patterns else more if isinstance(more, Mapping) else {})


def _fixed(schema: Schema) -> Sequence[str]:
    """The keys of a map, where no others are allowed."""
    names: Sequence[str] = _plain(schema.get("propertyNames", {})).get("enum", ())
    return names if _values(schema) else ()


def _is_series(schema: Schema) -> bool:
    return schema.get("type") == "array" and _plain(schema.get("items", {})).get("type") == "string"


def _children(schema: Schema) -> Iterator[tuple[str, Schema, Shape]]:
    for key in _fixed(schema):
        inner = _values(schema)
        yield key, inner, Shape.SERIES if _shape(key, inner) is Shape.LIST else _shape(key, inner)
    for key, found in schema.get("properties", {}).items():
        if key not in _NOT_HERE:
            plain = _plain(found)
            yield key, plain, _shape(key, plain)


# -- showing


@dataclass(slots=True)
class Complaints:
    """Words by the path that they are about; `left` are those that no field has shown."""

    words: Sequence[tuple[str, str]]
    shown: set[tuple[str, str]] = field(default_factory=set)

    def at(self, path: str, *, within: bool) -> tuple[str, ...]:
        inside = (f"{path}.", f"{path}[")
        found = [each for each in self.words if each[0] == path or (within and each[0].startswith(inside))]
        self.shown.update(found)
        return tuple(words for _, words in found)

    @property
    def left(self) -> list[tuple[str, str]]:
        return [each for each in self.words if each not in self.shown]


def fields_of(kind: str, table: Mapping[str, Any], complaints: Complaints) -> tuple[Field, ...]:
    """The form of an entry; `complaints` by path within it."""
    return _fields(declared(kind), table, "", kind, complaints)


def _fields(
    schema: Schema, table: Mapping[str, Any], path: str, kind: str, complaints: Complaints
) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        _field(
            key, found, shape, table.get(key), f"{path}.{key}".removeprefix("."), f"{kind}.{key}",
            complaints=complaints, required=key in required,
        )
        for key, found, shape in _children(schema)
    )  # fmt: skip


def _field(
    key: str, schema: Schema, shape: Shape, value: Any, path: str, place: str, *, complaints: Complaints, required: bool
) -> Field:  # fmt: skip
    shape = shape if _fits(shape, value) else Shape.TOML
    nested = shape in (Shape.TABLE, Shape.TABLES)
    more: dict[str, Any] = {}
    match shape:
        case Shape.TABLE:
            more["fields"] = _fields(schema, value or {}, path, place, complaints)
        case Shape.TABLES:
            inner = _plain(schema["items"])
            tables = [{"agent": each} if isinstance(each, str) else each for each in value or ()]
            more["rows"] = tuple(
                _fields(inner, each, f"{path}[{n}]", place, complaints) for n, each in enumerate(tables, 1)
            )
        case Shape.MAP:
            more["rows"] = tuple((name, _word(each)) for name, each in (value or {}).items())
        case Shape.CHOICES:
            given = (schema.get("default") or ()) if value is None else value
            more["values"] = tuple(map(str, [given] if isinstance(given, str) else given))
            more["options"] = tuple(_plain(schema["items"])["enum"])
        case Shape.CHOICE:
            more["value"] = _word(value)
            more["options"] = tuple(map(str, schema.get("enum", (schema.get("const"),))))
        case Shape.LIST:
            more["value"] = "\n".join(map(str, value or ()))
        case Shape.TOML:
            more["value"] = "" if value is None else str(value) if isinstance(value, Unread) else value_text(value)
        case _:
            more["value"] = _word(value)
    named = names_of(place, key)
    return Field(
        path=path, key=key, shape=shape, table=named if shape is Shape.TEXT else "", usual=_usual(schema, shape),
        required=required, problems=complaints.at(path, within=not nested), **more,
    )  # fmt: skip


def names_of(place: str, key: str) -> str:
    """The table whose entries a key names; `place` is the way to it, as `queues.members.agent`."""
    return "" if place in _NOT_NAMES else _NAMES_AT.get(place, _NAMES.get(key, ""))


def _fits(shape: Shape, value: Any) -> bool:
    match shape:
        case _ if value is None:
            return True
        case _ if isinstance(value, Unread):
            return shape is Shape.TOML
        case Shape.TABLE | Shape.MAP:
            return isinstance(value, Mapping)
        case Shape.TABLES:
            return isinstance(value, list) and all(isinstance(each, dict | str) for each in value)
        case Shape.LIST | Shape.SERIES | Shape.CHOICES:
            return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))
        case Shape.TOML:
            return True
        case _:
            return not isinstance(value, list | dict)


def _word(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _usual(schema: Schema, shape: Shape) -> str:
    found = schema.get("default")
    if found in (None, "") or isinstance(found, list | dict):
        return ""
    if shape is Shape.DURATION:
        return format_duration(TypeAdapter(timedelta).validate_python(found))
    return _word(found)


# -- reading


def read_entry(kind: str, typed: Typed) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What a form says, and what in it cannot be read: (path, words). The rest is for the file's own rules to judge."""
    unreadable: list[tuple[str, str]] = []
    return _read_table(declared(kind), typed, "", unreadable), unreadable


def _read_table(schema: Schema, typed: Typed, path: str, unreadable: list[tuple[str, str]]) -> dict[str, Any]:
    table = {}
    for key, found, shape in _children(schema):
        value = _read(found, shape, typed, f"{path}.{key}".removeprefix("."), unreadable)
        if value is not None:
            table[key] = value
    return table


def _read(schema: Schema, shape: Shape, typed: Typed, path: str, unreadable: list[tuple[str, str]]) -> Any:
    if f"toml:{path}" in typed:
        return _read_toml(_one(typed, f"toml:{path}"), path, unreadable)
    text = _one(typed, path)
    match shape:
        case Shape.TABLE:
            return _read_table(schema, typed, path, unreadable) or None
        case Shape.TABLES:
            inner, count = _plain(schema["items"]), _one(typed, f"{path}#")
            numbers = range(1, int(count) + 1 if count.isdecimal() and len(count) < 5 else 1)
            rows = [_read_table(inner, typed, f"{path}[{n}]", unreadable) for n in numbers]
            return [row for row in rows if any(each != [] for each in row.values())] or None
        case Shape.MAP:
            return _read_map(schema, typed, path)
        case Shape.CHOICES:
            usual, given = schema.get("default") or [], [*typed.get(path, ())]
            return None if given == usual else given
        case Shape.LIST | Shape.SERIES:
            parts = text.splitlines() if shape is Shape.LIST else text.replace("，", ",").split(",")
            return [part.strip() for part in parts if part.strip()] or None
        case Shape.YES_NO | Shape.NUMBER:
            return _number(text)
        case Shape.LONG:
            return text if text.strip() else None
        case _:
            return text.strip() or None


def _one(typed: Typed, path: str) -> str:
    return next(iter(typed.get(path, ())), "").replace("\r\n", "\n")


def _read_map(schema: Schema, typed: Typed, path: str) -> dict[str, Any] | None:
    inner, found = _values(schema), {}
    for name, text in zip(typed.get(f"{path}#key", ()), typed.get(f"{path}#value", ()), strict=False):
        if name.strip() or text.strip():
            listed = [part.strip() for part in text.split(",") if part.strip()]
            value = listed if inner.get("type") == "array" else _number(text) if "integer" in inner.values() else text
            found[name.strip()] = "" if value is None else value
    return found or None


def _number(text: str) -> Any:
    """What is no number stays as it is: the file's rules say what was expected."""
    text = text.strip()
    try:
        return {"": None, "true": True, "false": False}[text]
    except KeyError:
        pass
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _read_toml(text: str, path: str, unreadable: list[tuple[str, str]]) -> Any:
    if not text.strip():
        return None
    try:
        found = tomllib.loads(f"value = {text.strip()}")
    except tomllib.TOMLDecodeError as error:
        unreadable.append((path, f"not TOML: {error}"))
        return Unread(text)
    if found.keys() != {"value"}:
        unreadable.append((path, "not TOML: one value was expected"))
        return Unread(text)
    return found["value"]
