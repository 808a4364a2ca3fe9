"""How one contact goes, second by second: waiting, ringing, being given up, talking, writing it down."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from callcenter.actions.interactions import abandon_outcome
from callcenter.demo import pace
from callcenter.demo.staff import Staff
from callcenter.domain.interaction import Channel, Outcome, ReservationState
from callcenter.store.directory import Queue

_SECOND = timedelta(seconds=1)
_UNANSWERED = 0.05
_HELD = 0.12
# How often many others call at the same time.
_RUSH = 0.12


@dataclass(frozen=True, slots=True)
class Try:
    """An offer to an agent; only the last one of a handled contact was answered."""

    agent: int
    reserved: datetime
    offered: datetime
    answered: datetime | None
    ended: datetime
    state: ReservationState
    reason: str


@dataclass(frozen=True, slots=True)
class Course:
    """`wrapped` is None when nobody of ours ever had the customer."""

    arrived: datetime
    queued: datetime | None
    tries: tuple[Try, ...]
    answered: datetime | None
    ended: datetime
    wrapped: datetime | None
    outcome: Outcome
    cause: str
    hold: timedelta = timedelta()

    @property
    def agent(self) -> int | None:
        return self.tries[-1].agent if self.wrapped is not None else None

    @property
    def over(self) -> datetime:
        return self.wrapped or self.ended


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that the course of a contact depends on; `local` is its moment in the company's time zone."""

    queue: Queue
    local: datetime
    language: str
    prefer: int | None
    abroad: bool


def run(channel: Channel, direction: str, facts: Circumstances, staff: Staff, dice: Random) -> Course:
    match channel:
        case Channel.PHONE if direction == "outbound":
            return _own_work(facts, staff, dice, pace.seconds(25, 130, 900, dice), engaged=True)
        case Channel.PHONE:
            return _call(facts, staff, dice, pace.seconds(20, 190, 1800, dice))
        case Channel.CHAT:
            return _call(facts, staff, dice, pace.seconds(90, 420, 2400, dice))
        case Channel.VISIT:
            return _own_work(facts, staff, dice, pace.seconds(600, 2400, 9000, dice), engaged=False)
        case _ if direction == "outbound":
            return _own_work(facts, staff, dice, pace.seconds(60, 300, 1500, dice), engaged=False)
        case _:
            return _letter(facts, staff, dice)


def _call(facts: Circumstances, staff: Staff, dice: Random, talk: timedelta) -> Course:
    """A customer who waits, and may not wait long enough."""
    at, queue = facts.local, facts.queue
    busy = pace.of_the_hour(at, around_the_clock=facts.abroad)
    agents = staff.pick(queue, at, language=facts.language, dice=dice, prefer=facts.prefer)
    asked = at + timedelta(seconds=round(dice.expovariate(1 / (2 + 12 * busy**2)), 3))
    if dice.random() < _RUSH * (0.3 + busy):
        asked += pace.seconds(15, 70, 500, dice)
    patience = at + (pace.seconds(1, 3, 9, dice) if dice.random() < 0.02 else pace.seconds(6, 90, 1200, dice))
    tries: list[Try] = []
    if len(agents) > 1 and dice.random() < _UNANSWERED and staff.free_from(agents[0], asked) == asked:
        missed = _try(agents.pop(0), asked, asked + queue.ring_timeout, ReservationState.TIMED_OUT, "no_answer")
        if missed.ended < patience:
            tries.append(missed)
            asked = missed.ended
    agent = agents[0]
    asked = staff.free_from(agent, asked)
    answered = asked + pace.seconds(1.5, 5, queue.ring_timeout.total_seconds() - 1, dice)
    if patience < answered:
        if asked + _SECOND < patience:
            tries.append(_try(agent, asked, patience, ReservationState.CANCELLED, abandon_outcome(at, patience)))
        return Course(at, at, tuple(tries), None, patience, None, abandon_outcome(at, patience), "customer_hangup")
    ended = answered + talk
    wrapped = ended + _wrap_up(queue, dice)
    tries.append(Try(agent, asked, asked + _dial(dice), answered, wrapped, ReservationState.COMPLETED, "longest_idle"))
    staff.occupy(agent, wrapped)
    hold = pace.seconds(8, 40, talk.total_seconds() / 2, dice) if dice.random() < _HELD else timedelta()
    cause = "agent_hangup" if dice.random() < 0.2 else "customer_hangup"
    return Course(at, at, tuple(tries), answered, ended, wrapped, Outcome.HANDLED, cause, hold)


def _letter(facts: Circumstances, staff: Staff, dice: Random) -> Course:
    """What is written waits for hours, for the next morning when need be."""
    at, queue = facts.local, facts.queue
    taken = at + pace.seconds(90, 4800, 80_000, dice)
    if queue.hours is not None and not queue.hours.is_open(taken):
        taken = (queue.hours.next_opening(taken) or taken) + pace.seconds(60, 1500, 7000, dice)
    taken = taken.astimezone(at.tzinfo)
    agent = dice.choice(staff.pick(queue, taken, language=facts.language, dice=dice, prefer=facts.prefer))
    ended = taken + pace.seconds(60, 330, 2000, dice)
    wrapped = ended + pace.seconds(1, 6, 60, dice)
    only = Try(agent, taken - _SECOND, taken - _SECOND, taken, wrapped, ReservationState.COMPLETED, "longest_idle")
    return Course(at, at, (only,), taken, ended, wrapped, Outcome.HANDLED, "answered")


def _own_work(facts: Circumstances, staff: Staff, dice: Random, length: timedelta, *, engaged: bool) -> Course:
    """What we begin: no queue, no wait. `engaged`: the agent cannot take a call meanwhile."""
    agents = staff.pick(facts.queue, facts.local, language=facts.language, dice=dice, prefer=facts.prefer)
    at = staff.free_from(agents[0], facts.local) if engaged else facts.local
    answered = at + (pace.seconds(4, 9, 30, dice) if engaged else timedelta())
    ended = answered + length
    wrapped = ended + _wrap_up(facts.queue, dice)
    if engaged:
        staff.occupy(agents[0], wrapped)
    only = Try(agents[0], at, at, answered, wrapped, ReservationState.COMPLETED, "own_work")
    return Course(at, None, (only,), answered, ended, wrapped, Outcome.HANDLED, "agent_hangup" if engaged else "done")


def _try(agent: int, asked: datetime, ended: datetime, state: ReservationState, reason: str) -> Try:
    return Try(agent, asked, asked + timedelta(milliseconds=120), None, ended, state, reason)


def _dial(dice: Random) -> timedelta:
    return timedelta(milliseconds=dice.randint(20, 260))


def _wrap_up(queue: Queue, dice: Random) -> timedelta:
    limit = queue.wrap_up_limit.total_seconds() if queue.wrap_up_limit else 180
    return pace.seconds(3, 17, limit, dice)
