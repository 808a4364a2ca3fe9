"""What the page of one ticket shows, in words; no IO."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from callcenter.domain.ticket import OVER, TRANSITIONS, TicketState
from callcenter.store.directory import Directory
from screenpop import words
from screenpop.desk import zone_of
from screenpop.i18n import Language, clock
from screenpop.mail_view import letter_view, size_said
from screenpop.pop import cut, spaced
from screenpop.promise import OwedClock, PromiseView, promise_view

_CLOCKS = ("own", "first_response", "next_response", "resolution")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message, note or contact of the conversation."""

    id: str
    kind: str  # note, outbound, inbound or contact
    icon: str
    title: str
    text: str
    who: str
    at: datetime
    when: str
    exactly: str
    result: str
    mail: int | None = None  # the interaction of a message that came by mail
    letter: Mapping[str, object] | None = None  # that carries it
    files: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True)
class ClockView:
    """`promise` while something is owed; `said`: what came of it else."""

    name: str
    promise: PromiseView | None
    said: str
    missed: bool


def ticket_page(
    row: Mapping[str, Any], directory: Directory, language: Language, *, now: datetime
) -> dict[str, object]:
    """For `ticket/_ticket.html`, of a row of the query `page`."""
    zone = zone_of(directory)
    queue, owner = directory.queues.get(row["queue"] or 0), directory.users.get(row["owner"] or 0)
    state = TicketState(row["state"])
    may_become = {to for (begin, _), to in TRANSITIONS.items() if begin is state} | {state}

    def told(at: datetime) -> dict[str, str]:
        return {"when": language.when(at, now, zone), "exactly": language.exactly(at, zone)}

    return {
        "ticket": {
            **{name: row[name] for name in ("id", "number", "subject", "priority", "version", "customer")},
            "state": state,
            "over": state in OVER,
            "category": row["category"] or "",
            "state_name": language.label(words.TICKET_STATE, state),
            "priority_name": language.label(words.PRIORITY, row["priority"]),
            "queue": row["queue"],
            "queue_name": queue.name if queue else "",
            "owner": row["owner"],
            "owner_name": owner.full_name if owner else "",
            "opened": told(row["created_at"]),
            "changed": told(row["updated_at"]),
        },
        "may_become": may_become,
        "entries": _entries(row, language, now=now, zone=zone),
        "clocks": list(_clocks(row["clocks"], language, now=now, zone=zone)),
        "person": _person(row["person"], language),
        "siblings": [
            {
                **each,
                "subject": cut(each["subject"]),
                "state_name": language.label(words.TICKET_STATE, each["state"]),
                **told(datetime.fromisoformat(each["updated_at"])),
            }
            for each in row["siblings"]
        ],
        "contacts": [
            {
                **each,
                "text": cut(each["subject"]) or language.label(words.CHANNEL, each["channel"]),
                **told(datetime.fromisoformat(each["arrived_at"])),
            }
            for each in row["contacts"]
        ],
        "draft": row["draft"] or {"text": "", "public": False},
        "saved": bool(row["draft"] and row["draft"]["text"]),
        "own_messages": row["own_messages"],
        "others": row["others"],
    }


def _person(person: Mapping[str, Any] | None, language: Language) -> dict[str, object] | None:
    if person is None:
        return None
    return {
        "id": person["id"],
        "name": cut(person["name"]),
        "company": cut(person["company"]),
        "note": person["note"] or "",
        "tier": person["tier"] or "",
        "tier_name": language.label(words.TIER, person["tier"] or ""),
        "addresses": [spaced(each["kind"], each["value"]) for each in person["addresses"][:6]],
    }


_TITLES = {"note": words.NOTE, "outbound": words.ANSWER, "inbound": words.QUESTION}


def _entries(row: Mapping[str, Any], language: Language, *, now: datetime, zone: tzinfo) -> Sequence[Entry]:
    found: list[Entry] = []
    for each in row["messages"]:
        at, title = datetime.fromisoformat(each["at"]), _TITLES[each["kind"]]
        found.append(
            Entry(
                id=f"message-{each['id']}",
                kind=each["kind"],
                icon={"note": "form", "outbound": "email"}.get(each["kind"], "user"),
                title=language.gettext(title),
                text=each["text"],
                who=each["author"] or "",
                at=at,
                when=language.when(at, now, zone),
                exactly=language.exactly(at, zone),
                result="",
                mail=each["mail"],
                letter=_letter(each["letter"], now, language, own=each["own"]),
                files=[{**file, "size": size_said(file["size"])} for file in each["files"] or ()],
            )
        )
    for each in row["interactions"]:
        at = datetime.fromisoformat(each["arrived_at"])
        result = each["disposition"] and language.label(words.DISPOSITION, each["disposition"])
        found.append(
            Entry(
                id=f"contact-{each['id']}",
                kind="contact",
                icon=each["channel"],
                title=language.label(words.CHANNEL, each["channel"]),
                text="\n".join(text for text in (each["subject"], each["note"]) if text),
                who=each["agent"] or "",
                at=at,
                when=language.when(at, now, zone),
                exactly=language.exactly(at, zone),
                result=result or (language.label(words.OUTCOME, each["outcome"]) if each["outcome"] else ""),
            )
        )
    return sorted(found, key=lambda entry: (entry.at, entry.kind != "contact"))  # a ticket opens during its contact


def _letter(
    row: Mapping[str, Any] | None, now: datetime, language: Language, *, own: bool
) -> Mapping[str, object] | None:
    if row is None:
        return None
    times = {name: datetime.fromisoformat(row[name]) for name in ("created_at", "due_at")}
    return letter_view({**row, **times, "own": own}, now, language)


def _clocks(
    rows: Iterable[Mapping[str, Any]], language: Language, *, now: datetime, zone: tzinfo
) -> Iterable[ClockView]:
    by_name = {row["clock"]: row for row in rows}
    for name in _CLOCKS:
        row = by_name.get(name)
        if row is None or row["state"] == "void":
            continue
        label = language.label(words.CLOCK, name)
        if row["ended_at"] is None:
            owed = OwedClock(
                clock=name, state=row["state"], due_at=row["due_at"], risk_at=row["risk_at"],
                breached_at=row["breached_at"], remaining_seconds=row["remaining_seconds"],
            )  # fmt: skip
            yield ClockView(label, promise_view([owed], language, now=now, zone=zone), "", False)
        else:
            left = row["difference_seconds"] or 0.0
            span = clock(timedelta(seconds=abs(left)))
            said = language.gettext("%(span)s too late") if left < 0 else language.gettext("kept, %(span)s left")
            yield ClockView(label, None, said % {"span": span}, left < 0)
