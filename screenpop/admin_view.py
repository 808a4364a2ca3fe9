"""Administration pages as values: entries in a line of words, plans as tables, mistakes with where they stand."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from callcenter.domain.hours import DAYS
from callcenter.domain.organisation_edit import MANY, ONCE, entries, ident_of, known_by, users_of
from callcenter.domain.organisation_form import names_of
from callcenter.domain.plan import Difference, Plan
from callcenter.toml import Document, Problem
from screenpop import admin_words
from screenpop.i18n import Language

_FACTS = 5
# What an entry is called stands before its facts.
_IN_TITLE = ("title", "full_name")
_LONGEST = 80
_IN = re.compile(r"^(\w+)(?:\[(\d+)\])?\.?(.*)$")
ALONE = "-"  # in the address of what there is once


@dataclass(frozen=True, slots=True)
class Fact:
    """One key of an entry, briefly; `href` where it names another entry."""

    name: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    ident: str
    title: str
    href: str
    facts: tuple[Fact, ...]
    used_by: int


@dataclass(frozen=True, slots=True)
class Section:
    kind: str
    title: str
    once: bool
    entries: tuple[Entry, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a plan; `sign` as `callcenter apply` prints it."""

    sign: str
    sign_name: str
    what: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """`href` and `where`: the entry that it stands in, where that is another one than is shown."""

    words: str
    key: str = ""
    line: int | None = None
    where: str = ""
    href: str = ""


def address(kind: str, ident: str) -> str:
    return f"/admin/{kind}/{quote(ident or ALONE, safe='')}"


def sections(document: Document, language: Language, *, wanted: str) -> list[Section]:
    """All kinds; `wanted`: only entries in which these words stand."""
    used = users_of(document)
    return [_section(document.data, kind, language, wanted, used) for kind in (*MANY, *ONCE)]


def _section(
    data: Mapping[str, Any], kind: str, language: Language, wanted: str,
    used: Mapping[tuple[str, str], Sequence[tuple[str, str]]],
) -> Section:  # fmt: skip
    tables = entries(data, kind) if kind in MANY else [data[kind]] if kind in data else []
    title = language.label(admin_words.KIND, kind)
    found = []
    for table in tables:
        ident = ident_of(kind, table) if kind in MANY else ""
        facts = tuple(facts_of(kind, table, language))
        name = str(table.get("title") or table.get("full_name") or "") if kind in MANY else title
        said = " ".join([ident, name, *(each.text for each in facts), str(table)]).casefold()
        if all(word in said for word in wanted.casefold().split()):
            by_name = bool(name) and not isinstance(table.get("title"), dict)
            count = len(used.get((kind, ident), ()))
            entry = Entry(ident if by_name else "", name if by_name else ident, address(kind, ident), facts, count)
            found.append(entry)
    return Section(kind, title, kind in ONCE, tuple(found), len(tables))


def facts_of(kind: str, table: Mapping[str, Any], language: Language) -> Iterator[Fact]:
    """The first keys of an entry that say something."""
    left = _FACTS
    for key, value in table.items():
        if key in _IN_TITLE or (key in known_by(kind) and kind != "letters") or value in (None, "", [], {}) or not left:
            continue
        left -= 1
        named = names_of(f"{kind}.{key}", key)
        text = language.label(admin_words.VALUE[key], value) if _has_word(key, value) else brief(value)
        href = address(named, value) if named and isinstance(value, str) else ""
        yield Fact(language.label(admin_words.KEY, key), text, href)


def _has_word(key: str, value: Any) -> bool:
    return isinstance(value, str) and key in admin_words.VALUE


def brief(value: Any) -> str:
    match value:
        case bool():
            return "✓" if value else "✗"
        case dict():
            ordered = sorted(value.items(), key=lambda pair: DAYS.index(pair[0]) if pair[0] in DAYS else 0)
            text = ", ".join(f"{key} {brief(each)}" for key, each in ordered)
        case list() if any(isinstance(each, dict) and "agent" not in each for each in value):
            text = str(len(value))
        case list():
            text = ", ".join(str(each["agent"]) if isinstance(each, dict) else str(each) for each in value)
        case _:
            text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def rows_of(plan: Plan, language: Language) -> list[Row]:
    found = []
    for line in plan.lines():
        sign, line = line[0], line[2:]
        details = plan.details.get(line, ())
        what = line.removesuffix(f": {', '.join(map(str, details))}") if details else line
        found.append(Row(sign, language.label(admin_words.SIGN, sign), what, details))
    return found


def mistakes_of(
    problems: Sequence[Problem], data: Mapping[str, Any], *, kind: str = "", at: int | None = None
) -> tuple[list[tuple[str, str]], list[Mistake]]:
    """Those of the entry that is shown, by path within it; and those of others."""
    own, others = [], []
    for problem in problems:
        found = _IN.match(problem.key)
        table, number, path = (found[1], found[2], found[3]) if found else ("", None, "")
        index = int(number) - 1 if number else None
        if table == kind and (index == at or kind in ONCE):
            # Once: `tickets.fields[2]` begins with the name of the only table.
            own.append((path, problem.expected))
            continue
        rows = entries(data, table)
        there = index is not None and index < len(rows)
        ident = ident_of(table, rows[index]) if there and index is not None else ""
        known = table in (*MANY, *ONCE)
        where = f"{table} {ident}".strip() if known else ""
        href = address(table, ident) if known and (ident or table in ONCE) else ""
        others.append(Mistake(problem.expected, path if known else problem.key, problem.line, where, href))
    return own, others
