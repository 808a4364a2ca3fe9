"""What an agent sees of a customer when a contact is offered: the rules of the pop, without any IO."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

import phonenumbers
from typing_extensions import TypedDict

from callcenter.domain.survey import Question
from screenpop import words
from screenpop.colleagues import Colleagues, colleagues_words
from screenpop.entitled import ContractCard, ContractView, ValueCard, ValueView, contract_view, value_view
from screenpop.i18n import Language, clock
from screenpop.promise import OwedClock, PromiseView, promise_view
from screenpop.satisfaction import Score, is_poor, score_words

# Rows of the history that are drawn with the pop; the rest is one key away. Each row costs about 10 µs.
FIRST_ROWS = 12
_LONGEST_NAME = 200
_LONGEST_NOTE = 600


class AddressItem(TypedDict):
    kind: str
    value: str
    certainty: str


class Person(TypedDict):
    id: int
    name: str
    company: str | None
    company_id: int | None
    tier: str | None
    language: str | None
    note: str | None
    external_id: str | None
    created_at: str
    addresses: list[AddressItem]


class Item(TypedDict):
    """An interaction as the REST interface shows it."""

    id: int
    channel: str
    direction: str
    state: str
    outcome: str | None
    external_id: str | None
    customer: int | None
    queue: str | None
    agent: str | None
    ticket: int | None
    address: str | None
    address_kind: str | None
    address_name: str | None
    called: str | None
    subject: str | None
    arrived_at: str
    queued_at: str | None
    answered_at: str | None
    ended_at: str | None
    closed_at: str | None
    disposition: str | None
    note: str | None
    priority: int
    version: int


class TicketItem(TypedDict):
    id: int
    number: int
    subject: str
    state: str
    priority: str
    category: str | None
    owner: str | None
    queue: str | None
    created_at: str
    updated_at: str
    version: int
    clocks: list[OwedClock]


class RecentCount(TypedDict):
    days: int
    count: int


class Pop(TypedDict):
    """The answer of `GET /interactions/{id}/pop`; `interaction` is None on the card of a customer opened by hand."""

    interaction: Item | None
    customer: Person | None
    matches: list[Person]
    near: list[Person]
    colleagues: Colleagues | None
    proposed_company: str | None  # that which the mail address of somebody unknown is of, by its domain
    history: list[Item]
    open_tickets: list[TicketItem]
    scores: list[Score]
    recent_count: RecentCount
    contracts: list[ContractCard]
    value: ValueCard | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the timeline."""

    id: int
    channel: str
    channel_name: str
    when: str
    exactly: str
    text: str
    note: str
    by: str
    took: str
    result: str
    missed: bool
    here: bool  # still going on
    score: str  # what the customer said of it
    poor: bool


@dataclass(frozen=True, slots=True)
class AddressView:
    kind: str
    kind_name: str
    value: str
    certainty: str
    certainty_name: str
    means: str
    used_now: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    id: int
    name: str
    company: str
    company_id: int | None
    tier: str
    tier_name: str
    note: str
    external_id: str
    since: str
    addresses: Sequence[AddressView]


@dataclass(frozen=True, slots=True)
class TicketView:
    id: int
    number: int
    subject: str
    state: str
    state_name: str
    priority: str
    priority_name: str
    owner: str
    when: str
    exactly: str
    version: int
    linked: bool
    promise: PromiseView | None


@dataclass(frozen=True, slots=True)
class PopView:
    """The pop in one language: every string ready to be escaped and shown."""

    interaction: int | None
    channel: str
    channel_name: str
    queue: str
    address: str
    address_kind: str
    caller: str  # the name that came with the call; written by whoever calls
    subject: str
    title: str  # what stands largest: the customer, else the number, else that there is none
    certainty: str
    certainty_name: str
    certainty_means: str
    person: PersonView | None
    others: Sequence[PersonView]  # who uses this address too
    near: Sequence[PersonView]
    proposed_company: str
    colleagues: str  # how many tickets they have open; empty for none
    recent: str
    last: str
    rows: Sequence[Row]
    more: int
    tickets: Sequence[TicketView]
    contracts: Sequence[ContractView]
    value: ValueView | None
    # Parts that were drawn before; empty: the template draws them.
    drawn_entries: str = ""
    drawn_customer: str = ""


