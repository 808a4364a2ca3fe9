"""What a ticket is promised: four clocks, worked out from what happened to it; no IO, `now` is an argument."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from callcenter.domain.business import Calendar
from callcenter.domain.duration import parse_duration
from callcenter.domain.notice import Way
from callcenter.domain.ticket import OVER, Priority, TicketState
from callcenter.domain.ticket_rules import is_below

# Beyond this share of its target a running clock counts as at risk.
RISK = 0.8
# What may stand in an action beside its verb.
OPTIONS = frozenset({"by", "respect_hours"})
# A level that fires longer than this after its moment is marked late: the server was off, or asleep.
LATE = timedelta(minutes=1)


class ClockName(StrEnum):
    OWN = "own"  # until somebody owns the ticket
    FIRST_RESPONSE = "first_response"  # until a person answers the customer
    NEXT_RESPONSE = "next_response"  # from the customer's first message since our last answer until the next answer
    RESOLUTION = "resolution"  # until the ticket is resolved or closed


class ClockState(StrEnum):
    RUNNING = "running"  # time is used up
    PAUSED = "paused"  # the ticket is in a state in which none is
    MET = "met"  # fulfilled within the target
    BREACHED = "breached"  # the target is used up, whatever came later
    VOID = "void"  # nothing is owed: the ticket was over first, or its policy no longer promises it


# From which fact to which fact of a ticket each clock runs.
RUNS: Mapping[ClockName, tuple[str, str]] = {
    ClockName.OWN: ("created_at", "owned_at"),
    ClockName.FIRST_RESPONSE: ("created_at", "answered_at"),
    ClockName.NEXT_RESPONSE: ("asked_at", "replied_at"),
    ClockName.RESOLUTION: ("created_at", "over_at"),
}

# What the log says when a clock comes from one state (None: it has just begun) into another; the rest is silent.
TOLD: Mapping[tuple[ClockState | None, ClockState], str] = {
    **{(before, ClockState.MET): "sla.met" for before in (None, *ClockState) if before is not ClockState.MET},
    **{
        (before, ClockState.BREACHED): "sla.breached"
        for before in (None, *ClockState)
        if before is not ClockState.BREACHED
    },
    **{(before, ClockState.PAUSED): "sla.paused" for before in (None, *ClockState) if before is not ClockState.PAUSED},
    **{(before, ClockState.RUNNING): "sla.resumed" for before in ClockState if before is not ClockState.RUNNING},
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened to a ticket, so far as clocks care. None: not yet.

    `round` counts the customer's turns after the first answer; `asked_at` and `replied_at` are of the latest one.
    """

    created_at: datetime
    owned_at: datetime | None = None
    answered_at: datetime | None = None
    asked_at: datetime | None = None
    replied_at: datetime | None = None
    over_at: datetime | None = None
    round: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch of a ticket's life in a state other than new and open; `reason` is that state. The ledger has them all:
    which of them stop the clocks is the policy's to say, and may change."""

    begin: datetime
    end: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Action:
    """`verb`: notify, priority, reassign, tag, task or webhook.

    `by`: ways of a notice besides the console; None: as each of those who are told prefers. `respect_hours`: it
    disturbs nobody before their hours open. `task`: as the file has it; its `value` is the title.
    """

    verb: str
    value: str
    by: tuple[Way, ...] | None = None
    respect_hours: bool = False
    task: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Self:
        """As the file has it: `{ notify = "owner", by = ["email"] }`."""
        [(verb, value)] = ((key, kept[key]) for key in kept if key not in OPTIONS)
        if verb == "task":
            return cls(verb, value["title"], task=value)
        by = tuple(Way(way) for way in kept["by"]) if "by" in kept else None
        return cls(verb, value, by, kept.get("respect_hours", False))


@dataclass(frozen=True, slots=True)
class Level:
    """One step of an escalation. `at`: as the file has it; `number`: its place among those of its clock, from 1.

    `when`: what must be so at its moment; else it is passed over.
    """

    clock: ClockName
    number: int
    at: str
    actions: tuple[Action, ...]
    when: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def fits(self, ticket: Mapping[str, str | None]) -> bool:
        """`ticket`: priority, state, queue and owner by name. `owner` may be asked to be none or any."""
        return all(_is_one_of(ticket.get(key), wanted) for key, wanted in self.when.items())

    def used(self, target: timedelta) -> timedelta:
        """How much of the clock's time is used up when it is due."""
        return used_at(self.at, target)


def _is_one_of(value: str | None, wanted: Sequence[str]) -> bool:
    return ("none" if value is None else value) in wanted or (value is not None and "any" in wanted)


