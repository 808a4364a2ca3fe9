"""What may be written into a ticket: each field by itself, and what must be filled in."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.ticket import Priority, TicketState
from callcenter.domain.ticket_rules import TicketField, TicketRules, tags_of
from callcenter.errors import Invalid
from callcenter.store import ticket_family as store
from callcenter.store.log import Transaction
from callcenter.store.ticket_family import SQL
from callcenter.store.tickets import Ticket

E = TypeVar("E", bound=StrEnum)

LONGEST_SUBJECT = 200
LONGEST_CATEGORY = 100
LONGEST_TEXT = 100_000
MOST_PEOPLE = 100
# Written as a whole, or by `add_…` and `remove_…`, so that two who add something do not lose each other's.
SETS = ("tags", "followers", "customers")
CHANGEABLE = (
    "subject", "state", "priority", "type", "category", "queue", "owner", "customer", "parent", "fields", *SETS,
    *(f"{verb}_{name}" for verb in ("add", "remove") for name in SETS),
)  # fmt: skip
# What the organisation has rules about; whoever touches none of these is not held up by what is missing.
_RULED = frozenset({"state", "type", "category", "fields"})


class Incomplete(Invalid):
    """Fields of the organisation's own must be filled in first; `field` names the first one."""

    def __init__(self, message: str, *, missing: tuple[TicketField, ...]) -> None:
        super().__init__(message, field=f"fields.{missing[0].name}")
        self.missing = missing


def line(field: str, text: str | None, *, longest: int) -> str | None:
    """One line, or None for nothing. Raises Invalid."""
    value = None if text is None else text.strip() or None
    if value is not None and (len(value) > longest or not value.isprintable()):
        raise Invalid(f"One line of at most {longest} characters.", field=field)
    return value


def text(given: str) -> str:
    """Raises Invalid for an empty text, and for one that cannot be kept."""
    if not given.strip():
        raise Invalid("Write something.", field="text")
    if len(given) > LONGEST_TEXT:
        raise Invalid(f"A text has at most {LONGEST_TEXT} characters.", field="text")
    if "\x00" in given:
        raise Invalid("A text contains no NUL character.", field="text")
    return given


def receiver(given: str | None, *, public: bool) -> str | None:
    """A mail address as addresses are kept. Raises Invalid for what is none, and for a note's."""
    if given is None:
        return None
    if not public:
        raise Invalid("A note is for us; it goes to no address.", field="to")
    try:
        return read_address(AddressKind.EMAIL, given, region="").value
    except Invalid:
        raise Invalid("That is no mail address.", field="to") from None


def subject(given: str | None) -> str:
    found = line("subject", given, longest=LONGEST_SUBJECT)
    if found is None:
        raise Invalid("A ticket needs a subject.", field="subject")
    return found


def member(kind: type[E], field: str, value: Any) -> E:
    try:
        return kind(value)
    except ValueError:
        raise Invalid(f"{value!r} is no {field}; expected one of {', '.join(kind)}.", field=field) from None


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What can be said without the ticket and the organisation's rules. Raises Invalid."""
    if unknown := changes.keys() - set(CHANGEABLE):
        raise Invalid(f"A ticket has no {', '.join(sorted(unknown))} to change.", field=min(unknown))
    wanted = dict(changes)
    if "subject" in wanted:
        wanted["subject"] = subject(wanted["subject"])
    if "category" in wanted:
        wanted["category"] = line("category", wanted["category"], longest=LONGEST_CATEGORY)
    if "priority" in wanted:
        wanted["priority"] = member(Priority, "priority", wanted["priority"])
    if "state" in wanted:
        wanted["state"] = member(TicketState, "state", wanted["state"])
        if wanted["state"] is TicketState.NEW:
            raise Invalid("A ticket is new only once.", field="state")
    return wanted


async def rules_for(tx: Transaction, changes: Iterable[str]) -> TicketRules:
    """What the organisation says, read only where it has a say."""
    return await store.rules(tx.connection) if _RULED & set(changes) else TicketRules()


async def differences(tx: Transaction, before: Ticket, asked: Mapping[str, Any], rules: TicketRules) -> dict[str, Any]:
    """What of `asked` is another value than the ticket has, as it is to be written. Raises Invalid."""
    wanted = {name: value for name, value in asked.items() if name in CHANGEABLE and not name.endswith(SETS)}
    if "type" in wanted and wanted["type"] != before.type:
        wanted["type"] = rules.type_of(wanted["type"])
    if "category" in wanted and wanted["category"] != before.category:
        rules.check_category(wanted["category"])
    if "fields" in wanted:
        wanted["fields"] = rules.merged_fields(before.fields, wanted["fields"] or {})
    wanted |= {name: _set(before, asked, name) for name in SETS}
    asks = wanted.get("customer", before.customer)
    wanted["customers"] = tuple(each for each in wanted["customers"] if each != asks)
    await _check_people(tx, before, wanted)
    return {name: value for name, value in wanted.items() if value != getattr(before, name)}


def _set(before: Ticket, asked: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    """A set of a ticket after it was written as a whole, and something was added and taken out."""
    held = asked.get(name)
    held = getattr(before, name) if held is None and name not in asked else held or ()
    tidy = tags_of if name == "tags" else _sorted
    out = frozenset(tidy(asked.get(f"remove_{name}") or ()))
    found = tuple(each for each in tidy([*held, *(asked.get(f"add_{name}") or ())]) if each not in out)
    if name != "tags" and len(found) > MOST_PEOPLE:
        raise Invalid(f"A ticket has at most {MOST_PEOPLE} {name}.", field=name)
    return found


def _sorted(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))


async def _check_people(tx: Transaction, before: Ticket, after: Mapping[str, Any]) -> None:
    """Who is new must be there; who was there already may have left since."""
    new = {name: sorted(set(after[name]) - set(getattr(before, name))) for name in ("followers", "customers")}
    if not any(new.values()):
        return
    found = await tx.connection.fetchrow(SQL.strangers, new["followers"], new["customers"])
    assert found is not None
    if found["users"]:
        raise Invalid(f"Nobody with the id {found['users'][0]} works here.", field="followers")
    if found["customers"]:
        raise Invalid(f"There is no customer {found['customers'][0]}.", field="customers")


def check_complete(rules: TicketRules, after: Ticket, *, changes: Iterable[str] = _RULED, actor: int | None) -> None:
    """Raises Incomplete for fields that must be filled in and are not.

    What nobody does (a rule, a survey's ticket) is not held up: nobody is there to fill anything in.
    """
    if actor is None or not _RULED & set(changes):
        return
    missing = tuple(rules.missing(after.fields, state=after.state, kind=after.type, category=after.category))
    if missing:
        names = ", ".join(field.title_in("en") for field in missing)
        state = str(after.state).replace("_", " ")
        raise Incomplete(f"Needed of a ticket that is {state}: {names}.", missing=missing)


def changed_names(before: Ticket, wanted: Mapping[str, Any]) -> list[str]:
    """As history names them: each of the organisation's own fields by itself."""
    names = [name for name in wanted if name != "fields"]
    if "fields" in wanted:
        after = wanted["fields"]
        both = {*before.fields, *after}
        names += [f"fields.{name}" for name in sorted(both) if before.fields.get(name) != after.get(name)]
    return names
