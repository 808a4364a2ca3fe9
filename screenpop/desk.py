"""An agent's desk: what they have in hand, their own state, and what the empty stage says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from callcenter.domain.events import Event
from callcenter.domain.interaction import OFFERED_WORK
from callcenter.store.directory import Directory, Queue
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from screenpop import words
from screenpop.i18n import Language, clock
from screenpop.pop import Item, Pop, cut, spaced
from screenpop.promise import OwedClock, promise_view

_SQL = Queries.beside(__file__)
_LISTED = 8


class WorkRow(TypedDict):
    reservation: int
    interaction: int
    state: str
    reason: str | None
    created_at: str
    due_at: str | None
    answered_at: str | None
    released_at: str | None
    channel: str
    queue: int | None
    queued_at: str
    address: str | None
    customer: str | None
    draft_note: str | None
    draft_disposition: str | None
    held_at: str | None
    interrupted: bool
    unread: int  # lines of a chat
    asked_at: str | None  # since when its visitor waits for an answer


class TicketRow(TypedDict):
    id: int
    number: int
    subject: str
    customer: int | None
    updated_at: str
    clocks: list[OwedClock]


class HandledRow(TypedDict):
    interaction: int
    channel: str
    customer: int | None
    name: str | None
    ended_at: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Rows of the database; times as RFC 3339."""

    presence: str
    presence_reason: str | None
    presence_at: datetime
    next_presence: str | None
    next_reason: str | None
    routing_status: str
    routing_at: datetime
    work: Sequence[WorkRow]
    tickets: Sequence[TicketRow]
    handled: Sequence[HandledRow]


@dataclass(frozen=True, slots=True)
class Work:
    """One contact in hand, in words; times are milliseconds since 1970, which the clocks of the page count from."""

    reservation: int
    interaction: int
    state: str  # offered, active or wrapping
    state_name: str
    channel: str
    channel_name: str
    name: str
    queue: str
    reason: str
    since: int
    created: int
    due: int | None
    queued: int
    answered: int | None
    released: int | None
    held: int | None
    interrupted: bool
    talked: str
    unread: int
    asked: int | None
    dispositions: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Draft:
    note: str = ""
    disposition: str | None = None
    saved: bool = False


@dataclass(frozen=True, slots=True)
class Me:
    """`next`: what comes after the work in hand, in words; `chosen`: the presence that stands, or will."""

    presence: str
    chosen: str
    next: str
    reason_slug: str
    label: str
    reason: str
    mood: str  # ready, busy, away, fault or off
    since: int
    choices: Sequence[tuple[str, str, str]]
    break_reasons: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Empty:
    """What the stage says while there is nothing on it."""

    title: str
    text: str
    go: bool


async def load_desk(pool: Pool, agent: int, *, midnight: datetime) -> Desk:
    """The desk of a user who takes work; one who does not has an empty one."""
    row = await pool.fetchrow(_SQL.desk, agent, midnight)
    if row is None:
        return Desk("offline", None, midnight, None, None, "off_queue", midnight, (), (), ())
    return Desk(*row)


def midnight_of(now: datetime, zone: tzinfo) -> datetime:
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def zone_of(directory: Directory) -> ZoneInfo:
    return ZoneInfo(directory.organisation.timezone)


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _millis(text: str | None) -> int | None:
    return millis(datetime.fromisoformat(text)) if text else None


def stage_of(row: WorkRow) -> str:
    """offered, active or wrapping."""
    if row["state"] == "pending":
        return "offered"
    return "active" if row["released_at"] is None else "wrapping"


def _offer(row: WorkRow, language: Language) -> str:
    """Only a phone rings."""
    return language.gettext("Ringing") if row["channel"] == "phone" else language.gettext("Offer")


def work_view(row: WorkRow, queues: Mapping[int, Queue], language: Language) -> Work:
    """One contact in hand, from its row."""
    queue = queues.get(row["queue"] or 0)
    _ = language.gettext
    answered, released, created = _millis(row["answered_at"]), _millis(row["released_at"]), _millis(row["created_at"])
    queued, due, held = _millis(row["queued_at"]), _millis(row["due_at"]), _millis(row["held_at"])
    assert created is not None
    assert queued is not None
    state = stage_of(row)
    if state == "offered":
        name, since = _offer(row, language), created
    elif released is not None:
        name, since = _("Wrap-up"), released
    elif row["interrupted"]:
        name, since = _("Interrupted"), held or created
    elif row["channel"] in OFFERED_WORK:
        name, since = _("In hand"), answered or created
    else:
        name, since = _("On hold") if held else _("In contact"), answered or created
    return Work(
        reservation=row["reservation"],
        interaction=row["interaction"],
        state=state,
        state_name=name,
        channel=row["channel"],
        channel_name=language.label(words.CHANNEL, row["channel"]),
        name=cut(row["customer"])
        or spaced("phone", row["address"])
        or {"chat": _("Anonymous visitor"), "ticket": _("Ticket"), "task": _("Task")}.get(
            row["channel"], _("Number withheld")
        ),
        queue=queue.name if queue else "",
        reason=language.label(words.REASON, row["reason"]) if row["reason"] else "",
        since=since,
        created=created,
        due=due,
        queued=queued,
        answered=answered,
        released=released,
        held=held,
        interrupted=row["interrupted"],
        talked=clock(timedelta(milliseconds=released - answered)) if released and answered else "",
        unread=row["unread"],
        asked=_millis(row["asked_at"]),
        dispositions=[(slug, language.label(words.DISPOSITION, slug)) for slug in queue.dispositions] if queue else (),
    )