def of_arrival(pop: Pop, item: Item) -> Pop:
    """What was read of an address while a contact from it was being written down, as the pop of that contact."""
    recent = pop["recent_count"]
    return {**pop, "interaction": item, "recent_count": {**recent, "count": recent["count"] + 1}}


def cut(text: str | None, longest: int = _LONGEST_NAME) -> str:
    """Short enough for the screen: what came over the wire may be 10 kB long."""
    if not text:
        return ""
    return text if len(text) <= longest else text[: longest - 1] + "…"


@lru_cache(maxsize=4096)
def spaced(kind: str | None, address: str | None) -> str:
    """An address as people read it aloud: numbers in groups, +86 138 0013 8000."""
    text = cut(address)
    if kind not in ("phone", "fax") or not text.startswith("+"):
        return text
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def certainty_of(person: Person | None, kind: str | None, address: str | None) -> str:
    """How sure we are that this address is this person's: verified, known, maybe, or nothing at all."""
    if person is None:
        return ""
    for known in person["addresses"]:
        if known["value"] == address and known["kind"] == kind:
            return known["certainty"]
    # Chosen for this contact under an address that identifies nobody.
    return "known"


def row_view(item: Item, language: Language, now: datetime, zone: tzinfo, *, score: Score | None = None) -> Row:
    """One earlier contact in words."""
    ask = Question(score["ask"]) if score else None
    arrived = datetime.fromisoformat(item["arrived_at"])
    answered, ended = item["answered_at"], item["ended_at"]
    took = clock(datetime.fromisoformat(ended) - datetime.fromisoformat(answered)) if answered and ended else ""
    outcome = item["outcome"]
    missed = outcome is not None and outcome != "handled"
    if item["disposition"]:
        result = language.label(words.DISPOSITION, item["disposition"])
    elif missed and outcome is not None:
        result = language.label(words.OUTCOME, outcome)
    else:
        result = ""
    channel_name = language.label(words.CHANNEL, item["channel"])
    return Row(
        id=item["id"],
        channel=item["channel"],
        channel_name=channel_name,
        when=language.when(arrived, now, zone),
        exactly=language.exactly(arrived, zone),
        text=cut(item["subject"]) or (f"{channel_name} · {item['queue']}" if item["queue"] else channel_name),
        note=cut(item["note"], _LONGEST_NOTE),
        by=item["agent"] or "",
        took=took,
        result=result,
        missed=missed,
        here=item["closed_at"] is None,
        score=score_words(ask, score["score"], language) if score and ask else "",
        poor=is_poor(ask, score["score"]) if score and ask else False,
    )


def person_view(person: Person, item: Item | None, language: Language, now: datetime, zone: tzinfo) -> PersonView:
    return PersonView(
        id=person["id"],
        name=cut(person["name"]),
        company=cut(person.get("company")),
        company_id=person.get("company_id"),
        tier=person.get("tier") or "",
        tier_name=language.label(words.TIER, person.get("tier") or ""),
        note=cut(person.get("note"), _LONGEST_NOTE),
        external_id=cut(person.get("external_id")),
        since=language.date(created.astimezone(zone), now.astimezone(zone).year)
        if (created := _time(person.get("created_at")))
        else "",
        addresses=tuple(
            [
                AddressView(
                    kind=known["kind"],
                    kind_name=language.label(words.ADDRESS_KIND, known["kind"]),
                    value=spaced(known["kind"], known["value"]),
                    certainty=known["certainty"],
                    certainty_name=language.label(words.CERTAINTY, known["certainty"]),
                    means=language.label(words.CERTAINTY_MEANS, known["certainty"]),
                    used_now=item is not None and known["value"] == item["address"],
                )
                for known in person["addresses"]
            ]
        ),
    )


