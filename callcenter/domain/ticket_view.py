"""Lists of tickets: which ones, by conditions over known fields, in which order; the built-in and the saved ones."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self, TypeVar

from callcenter.domain.ticket import OVER, Priority, TicketState
from callcenter.domain.ticket_rules import tags_of
from callcenter.errors import Invalid

E = TypeVar("E", bound=StrEnum)

ME = "@me"  # among owners: whoever looks
NOBODY = "@none"  # among owners: tickets that nobody owns
_MOST_VALUES = 50
_MOST_WORDS = 8
LONGEST_WORDS = 200
LONGEST_NAME = 80
# Scripts without spaces between words; the same characters as in the database's function ticket_words.
_SPACELESS = re.compile(r"[⺀-⿟々-〇\u3040-鿿ꀀ-\ua4cf가-힣豈-\ufaff\U00020000-\U0002fffd]+")
_NOT_SPACED = re.compile(r"[\u2010-\u205e⺀-鿿ꀀ-\ua4cf가-힣豈-\ufaff\U00020000-\U0002fffd]+")  # with punctuation


class Order(StrEnum):
    """Each is carried by an index, so that a page is read from it and nothing is sorted."""

    DUE = "due"  # what is owed next comes first; open tickets only
    NEWEST = "newest"
    OLDEST = "oldest"
    QUIET = "quiet"  # longest without a change; only of those that wait for the customer


class Builtin(StrEnum):
    """The lists that everybody has."""

    MINE = "mine"
    QUEUE = "queue"
    UNASSIGNED = "unassigned"
    BREACHED = "breached"
    WAITING = "waiting"
    CUSTOMER = "customer"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """All of them hold; of several values one does. Queues and owners by name, as in the organisation file.

    A category holds for those below it too.
    """

    state: tuple[TicketState, ...] = ()
    priority: tuple[Priority, ...] = ()
    type: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    customer: int | None = None
    open: bool = False  # neither resolved nor closed
    breached: bool = False  # something that is still owed was due before now
    words: str = ""

    def __post_init__(self) -> None:
        for each in ("state", "priority", "type", "category", "tags", "queue", "owner"):
            if len(getattr(self, each)) > _MOST_VALUES:
                raise Invalid(f"At most {_MOST_VALUES} values.", field=each)
        if len(self.words) > LONGEST_WORDS:
            raise Invalid(f"At most {LONGEST_WORDS} characters are searched for.", field="words")
        if self.only_open and self.state and not set(self.state) - OVER:
            raise Invalid("A ticket is not open and over at once.", field="state")

    @property
    def only_open(self) -> bool:
        return self.open or self.breached or bool(self.state and not set(self.state) & OVER)

    def and_(self, other: "Conditions") -> "Conditions":
        """Both; what `other` says of a field counts. Raises Invalid for what cannot be together."""
        given = {each.name: getattr(other, each.name) for each in fields(other)}
        mine = {each.name: getattr(self, each.name) for each in fields(self)}
        return Conditions(**{name: given[name] or mine[name] for name in mine})

    @classmethod
    def parse(cls, kept: Mapping[str, Any]) -> Self:
        """From JSON. Raises Invalid, with the field, for what is unknown or not of its kind."""
        known = {each.name for each in fields(cls)}
        if unknown := kept.keys() - known:
            raise Invalid(
                f"Lists know no condition {', '.join(sorted(unknown))}; they know {', '.join(sorted(known))}.",
                field=min(unknown),
            )
        return cls(**{name: _read(name, value) for name, value in kept.items()})

    def dump(self) -> dict[str, Any]:
        """What `parse` reads; without what is empty."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if value}


def _read(name: str, value: Any) -> Any:
    match name:
        case "state":
            return _members(TicketState, name, value)
        case "priority":
            return _members(Priority, name, value)
        case "type" | "category" | "queue" | "owner":
            return tuple(_texts(name, value))
        case "tags":
            return tags_of(_texts(name, value))
        case "customer":
            if value is not None and (type(value) is not int or value < 1):
                raise Invalid("A customer is named by an id.", field=name)
        case "words":
            if not isinstance(value, str):
                raise Invalid("Words are a text.", field=name)
            return value.strip()
        case _:
            if not isinstance(value, bool):
                raise Invalid("This is true or false.", field=name)
    return value


