"""What a ticket still owes its customer, in words, and the figures that the page's clocks count down to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from typing_extensions import TypedDict

from screenpop import words
from screenpop.i18n import Language, clock


class OwedClock(TypedDict):
    """A clock that still counts. `due_at` is null while paused; then `remaining_seconds` of business time are left."""

    clock: str
    state: str
    due_at: str | None
    risk_at: str | None
    breached_at: str | None
    remaining_seconds: float | None


@dataclass(frozen=True, slots=True)
class PromiseView:
    """The most urgent clock of a ticket. `state`: running, risk, breached or paused; `due` and `risk` in milliseconds
    since 1970, which the page counts to; `left`: what stands there when nothing counts."""

    state: str
    name: str
    title: str
    due: int | None
    risk: int | None
    left: str


def promise_view(clocks: Sequence[OwedClock], language: Language, *, now: datetime, zone: tzinfo) -> PromiseView | None:
    """None when nothing is owed."""
    if not clocks:
        return None
    owed = min(clocks, key=lambda each: (each["due_at"] is None, _moment(each["due_at"]) or now))
    name = language.label(words.CLOCK, owed["clock"])
    due, risk = _moment(owed["due_at"]), _moment(owed["risk_at"])
    if due is None:
        left = clock(timedelta(seconds=owed["remaining_seconds"] or 0)) if owed["state"] == "paused" else ""
        title = language.gettext("%(clock)s: paused, %(left)s left") % {"clock": name, "left": left}
        return PromiseView("paused", name, title, None, None, left)
    if now >= due:
        state, title = "breached", language.gettext("%(clock)s: was due %(when)s")
    else:
        state = "risk" if risk is not None and now >= risk else "running"
        title = language.gettext("%(clock)s: due %(when)s")
    title %= {"clock": name, "when": language.exactly(due, zone)}
    return PromiseView(state, name, title, _millis(due), None if risk is None else _millis(risk), "")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