def ticket_view(ticket: TicketItem, linked: int | None, language: Language, now: datetime, zone: tzinfo) -> TicketView:
    updated = datetime.fromisoformat(ticket["updated_at"])
    return TicketView(
        id=ticket["id"],
        number=ticket["number"],
        subject=cut(ticket["subject"]),
        state=ticket["state"],
        state_name=language.label(words.TICKET_STATE, ticket["state"]),
        priority=ticket["priority"],
        priority_name=language.label(words.PRIORITY, ticket["priority"]),
        owner=ticket["owner"] or "",
        when=language.when(updated, now, zone),
        exactly=language.exactly(updated, zone),
        version=ticket["version"],
        linked=ticket["id"] == linked,
        promise=promise_view(ticket["clocks"], language, now=now, zone=zone),
    )


def pop_view(pop: Pop, language: Language, *, now: datetime, zone: tzinfo, rows: int = FIRST_ROWS) -> PopView:
    """The pop in words, with the newest `rows` of the history."""
    item, person = pop["interaction"], pop["customer"]
    address = spaced(item["address_kind"], item["address"]) if item else ""
    caller = cut(item["address_name"]) if item else ""
    certainty = certainty_of(person, item["address_kind"], item["address"]) if item else ""
    chosen = person["id"] if person else None
    history = pop["history"]
    today = now.astimezone(zone).date()
    scores = {score["interaction"]: score for score in pop["scores"]}
    return PopView(
        interaction=item["id"] if item else None,
        channel=item["channel"] if item else "",
        channel_name=language.label(words.CHANNEL, item["channel"]) if item else "",
        queue=(item["queue"] or "") if item else "",
        address=address,
        address_kind=(item["address_kind"] or "") if item else "",
        caller=caller,
        subject=cut(item["subject"]) if item else "",
        title=cut(person["name"]) if person else _nameless(item, address, caller, language),
        certainty=certainty,
        certainty_name=language.label(words.CERTAINTY, certainty),
        certainty_means=language.label(words.CERTAINTY_MEANS, certainty),
        person=person_view(person, item, language, now, zone) if person else None,
        others=tuple(
            [person_view(match, item, language, now, zone) for match in pop["matches"] if match["id"] != chosen]
        ),
        near=tuple([person_view(match, item, language, now, zone) for match in pop["near"]]),
        proposed_company=cut(pop["proposed_company"]),
        colleagues=colleagues_words(pop["colleagues"], language),
        recent=_recent(pop["recent_count"], language),
        last=_last(history, language, now, zone),
        rows=tuple([row_view(entry, language, now, zone, score=scores.get(entry["id"])) for entry in history[:rows]]),
        more=max(0, len(history) - rows),
        tickets=tuple(
            [
                ticket_view(ticket, item["ticket"] if item else None, language, now, zone)
                for ticket in pop["open_tickets"]
            ]
        ),
        contracts=tuple([contract_view(card, language, today=today) for card in pop["contracts"]]),
        value=value_view(pop["value"], language, today=today, zone=zone),
    )


def _nameless(item: Item | None, address: str, caller: str, language: Language) -> str:
    """What stands in place of a name: the address; in a chat the name that the visitor gave."""
    if item is not None and item["channel"] == "chat":
        return caller or (address if item["address_kind"] != "web" else language.gettext("Anonymous visitor"))
    if item is not None and item["channel"] in ("ticket", "task"):
        return language.label(words.CHANNEL, item["channel"])
    return address or language.gettext("Number withheld")


def _recent(counted: RecentCount, language: Language) -> str:
    """“3rd contact in 7 days”; nothing for a first one, which the history says by being empty."""
    if (count := counted["count"]) < 2:
        return ""
    return language.gettext("%(nth)s contact in %(days)d days") % {"nth": language.nth(count), "days": counted["days"]}


def _last(history: Sequence[Item], language: Language, now: datetime, zone: tzinfo) -> str:
    """The newest earlier contact in a line: when, who, what came of it."""
    if not history:
        return ""
    row = row_view(history[0], language, now, zone)
    return " · ".join(part for part in (row.when, row.by, row.result) if part)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def waited(item: Item, now: datetime) -> timedelta:
    """How long the customer has waited for an agent, from entering the queue to the answer."""
    since = _time(item["queued_at"]) or datetime.fromisoformat(item["arrived_at"])
    return (_time(item["answered_at"]) or now) - since