def work_of_event(event: Event, pop: Pop) -> WorkRow:
    """The row that the database holds after `event` (a reservation or a transfer), without asking for it again."""
    item = pop["interaction"]
    assert item is not None
    reservation = event.data["reservation"]
    taken = event.kind == "interaction.transferred"
    return WorkRow(
        reservation=reservation,
        interaction=item["id"],
        state="accepted" if taken else "pending",
        reason="transfer" if taken else event.data.get("reason"),
        created_at=event.at.isoformat(),
        due_at=event.data.get("due_at"),
        answered_at=event.at.isoformat() if taken else None,
        released_at=None,
        channel=item["channel"],
        queue=event.queue,
        queued_at=item["queued_at"] or item["arrived_at"],
        address=item["address"] if item["address_kind"] != "web" else None,
        customer=pop["customer"]["name"]
        if pop["customer"]
        else item["address_name"]
        if item["channel"] == "chat"
        else None,
        draft_note=None,
        draft_disposition=None,
        held_at=None,
        interrupted=False,
        unread=0,
        asked_at=None,
    )


def moved_by(item: Item, event: Event, agent: str) -> Item:
    """The interaction as `event` left it, from how it was before."""
    return {**item, "state": event.data["state"], "agent": agent, "version": event.version or item["version"]}


def mood_of(presence: str, routing_status: str) -> str:
    if routing_status == "not_responding":
        return "fault"
    if routing_status in ("offered", "interacting", "wrap_up", "private_call"):
        return "busy"
    if presence in ("offline", "out_of_office"):
        return "off"
    return "ready" if presence == "on_queue" else "away"


def me_view(desk: Desk, language: Language) -> Me:
    """The presence button: what was chosen, or what the system knows better."""
    mood = mood_of(desk.presence, desk.routing_status)
    label, since = language.label(words.PRESENCE, desk.presence), desk.presence_at
    if desk.routing_status == "not_responding":
        label, since = language.label(words.ROUTING, "not_responding"), desk.routing_at
    elif mood == "busy" and desk.presence == "on_queue":
        label, since = language.label(words.ROUTING, desk.routing_status), desk.routing_at
        if desk.routing_status == "offered" and desk.work:
            label = _offer(desk.work[-1], language)
    reason, following = desk.presence_reason or "", ""
    if desk.next_presence is not None:
        following = language.gettext("%(presence)s after this contact") % {
            "presence": language.label(words.PRESENCE, desk.next_presence)
        }
    return Me(
        presence=desk.presence,
        chosen=desk.next_presence or desk.presence,
        next=following,
        reason_slug=(desk.next_reason if desk.next_presence else desk.presence_reason) or "",
        label=label,
        reason=cut(language.label(words.BREAK_REASONS, reason), 40) if mood != "fault" else "",
        mood=mood,
        since=millis(since),
        choices=[
            (slug, language.gettext(name), mood_of(slug, "off_queue" if slug != "on_queue" else "idle"))
            for slug, name in words.PRESENCE.items()
        ],
        break_reasons=[(slug, language.gettext(name)) for slug, name in words.BREAK_REASONS.items()],
    )


def empty_view(desk: Desk, language: Language, *, queues: Sequence[str]) -> Empty:
    """What will happen here, and what to do for it."""
    _ = language.gettext
    if desk.routing_status == "not_responding":
        return Empty(
            _("You missed an offer"),
            _("It went on to somebody else, and you get no new one until you go on queue again."),
            go=True,
        )
    if desk.presence == "on_queue":
        if not queues:
            return Empty(
                _("You are on queue, but in no queue"),
                _("A supervisor has to make you a member of one before contacts can come."),
                go=False,
            )
        return Empty(
            _("Ready for the next contact"),
            _("It appears here with the customer's history, a moment before your phone rings."),
            go=False,
        )
    if desk.presence == "offline":
        return Empty(
            _("You are offline"), _("Go on queue, and contacts appear here with the customer's history."), go=True
        )
    return Empty(
        _("You get no contacts"),
        _("While your presence is “%(presence)s” the router passes you by.")
        % {"presence": language.label(words.PRESENCE, desk.presence)},
        go=True,
    )


def _nobody(language: Language, channel: str) -> str:
    """What stands where a name would, when there is not even an address."""
    return language.gettext("Anonymous visitor") if channel == "chat" else language.gettext("Number withheld")


def side_view(desk: Desk, language: Language, *, now: datetime, zone: tzinfo) -> dict[str, object]:
    """The lists under the work in hand: one's tickets, and what was handled today."""

    def listed(text: str) -> dict[str, str]:
        at = datetime.fromisoformat(text)
        return {"when": language.when(at, now, zone), "exactly": language.exactly(at, zone)}

    return {
        "tickets": [
            {
                **ticket,
                "subject": cut(ticket["subject"]),
                **listed(ticket["updated_at"]),
                "promise": promise_view(ticket["clocks"], language, now=now, zone=zone),
            }
            for ticket in desk.tickets[:_LISTED]
        ],
        "ticket_count": len(desk.tickets),
        "handled": [
            {
                **row,
                "name": spaced("phone", row["name"]) or _nobody(language, row["channel"]),
                **listed(row["ended_at"]),
            }
            for row in desk.handled[:_LISTED]
        ],
        "handled_count": len(desk.handled),
    }
