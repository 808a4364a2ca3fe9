"""What an organisation lets a ticket be: types, a tree of categories, tags, and fields of its own."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import isfinite
from typing import Any

from callcenter.domain.ticket import OVER, TicketState
from callcenter.errors import Invalid

SEPARATOR = "/"
# What the server itself opens tickets as, beside whatever tree there is.
OURS = ("satisfaction",)
LONGEST_TAG = 50
MOST_TAGS = 50
LONGEST_VALUE = 1000
# Beyond it not every whole number has a double of its own, and other systems read one for another.
_LARGEST = 2**53


class FieldKind(StrEnum):
    TEXT = "text"  # one line
    NUMBER = "number"
    DATE = "date"  # a day, kept as 2026-12-31
    CHOICE = "choice"  # one of the field's choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """When a field must be filled in: while all that is given holds; nothing given: always.

    `category` holds for what is below it too, and `state` resolved for closed tickets.
    """

    state: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    category: tuple[str, ...] = ()

    def holds(self, *, state: TicketState, kind: str | None, category: str | None) -> bool:
        states = {state, TicketState.RESOLVED} if state in OVER else {state}
        return (
            (not self.state or not states.isdisjoint(self.state))
            and (not self.type or kind in self.type)
            and (not self.category or any(is_below(category, each) for each in self.category))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketField:
    """`title` by language; `required` None: never."""

    name: str
    kind: FieldKind
    title: Mapping[str, str]
    choices: tuple[str, ...] = ()
    required: Case | None = None

    def title_in(self, language: str) -> str:
        return self.title.get(language) or self.title.get("en") or next(iter(self.title.values()), self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRules:
    """`categories`: none declared, any may be written."""

    types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    fields: tuple[TicketField, ...] = ()

    def tree(self) -> tuple[str, ...]:
        """All categories that a ticket may have: those declared and those above them, sorted."""
        return tuple(sorted({above for each in self.categories for above in _line_of(each)}))

    def type_of(self, value: str | None) -> str | None:
        """Raises Invalid for a type that is not declared."""
        text = (value or "").strip() or None
        if text is not None and text not in self.types:
            expected = f"expected one of {', '.join(self.types)}" if self.types else "none are declared"
            raise Invalid(f"There is no ticket type {text!r}; {expected}.", field="type")
        return text

    def check_category(self, value: str | None) -> None:
        """Raises Invalid for a category outside the tree, once there is one."""
        tree = self.tree()
        if value is None or not tree or value in tree or value in OURS:
            return
        parent = next((above for above in reversed(_line_of(value)[:-1]) if above in tree), None)
        near = [each for each in tree if each.rpartition(SEPARATOR)[0] == (parent or "")]
        where = f"below {parent} there " if parent is not None else "there "
        if near:
            expected = f"{where}{'is' if len(near) == 1 else 'are'} {', '.join(near)}"
        else:
            expected = f"nothing is declared below {parent}"
        raise Invalid(f"There is no category {value!r}; {expected}.", field="category")

    def merged_fields(self, before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """The values after some were changed; None empties. Raises Invalid, naming the field (`fields.serial`)."""
        known = {field.name: field for field in self.fields}
        after = dict(before)
        for name, value in changes.items():
            if value is None or value == "":
                after.pop(name, None)  # of a field that is no longer declared too
            elif name not in known:
                expected = f"there are {', '.join(known)}" if known else "none are declared"
                raise Invalid(f"Tickets have no field {name!r}; {expected}.", field=f"fields.{name}")
            else:
                after[name] = value_of(known[name], value)
        return after

    def missing(
        self, values: Mapping[str, Any], *, state: TicketState, kind: str | None, category: str | None
    ) -> Iterator[TicketField]:
        """Fields that must be filled in, and are not."""
        for field in self.fields:
            needed = field.required is not None and field.required.holds(state=state, kind=kind, category=category)
            if needed and field.name not in values:
                yield field


def _line_of(category: str) -> list[str]:
    """From the root down to it."""
    parts = category.split(SEPARATOR)
    return [SEPARATOR.join(parts[: depth + 1]) for depth in range(len(parts))]


def is_below(category: str | None, root: str) -> bool:
    """Whether it is that category or one below it."""
    return category is not None and (category == root or category.startswith(root + SEPARATOR))


def value_of(field: TicketField, value: Any) -> Any:
    """As it is kept: a text, a number, or a day as a text. Raises Invalid."""
    match field.kind:
        case FieldKind.TEXT:
            if isinstance(value, str) and len(text := value.strip()) <= LONGEST_VALUE and text and text.isprintable():
                return text
            raise _expected(field, f"one line of at most {LONGEST_VALUE} characters")
        case FieldKind.NUMBER:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and isfinite(value) and abs(value) <= _LARGEST:
                return int(value) if value == int(value) else value
            raise _expected(field, f"a number up to {_LARGEST}")
        case FieldKind.DATE:
            try:
                return date.fromisoformat(value).isoformat()
            except (TypeError, ValueError):
                raise _expected(field, "a day like 2026-12-31") from None
        case FieldKind.CHOICE:
            if isinstance(value, str) and value in field.choices:
                return value
            raise _expected(field, f"one of {', '.join(field.choices)}")


def read_value(field: TicketField, text: str) -> Any:
    """The same of what stands in a query string."""
    if field.kind is FieldKind.NUMBER:
        try:
            return value_of(field, float(text))
        except ValueError:
            raise _expected(field, "a number") from None
    return value_of(field, text)


def _expected(field: TicketField, what: str) -> Invalid:
    return Invalid(f"{field.title_in('en')}: expected {what}.", field=f"fields.{field.name}")


def tag_of(text: str) -> str:
    """As it is kept and looked for: folded case and width, white space to one `_`. Raises Invalid."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    tag = "_".join(folded.split())
    if not tag or len(tag) > LONGEST_TAG or not tag.isprintable() or "," in tag:
        raise Invalid(f"A tag has 1 to {LONGEST_TAG} characters and no comma.", field="tags")
    return tag


def tags_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Normalised, each once, sorted. Raises Invalid."""
    tags = tuple(sorted({tag_of(text) for text in texts}))
    if len(tags) > MOST_TAGS:
        raise Invalid(f"A ticket has at most {MOST_TAGS} tags.", field="tags")
    return tags


# -- as the database keeps them


def write_rules(rules: TicketRules) -> dict[str, Any]:
    if rules == TicketRules():
        return {}
    fields = [
        {
            "name": field.name,
            "type": field.kind.value,
            "title": dict(field.title),
            "choices": list(field.choices),
            "required": None if field.required is None else write_case(field.required),
        }
        for field in rules.fields
    ]
    return {"types": list(rules.types), "categories": list(rules.categories), "fields": fields}


def write_case(case: Case) -> dict[str, list[str]]:
    given = {"state": case.state, "type": case.type, "category": case.category}
    return {key: list(values) for key, values in given.items() if values}


def read_rules(kept: Mapping[str, Any]) -> TicketRules:
    return TicketRules(
        types=tuple(kept.get("types", ())),
        categories=tuple(kept.get("categories", ())),
        fields=tuple(_field(each) for each in kept.get("fields", ())),
    )


def _field(kept: Mapping[str, Any]) -> TicketField:
    required = kept["required"]
    return TicketField(
        name=kept["name"],
        kind=FieldKind(kept["type"]),
        title=kept["title"],
        choices=tuple(kept["choices"]),
        required=None if required is None else Case(**{key: tuple(values) for key, values in required.items()}),
    )
