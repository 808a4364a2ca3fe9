"""The keys of `[tickets]` in an organisation file: what a ticket may be, and what must be filled in."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from callcenter.domain.organisation_keys import Line, Slug, Table, in_words
from callcenter.domain.ticket import TicketState
from callcenter.domain.ticket_rules import SEPARATOR, Case, FieldKind, TicketField, TicketRules
from callcenter.errors import Invalid
from callcenter.toml import Document, Location, Problem

_LONGEST_CATEGORY = 100


def _category(value: Any) -> str:
    """A path like `hardware/rice_cooker`."""
    line = isinstance(value, str) and len(value) <= _LONGEST_CATEGORY and value.isprintable()
    if line and all(part and part == part.strip() for part in value.split(SEPARATOR)):
        return str(value)
    raise Invalid(f'expected a path like "hardware/rice_cooker", at most {_LONGEST_CATEGORY} characters')


def _name(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,39}", value):
        return value
    raise Invalid(f"expected a name like serial_number, of small letters, digits and _, not {value!r}")


def _list(value: Any) -> Any:
    """One of something may stand without brackets."""
    return [value] if isinstance(value, str) else value


def _required(value: Any) -> Any:
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict) or not value:
        raise Invalid('expected true, or when: { state = "resolved" }, { type = …, category = … }')
    return value


Category = Annotated[str, BeforeValidator(in_words(_category))]


Titles = dict[Literal["en", "zh_CN", "zh_TW"], Line]


class CaseTable(Table):
    state: Annotated[tuple[TicketState, ...], BeforeValidator(_list)] = ()
    type: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    category: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()


class FieldTable(Table):
    name: Annotated[str, BeforeValidator(in_words(_name))]
    type: FieldKind
    title: Titles = Field(default_factory=dict)
    choices: tuple[Line, ...] = ()
    required: Annotated[CaseTable | None, BeforeValidator(in_words(_required))] = None

    @model_validator(mode="after")
    def _can_be_chosen(self) -> "FieldTable":
        if (self.type is FieldKind.CHOICE) != bool(self.choices):
            raise ValueError("a field of type choice has choices, and no other has")
        return self

    def field(self) -> TicketField:
        case = self.required
        return TicketField(
            name=self.name,
            kind=self.type,
            title={str(language): text for language, text in self.title.items()},
            choices=self.choices,
            required=None
            if case is None
            else Case(state=tuple(map(str, case.state)), type=case.type, category=case.category),
        )


class TicketsTable(Table):
    types: tuple[Slug, ...] = ()
    categories: tuple[Category, ...] = ()
    fields: tuple[FieldTable, ...] = ()

    def rules(self) -> TicketRules:
        return TicketRules(
            types=self.types, categories=self.categories, fields=tuple(each.field() for each in self.fields)
        )


def misfits(document: Document) -> Iterator[Problem]:
    """What does not fit together in `[tickets]`, whatever else is wrong with it."""
    table = document.data.get("tickets")
    if not isinstance(table, dict):
        return
    fields = [each if isinstance(each, dict) else {} for each in _items(table, "fields")]
    named = {key: _items(table, key) for key in ("types", "categories")}
    for key, names in named.items():
        yield from _twins(document, names, [("tickets", key, at) for at in range(len(names))])
    places: list[Location] = [("tickets", "fields", at, "name") for at in range(len(fields))]
    yield from _twins(document, [field.get("name") for field in fields], places)
    known = {
        "type": {str(each) for each in named["types"]},
        "category": set(TicketRules(categories=tuple(map(str, named["categories"]))).tree()),
    }
    for at, field in enumerate(fields):
        where = ("tickets", "fields", at)
        choices = _items(field, "choices")
        yield from _twins(document, choices, [(*where, "choices", n) for n in range(len(choices))])
        yield from _strangers(document, (*where, "required"), field.get("required"), known)


def _items(table: Mapping[str, Any], key: str) -> list[Any]:
    found = table.get(key)
    return found if isinstance(found, list) else []


def _twins(document: Document, names: list[Any], places: list[Location]) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    for name, place in zip(names, places, strict=True):
        if isinstance(name, str):
            seen[name] += 1
            if seen[name] > 1:
                yield document.problem(place, f"{name!r} stands here a second time")


def _strangers(document: Document, where: Location, required: Any, known: Mapping[str, set[str]]) -> Iterator[Problem]:
    """Types and categories that a field waits for, and no ticket can have."""
    for key, names in known.items():
        given = _list(required.get(key)) if isinstance(required, dict) else None
        for name in given if isinstance(given, list) else ():
            if str(name) not in names:
                noun = re.sub("^type$", "ticket type", key)
                yield document.problem((*where, key), f"there is no {noun} {name!r} in [tickets]")
