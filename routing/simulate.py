"""A day in seconds: the production engine on a virtual clock, with calls and agents drawn by the laws of a scenario."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from math import isnan, nan, sqrt
from random import Random
from statistics import NormalDist, fmean, stdev
from typing import NamedTuple

from callcenter.domain.agent import IdleOrder
from callcenter.domain.interaction import Channel
from routing.decide import decide
from routing.facts import AgentState, Waiting
from routing.plan import Member, QueuePlan
from routing.scenario import Flow, Scenario, Staff
from routing.state import RouterState

_START = datetime(2026, 1, 5, tzinfo=UTC)
_INTERVAL = 1800.0  # seconds of one point of the plot
FIGURES = ("service_level", "asa_seconds", "abandonment", "occupancy", "answered", "offered", "unserved")


class Estimate(NamedTuple):
    """A mean over the replications, and half the width of its 95 % confidence interval; nan: what nobody can say."""

    mean: float
    ci95: float


@dataclass(slots=True)
class Tally:
    """What one replication showed of one queue; counted are calls that came after the warm-up."""

    offered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    unserved: int = 0  # waited when the day was over
    late: int = 0  # of those unserved: for longer than the limit already
    waited: float = 0.0  # seconds of those answered
    busy: float = 0.0  # seconds that agents handled its calls, after the warm-up
    staffed: float = 0.0  # seconds that its members were there, after the warm-up
    by_interval: dict[int, list[int]] = field(default_factory=dict)  # interval → [in time, known]

    def figures(self) -> dict[str, float]:
        """Of a call that still waits nobody knows whether it is in time, until the limit has passed.

        What would be a share or a mean of no calls is nan.
        """
        known = self.answered + self.abandoned + self.late
        return {
            "service_level": self.in_time / known if known else nan,
            "asa_seconds": self.waited / self.answered if self.answered else nan,
            "abandonment": self.abandoned / self.offered if self.offered else nan,
            "occupancy": self.busy / self.staffed if self.staffed else 0.0,
            "answered": float(self.answered),
            "offered": float(self.offered),
            "unserved": float(self.unserved),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """Estimates by queue and figure; `course`: the service level of each half hour, by queue."""

    queues: Mapping[str, Mapping[str, Estimate]]
    course: Mapping[str, list[tuple[float, float]]]


def simulate(scenario: Scenario, *, progress: Callable[[int, int], None] = lambda done, of: None) -> Outcome:
    """All replications. `progress` is told after each (done, of how many)."""
    runs = scenario.simulation.replications
    tallies: list[Mapping[str, Tally]] = []
    for number in range(runs):
        dice = Random(f"{scenario.simulation.seed}/{number}")  # noqa: S311 - the same seed gives the same day
        tallies.append(_Day(scenario, dice).play())
        progress(number + 1, runs)
    queues, course = {}, {}
    for flow in scenario.flows:
        of_queue = [tally[flow.queue] for tally in tallies]
        figures = [tally.figures() for tally in of_queue]
        queues[flow.queue] = {name: estimate([each[name] for each in figures]) for name in FIGURES}
        course[flow.queue] = _course(of_queue)
    return Outcome(queues, course)


def estimate(values: list[float]) -> Estimate:
    """Student's interval; its quantile by the expansion of Abramowitz and Stegun, 26.7.5.

    Replications that cannot say (nan) are left out; one alone has no interval.
    """
    values = [value for value in values if not isnan(value)]
    if len(values) < 2:
        return Estimate(values[0] if values else nan, nan)
    freedom = len(values) - 1
    z = NormalDist().inv_cdf(0.975)
    t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return Estimate(fmean(values), t * stdev(values) / sqrt(len(values)))


def _course(tallies: list[Tally]) -> list[tuple[float, float]]:
    """(seconds from the start, share in time) of each interval in which calls came."""
    total: dict[int, list[int]] = {}
    for tally in tallies:
        for interval, (in_time, known) in tally.by_interval.items():
            sums = total.setdefault(interval, [0, 0])
            sums[0] += in_time
            sums[1] += known
    return [(interval * _INTERVAL, sums[0] / sums[1]) for interval, sums in sorted(total.items()) if sums[1]]


@dataclass(slots=True)
class _Call:
    flow: Flow
    came: float
    handle: float
    version: int = 1


class _Day:
    """One replication."""

    def __init__(self, scenario: Scenario, dice: Random) -> None:
        self._length = scenario.simulation.length.total_seconds()
        self._warm_up = scenario.simulation.warm_up.total_seconds()
        self._dice = dice
        self._queue_ids = scenario.queue_ids
        self._flows = {self._queue_ids[flow.queue]: flow for flow in scenario.flows}
        self._tallies = {flow.queue: Tally() for flow in scenario.flows}
        self._calls: dict[int, _Call] = {}
        self._idents = count(1)
        self._order = count()
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._staff = dict(enumerate((staff for staff in scenario.staff for _ in range(staff.count)), 1))
        self._leaving: set[int] = set()
        self._talking: set[int] = set()
        self._keeps_place = scenario.simulation.idle_order is IdleOrder.LAST_CONTACT
        self._idle_since: dict[int, float] = {}
        self._versions = dict.fromkeys(self._staff, 0)
        self._state = RouterState(_plans(scenario, self._staff), skills=_skills(self._staff), require_console=False)

    def play(self) -> Mapping[str, Tally]:
        for agent, staff in self._staff.items():
            self._plan_shifts(agent, staff)
        for flow in self._flows.values():
            self._next_arrival(flow, 0.0)
        at = 0.0
        while (then := self._next()) is not None:
            at, happen = then
            if happen is not None:
                happen(at)
            if not self._events or self._events[0][0] > at:
                self._assign(at)
        self._close(max(at, self._length))
        return self._tallies

    def _next(self) -> tuple[float, Callable[[float], None] | None] | None:
        """When something happens, and what; None in its place: by the time alone, as a step does. At last None."""
        wake = self._state.next_wake()
        due = None if wake is None else (wake - _START).total_seconds()
        if due is not None and (not self._events or due < self._events[0][0]):
            return due, None
        return (self._events[0][0], heappop(self._events)[2]) if self._events else None

    def _close(self, at: float) -> None:
        """Nobody comes any more: who waits now is never answered."""
        for call in self._calls.values():
            if self._counts(call.came):
                tally = self._tallies[call.flow.queue]
                tally.unserved += 1
                if at - call.came > call.flow.service_level.within.total_seconds():
                    tally.late += 1
                    _note(tally, call.came, in_time=False)

    def _at(self, moment: float, happen: Callable[[float], None]) -> None:
        heappush(self._events, (moment, next(self._order), happen))

    # -- agents

    def _plan_shifts(self, agent: int, staff: Staff) -> None:
        shifts = [(s.begin.total_seconds(), s.end.total_seconds() if s.end else self._length) for s in staff.shifts]
        for begin, end in shifts or [(0.0, float("inf"))]:
            self._at(begin, lambda at, agent=agent: self._come(agent, at))  # type: ignore[misc]
            if end != float("inf"):
                self._at(end, lambda at, agent=agent: self._leave(agent))  # type: ignore[misc]
            there = max(0.0, min(end, self._length) - max(begin, self._warm_up))
            for queue in staff.queues:
                self._tallies[queue].staffed += there

    def _come(self, agent: int, at: float) -> None:
        self._leaving.discard(agent)
        if agent not in self._talking:
            since = self._idle_since.get(agent, at) if self._keeps_place else at
            self._put(agent, "idle", since)

    def _leave(self, agent: int) -> None:
        if agent in self._talking:
            self._leaving.add(agent)
        else:
            self._put(agent, "off_queue", None)

    def _put(self, agent: int, status: str, idle_since: float | None) -> None:
        self._versions[agent] += 1
        presence = "offline" if status == "off_queue" else "on_queue"
        since = None if idle_since is None else _moment(idle_since)
        load = {Channel.PHONE.value: 1} if status == "interacting" else {}
        self._state.put_agent(AgentState(agent, presence, status, since, None, True, None, self._versions[agent], load))

    # -- calls

    def _next_arrival(self, flow: Flow, now: float) -> None:
        """Exponential gaps, drawn anew where the rate changes: the law has no memory."""
        for end, rate in flow.stretches():
            if now >= end:
                continue
            gap = self._dice.expovariate(rate) if rate else float("inf")
            if now + gap < end:
                if now + gap < self._length:
                    self._at(now + gap, lambda at: self._arrive(flow, at))
                return
            now = end

    def _arrive(self, flow: Flow, at: float) -> None:
        ident = next(self._idents)
        self._calls[ident] = _Call(flow, at, flow.handle.draw(self._dice))
        if self._counts(at):
            self._tallies[flow.queue].offered += 1
        self._state.put_waiting(Waiting(ident, self._queue_ids[flow.queue], _moment(at), 1, flow.priority))
        if flow.patience is not None:
            self._at(at + flow.patience.draw(self._dice), lambda _: self._give_up(ident))
        self._next_arrival(flow, at)

    def _give_up(self, ident: int) -> None:
        call = self._calls.pop(ident, None)
        if call is None:
            return
        self._state.remove(ident, 2)
        if self._counts(call.came):
            tally = self._tallies[call.flow.queue]
            tally.abandoned += 1
            _note(tally, call.came, in_time=False)

    def _assign(self, at: float) -> None:
        now = _moment(at)
        for decision in decide(self._state, now):
            self._state.take(decision.interaction, decision.agent)
            self._answer(decision.interaction, decision.agent, decision.queue, at)

    def _answer(self, ident: int, agent: int, queue: int, at: float) -> None:
        call = self._calls.pop(ident)
        self._state.remove(ident, 2)
        self._state.tally.served[agent] += 1
        self._state.tally.turns[queue, agent] = _moment(at)
        self._talking.add(agent)
        self._put(agent, "interacting", None)
        self._at(at + call.handle, lambda end: self._finish(agent, end))
        tally = self._tallies[call.flow.queue]
        tally.busy += max(0.0, min(at + call.handle, self._length) - max(at, self._warm_up))
        if self._counts(call.came):
            waited = at - call.came
            in_time = waited <= call.flow.service_level.within.total_seconds()
            tally.answered += 1
            tally.in_time += in_time
            tally.waited += waited
            _note(tally, call.came, in_time=in_time)

    def _finish(self, agent: int, at: float) -> None:
        self._talking.discard(agent)
        self._idle_since[agent] = at
        if agent in self._leaving:
            self._leaving.discard(agent)
            self._put(agent, "off_queue", None)
        else:
            self._put(agent, "idle", at)

    def _counts(self, came: float) -> bool:
        return came >= self._warm_up


def _note(tally: Tally, came: float, *, in_time: bool) -> None:
    sums = tally.by_interval.setdefault(int(came // _INTERVAL), [0, 0])
    sums[0] += in_time
    sums[1] += 1


def _moment(seconds: float) -> datetime:
    return _START + timedelta(seconds=seconds)


def _plans(scenario: Scenario, agents: Mapping[int, Staff]) -> Iterator[QueuePlan]:
    ids = scenario.queue_ids
    members: dict[str, list[Member]] = {queue: [] for queue in ids}
    for agent, staff in agents.items():
        for queue in staff.queues:
            members[queue].append(Member(agent, staff.delay))
    for flow in scenario.flows:
        yield QueuePlan(
            ids[flow.queue],
            tuple(members[flow.queue]),
            flow.strategy,
            flow.needs,
            tuple(step.step() for step in flow.steps),
            proficiency_weight=flow.proficiency_weight,
        )


def _skills(agents: Mapping[int, Staff]) -> dict[int, Mapping[str, int]]:
    return {agent: staff.skills for agent, staff in agents.items()}