@lru_cache(maxsize=1024)
def used_at(at: str, target: timedelta) -> timedelta:
    """`80%` of the target, or an offset from it: `-30m`, `+0m`, `+1h30m`."""
    if at.endswith("%"):
        return target * int(at[:-1]) / 100
    return target + parse_duration(at.removeprefix("+"))


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """`pauses`: the states of a ticket in which no time is used up."""

    name: str
    when: Mapping[str, str]
    calendar: Calendar
    targets: Mapping[ClockName, timedelta]
    pauses: frozenset[str]
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """`due_at`: when the target is used up; None while paused. `remaining`: of the target, while paused.

    `ended_at`: when nothing was owed any more. `difference`: what was left of the target then, or (negative) how much
    more it took, in the policy's business time.
    """

    clock: ClockName
    round: int
    state: ClockState
    target: timedelta
    started_at: datetime
    due_at: datetime | None = None
    risk_at: datetime | None = None
    remaining: timedelta | None = None
    met_at: datetime | None = None
    ended_at: datetime | None = None
    breached_at: datetime | None = None
    difference: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When a level is due."""

    at: datetime
    level: Level
    round: int


def choose(policies: Iterable[Policy], case: Mapping[str, str | None]) -> Policy | None:
    """The first whose conditions all hold; the one without conditions where no other does, wherever it stands.

    A condition on a category holds for those below it too.
    """
    default = None
    for policy in policies:
        if not policy.when:
            default = policy
        elif all(_holds(key, value, case.get(key)) for key, value in policy.when.items()):
            return policy
    return default


def _holds(key: str, value: str, found: str | None) -> bool:
    return is_below(found, value) if key == "category" else found == value


def voided(clocks: Mapping[ClockName, Clock], now: datetime) -> dict[ClockName, Clock]:
    """Nothing is owed any more, since the case goes on in another ticket: what runs is void, what was judged stays."""
    return {
        name: clock
        if clock.ended_at is not None
        else replace(clock, ended_at=now)
        if clock.state is ClockState.BREACHED
        else replace(clock, state=ClockState.VOID, due_at=None, risk_at=None, remaining=None, ended_at=now)
        for name, clock in clocks.items()
    }


# -- facts


def changed(facts: Facts, *, owner: int | None, state: TicketState, now: datetime) -> Facts:
    """A ticket has this owner and this state from now on."""
    over = None if state not in OVER else facts.over_at or now
    owned = facts.owned_at or (now if owner is not None else None)
    return replace(facts, owned_at=owned, over_at=over)


def asked(facts: Facts, at: datetime) -> Facts:
    """The customer wrote. Before the first answer that answer is what is owed; and who writes again while an answer is
    owed does not move their own deadline."""
    if facts.answered_at is None or (facts.asked_at is not None and facts.replied_at is None):
        return facts
    if at <= (facts.replied_at or facts.answered_at):
        return facts  # known late, and answered already
    return replace(facts, asked_at=at, replied_at=None, round=facts.round + 1)


def answered(facts: Facts, at: datetime) -> Facts:
    """A person of ours answered the customer."""
    owed = facts.asked_at is not None and facts.replied_at is None and at >= facts.asked_at
    return replace(facts, answered_at=facts.answered_at or at, replied_at=at if owed else facts.replied_at)


def unanswered(facts: Facts, at: datetime, *, other: datetime | None, asked_at: datetime | None) -> Facts:
    """The answer at `at` was taken back. `other`: the next one that stands; `asked_at`: the question that it had
    answered, where the customer has written again since."""
    first = other if facts.answered_at == at else facts.answered_at
    if first is None:
        return replace(facts, answered_at=None, asked_at=None, replied_at=None)
    replied = other if facts.replied_at == at else facts.replied_at
    return replace(facts, answered_at=first, asked_at=asked_at or facts.asked_at, replied_at=replied)


# -- time


def _stopped(pauses: Iterable[Pause], reasons: Collection[str]) -> tuple[Pause, ...]:
    found = [pause for pause in pauses if pause.reason in reasons]
    return tuple(sorted(found, key=lambda pause: pause.begin))


def _clipped(pauses: Iterable[Pause], end: datetime) -> tuple[Pause, ...]:
    """As if all went on at `end`."""
    return tuple(
        replace(pause, end=end if pause.end is None else min(pause.end, end)) for pause in pauses if pause.begin < end
    )


def used(calendar: Calendar, begin: datetime, end: datetime, pauses: Sequence[Pause]) -> timedelta:
    """Business time from `begin` to `end` outside of pauses (in order, not overlapping)."""
    total, at = timedelta(), begin
    for pause in pauses:
        if pause.begin >= end:
            break
        if pause.begin > at:
            total += calendar.between(at, pause.begin)
        if pause.end is None:
            return total
        at = max(at, pause.end)
    return total + calendar.between(at, end) if at < end else total


def reached(calendar: Calendar, begin: datetime, amount: timedelta, pauses: Sequence[Pause]) -> datetime | None:
    """When `amount` of business time outside of pauses has passed since `begin`; None while a pause holds it up."""
    at, left = begin, amount
    for pause in pauses:
        if pause.begin > at:
            passed = calendar.between(at, pause.begin)
            if passed >= left:
                break
            left -= passed
        if pause.end is None:
            return None
        at = max(at, pause.end)
    return calendar.after(at, left)


# -- clocks


def recompute(
    policy: Policy | None, facts: Facts, pauses: Sequence[Pause], before: Mapping[ClockName, Clock], now: datetime
) -> dict[ClockName, Clock]:
    """The clocks as they stand, from the ticket's creation on. What was fulfilled stays as it was judged then.

    Doing it again at the same moment changes nothing. A clock that `policy` no longer has is void.
    """
    # A clock that was set back takes nothing back that was seen to run out.
    now = max([now, *(old.breached_at for old in before.values() if old.breached_at is not None)])
    pauses = [pause for pause in pauses if pause.begin <= now]
    found = {}
    for name, (start, end) in RUNS.items():
        target = policy.targets.get(name) if policy is not None else None
        began: datetime | None = getattr(facts, start)
        done: datetime | None = getattr(facts, end)
        old = before.get(name)
        turn = facts.round if name is ClockName.NEXT_RESPONSE else 1
        if old is not None and old.round == turn and old.met_at is not None and old.met_at == done:
            found[name] = old
        elif policy is not None and target is not None and began is not None:
            found[name] = _clock(policy, name, turn, target, began, done, facts.over_at, pauses, now)
        elif old is not None:
            found[name] = replace(
                old, state=ClockState.VOID, due_at=None, risk_at=None, remaining=None, breached_at=None,
                ended_at=old.ended_at or now,
            )  # fmt: skip
    return found


def _clock(
    policy: Policy, name: ClockName, turn: int, target: timedelta, began: datetime, done: datetime | None,
    over: datetime | None, pauses: Sequence[Pause], now: datetime,
) -> Clock:  # fmt: skip
    # Time between a resolution and a reopening is nobody's.
    stopped = _stopped(pauses, policy.pauses | OVER)
    ended = done or over
    if ended is not None:
        stopped = _clipped(stopped, ended)
    passed = used(policy.calendar, began, ended or now, stopped)
    due = reached(policy.calendar, began, target, stopped)
    clock = Clock(name, turn, ClockState.RUNNING, target, began, due, ended_at=ended, met_at=done)
    if passed >= target:
        clock = replace(clock, state=ClockState.BREACHED, breached_at=due)
    elif done is not None:
        clock = replace(clock, state=ClockState.MET)
    elif over is not None:
        return replace(clock, state=ClockState.VOID, due_at=None)
    elif any(pause.end is None for pause in stopped):
        return replace(clock, state=ClockState.PAUSED, remaining=target - passed)
    else:
        return replace(clock, risk_at=reached(policy.calendar, began, target * RISK, stopped))
    return replace(clock, difference=target - passed) if done is not None else clock


def moments(
    policy: Policy | None,
    clocks: Mapping[ClockName, Clock],
    pauses: Sequence[Pause],
    fired: Collection[tuple[str, int, str]],
) -> list[Moment]:
    """When the levels of what is still owed are due, the earliest first; without those that are in `fired`
    (clock, round, at) and those that a pause holds up."""
    if policy is None:
        return []
    stopped = _stopped(pauses, policy.pauses | OVER)
    found = []
    for level in policy.levels:
        clock = clocks.get(level.clock)
        if clock is None or clock.ended_at is not None or (level.clock, clock.round, level.at) in fired:
            continue
        at = reached(policy.calendar, clock.started_at, level.used(clock.target), stopped)
        if at is not None:
            found.append(Moment(at, level, clock.round))
    return sorted(found, key=lambda moment: (moment.at, moment.level.number))


def next_moment(clocks: Mapping[ClockName, Clock], levels: Sequence[Moment]) -> datetime | None:
    """When a ticket must be looked at again."""
    dues = [clock.due_at for clock in clocks.values() if clock.state is ClockState.RUNNING and clock.due_at is not None]
    return min([*dues, *(moment.at for moment in levels)], default=None)


def told(before: Mapping[ClockName, Clock], after: Mapping[ClockName, Clock]) -> Iterator[tuple[str, Clock]]:
    """What the log is to say of the clocks that came into another state: (kind, clock)."""
    for name, clock in after.items():
        old = before.get(name)
        kind = TOLD.get((old.state if old is not None and old.round == clock.round else None, clock.state))
        if kind is not None:
            yield kind, clock


_ORDER = tuple(Priority)


def raised(priority: Priority, to: Priority) -> Priority:
    """The more urgent of both: an escalation never makes anything less so."""
    return max(priority, to, key=_ORDER.index)
