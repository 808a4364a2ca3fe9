"""An organisation file changed entry by entry: found by name, replaced, added, removed, and written as text again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from callcenter.domain.organisation_file import FileTable, OrganisationFile, understand
from callcenter.domain.organisation_text import written
from callcenter.domain.rule_keys import KINDS as RULES
from callcenter.domain.rule_keys import mentions
from callcenter.toml import BadFile, Document

Data = Mapping[str, Any]

# What the file may have many of, and what it has once.
MANY = tuple(name for name, field in FileTable.model_fields.items() if field.default == ())
ONCE = tuple(name for name in FileTable.model_fields if name not in MANY)
# By which keys an entry is known, where that is not its name.
_KNOWN_BY = {
    "mailboxes": ("address",),
    "fax_gateways": ("sender",),
    "letters": ("kind", "queue", "language"),
    "widgets": ("key",),
}
_BETWEEN = "~"


def known_by(kind: str) -> tuple[str, ...]:
    return _KNOWN_BY.get(kind, ("name",))


def ident_of(kind: str, table: Data) -> str:
    """What an entry is called in an address."""
    return _BETWEEN.join(str(table.get(key, "")) for key in known_by(kind)).rstrip(_BETWEEN)


def entries(data: Data, kind: str) -> list[dict[str, Any]]:
    found = data.get(kind)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def place_of(data: Data, kind: str, ident: str) -> int | None:
    """Its index in the file."""
    return next((at for at, table in enumerate(entries(data, kind)) if ident_of(kind, table) == ident), None)


def put(data: Data, kind: str, at: int | None, table: Data) -> dict[str, Any]:
    """With an entry in its place, or behind the others; `at` says nothing of what the file has once."""
    if kind in ONCE:
        return {**data, kind: dict(table)}
    rows = entries(data, kind)
    changed = [*rows, dict(table)] if at is None else [*rows[:at], dict(table), *rows[at + 1 :]]
    return {**data, kind: changed}


def drop(data: Data, kind: str, at: int) -> dict[str, Any]:
    rows = entries(data, kind)
    return {**data, kind: [*rows[:at], *rows[at + 1 :]]}


def more_rows(table: Mapping[str, Any], path: str) -> dict[str, Any]:
    """With an empty row at the end of the tables at `path`."""
    first, _, rest = path.partition(".")
    key, _, number = first.partition("[")
    rows = [*(table.get(key) or ())]
    if not number:
        inner = table.get(key)
        value = more_rows(inner if isinstance(inner, Mapping) else {}, rest) if rest else [*rows, {}]
        return {**table, key: value}
    at = int(number.rstrip("]")) - 1 if number.rstrip("]").isdecimal() else -1
    if 0 <= at < len(rows) and rest:
        rows[at] = more_rows(rows[at], rest)
    return {**table, key: rows}


def without(typed: Mapping[str, Sequence[str]], path: str) -> dict[str, Sequence[str]]:
    """What was typed, less what stands at `path` and in it."""
    inside = (f"{path}.", f"{path}[", f"{path}#")

    def stays(name: str) -> bool:
        name = name.removeprefix("toml:")
        return name != path and not name.startswith(inside)

    return {name: values for name, values in typed.items() if stays(name)}


def to_text(data: Data) -> str:
    """A file that says this."""
    names = (name for name in FileTable.model_fields if name in data)
    return "\n".join(text for name in names for text in written(name, data[name]))


def users_of(document: Document) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Who names an entry: (table, name) → (kind, ident) of each, once; nobody in a file that cannot be used."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    try:
        file = understand(document, {})
    except BadFile:
        return found
    for table, name, by in _mentioned(file):
        there = found.setdefault((table, name), [])
        if by not in there:
            there.append(by)
    return found


def _mentioned(file: OrganisationFile) -> Iterator[tuple[str, str, tuple[str, str]]]:
    data = file.document.data
    for each in file.references:
        kind = str(each.location[0])
        yield each.table, each.name, (kind, _at(data, kind, each.location))
    for kind in RULES:
        for rule in getattr(file.organisation, kind):
            for table, name, _ in mentions(rule.body):
                yield table, name, (kind, rule.name)


def _at(data: Data, kind: str, location: Sequence[str | int]) -> str:
    return ident_of(kind, entries(data, kind)[int(location[1])]) if kind in MANY else ""