def _texts(name: str, value: object) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) and 0 < len(each) <= 200 for each in value):
        raise Invalid("Give a list of names.", field=name)
    return value


def _members(kind: type[E], name: str, value: object) -> tuple[E, ...]:
    try:
        return tuple(kind(each) for each in _texts(name, value))
    except ValueError as error:
        raise Invalid(f"{error}; expected {', '.join(kind)}.", field=name) from None


@dataclass(frozen=True, slots=True)
class View:
    """Which tickets, and in which order. Raises Invalid for an order that no index carries."""

    conditions: Conditions = field(default_factory=Conditions)
    order: Order = Order.NEWEST

    def __post_init__(self) -> None:
        conditions = self.conditions
        if conditions.words and self.order is not Order.NEWEST:
            raise Invalid("What is found by words comes in the order newest.", field="order")
        if self.order is Order.DUE and not conditions.only_open:
            raise Invalid("The order due is for open tickets: add open = true or states that are open.", field="order")
        if self.order is Order.QUIET and conditions.state != (TicketState.PENDING,):
            raise Invalid("The order quiet is for the state pending alone.", field="order")


# The customer's list needs a customer, and that of words needs words; which queue, whoever asks says.
BUILTIN: Mapping[Builtin, View] = {
    Builtin.MINE: View(Conditions(open=True, owner=(ME,)), Order.DUE),
    Builtin.QUEUE: View(Conditions(open=True), Order.DUE),
    Builtin.UNASSIGNED: View(Conditions(open=True, owner=(NOBODY,)), Order.DUE),
    Builtin.BREACHED: View(Conditions(open=True, breached=True), Order.DUE),
    Builtin.WAITING: View(Conditions(state=(TicketState.PENDING,)), Order.QUIET),
    Builtin.CUSTOMER: View(),
    Builtin.WORDS: View(),
}


def builtin(name: Builtin, more: Conditions) -> View:
    """The list, narrowed down. Raises Invalid when something is missing that it cannot be without."""
    base = BUILTIN[name]
    for needed, what in ((Builtin.QUEUE, "queue"), (Builtin.CUSTOMER, "customer"), (Builtin.WORDS, "words")):
        if name is needed and not getattr(more, what):
            raise Invalid(f"The view {name} needs {'q' if what == 'words' else what}.", field=what)
    return View(base.conditions.and_(more), Order.NEWEST if more.words else base.order)


@dataclass(frozen=True, slots=True)
class Place:
    """The last row of a page: its id, and for the orders due and quiet the moment; None there: nothing is due."""

    id: int
    at: datetime | None = None

    def write(self, order: Order) -> str:
        if order not in _TIMED:
            return f"{self.id:x}"
        return f"{_NEVER if self.at is None else f'{_micros(self.at):x}'}-{self.id:x}"

    @classmethod
    def read(cls, text: str, order: Order) -> Self:
        """Raises Invalid when it is no place in a list of this order."""
        moment, _, ident = text.rpartition("-")
        try:
            at = None if moment in ("", _NEVER) else _EPOCH + timedelta(microseconds=int(moment, 16))
            place = cls(int(ident, 16), at)
        except (ValueError, OverflowError):
            place = cls(-1)
        if not 0 <= place.id < 2**63 or place.write(order) != text:
            raise Invalid("That is no place in this list.", field="after")
        return place


_TIMED = frozenset({Order.DUE, Order.QUIET})
_NEVER = "z"
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. `spaced`: words with spaces between them, whose stems the database knows; `signs`: of other
    scripts single characters, and every two side by side; `phrases`: what must stand there as it is."""

    spaced: str
    signs: tuple[str, ...]
    phrases: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Invalid for more words than are looked for at once."""
        plain = unicodedata.normalize("NFKC", text).lower()
        runs: list[str] = _SPACELESS.findall(plain)
        spaced = " ".join(_NOT_SPACED.sub(" ", plain).split())
        if len(runs) + len(spaced.split()) > _MOST_WORDS:
            raise Invalid(f"At most {_MOST_WORDS} words are searched for at once.", field="words")
        return cls(spaced, tuple(dict.fromkeys(_signs(runs))), tuple(run for run in runs if len(run) > 2))


def _signs(runs: Iterable[str]) -> Iterable[str]:
    for run in runs:
        yield from [run] if len(run) == 1 else (run[n : n + 2] for n in range(len(run) - 1))
