"""What an application of an organisation file would do, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from callcenter.domain.duration import format_duration


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of an entry; both words are empty where they are nobody's business, as of a password.

    `parts`: what differs within it, where it is a table or a list.
    """

    key: str
    before: str = ""
    after: str = ""
    parts: tuple["Difference", ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.key} {self.before} → {self.after}" if self.before or self.after else self.key


@dataclass(frozen=True, slots=True)
class Plan:
    """What an application would do, a line each; `warnings` are for people and change nothing.

    `details`: by line of what is created or changed, its keys.
    """

    created: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    warnings: tuple[str, ...]
    details: Mapping[str, tuple[Difference, ...]] = field(default_factory=dict, compare=False)

    @property
    def empty(self) -> bool:
        return not (self.created or self.changed or self.removed)

    def lines(self) -> Iterator[str]:
        yield from (f"+ {line}" for line in self.created)
        yield from (f"~ {line}" for line in self.changed)
        yield from (f"- {line}" for line in self.removed)
        yield from (f"! {line}" for line in self.warnings)


def differences(old: Any, new: Any) -> tuple[Difference, ...]:
    """Of two dataclasses of one kind, in the fields that are compared."""
    names = [each.name for each in fields(old) if each.compare]
    pairs = [(name, getattr(old, name), getattr(new, name)) for name in names]
    return tuple(Difference(name, in_words(a), in_words(b), tuple(_parts(a, b))) for name, a, b in pairs if a != b)


def _parts(old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs = [(key, old.get(key), new.get(key)) for key in {**old, **new}]
        yield from (Difference(str(key), in_words(a), in_words(b)) for key, a, b in pairs if a != b)
    elif isinstance(old, tuple) and isinstance(new, tuple):
        yield from (Difference("", in_words(each), "") for each in old if each not in new)
        yield from (Difference("", "", in_words(each)) for each in new if each not in old)
    elif hasattr(old, "__dataclass_fields__") and type(old) is type(new):
        yield from differences(old, new)


def particulars(new: Any) -> tuple[Difference, ...]:
    """What a new entry says; what it is silent about is left out."""
    pairs = [(each.name, getattr(new, each.name)) for each in fields(new) if each.compare and each.name != "name"]
    return tuple(Difference(key, "", in_words(value)) for key, value in pairs if value not in (None, "", (), {}, False))


def in_words(value: Any) -> str:
    match value:
        case None | "":
            return "none"
        case timedelta():
            return format_duration(value)
        case Mapping():
            return "{" + ", ".join(f"{key} = {in_words(each)}" for key, each in value.items()) + "}"
        case tuple():
            return "[" + ", ".join(in_words(each) for each in value) + "]"
        case _ if hasattr(value, "__dataclass_fields__"):
            pairs = (f"{each.name} = {in_words(getattr(value, each.name))}" for each in fields(value) if each.compare)
            return "{" + ", ".join(pairs) + "}"
        case _:
            return str(value)
