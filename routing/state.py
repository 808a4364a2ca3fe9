"""What the router knows: waiting work and agents, as a fold over the contact log; no IO, no clock."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

from callcenter.domain.agent import DESK_GRACE, Presence, RoutingStatus
from callcenter.domain.events import Event
from callcenter.domain.interaction import State

# Versions of work that has left, so that an older event that arrives late does not bring it back.
_LEFT = 20_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work in a queue; `queued_at` is its place."""

    interaction: int
    queue: int
    queued_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class AgentState:
    agent: int
    presence: str
    routing_status: str
    idle_since: datetime | None
    not_before: datetime | None
    desk: bool
    desk_lost_at: datetime | None
    version: int


@dataclass(slots=True)
class _Line:
    """A heap of (since, id). Entries are checked when they reach the front; one nobody looks at forgets by itself."""

    heap: list[tuple[datetime, int]] = field(default_factory=list)
    limit: int = 64

    def push(self, since: datetime, ident: int, *, holds: Callable[[datetime, int], bool]) -> None:
        """`holds` tells which entries still mean something; asked of all when the line has doubled since."""
        heappush(self.heap, (since, ident))
        if len(self.heap) > self.limit:
            self.heap = sorted({entry for entry in self.heap if holds(*entry)})
            self.limit = max(64, 2 * len(self.heap))


@dataclass(slots=True)
class _Pool:
    """One queue's two lines."""

    waiting: _Line = field(default_factory=_Line)
    idle: _Line = field(default_factory=_Line)


class RouterState:
    """`apply` brings it forward by one event; `decide` (routing.decide) reads it.

    Each change costs the logarithm of a queue's length, whatever the number of agents.
    """

    def __init__(self, members: Mapping[int, Iterable[int]], *, require_console: bool) -> None:
        self.require_console = require_console
        self.waiting: dict[int, Waiting] = {}
        self.agents: dict[int, AgentState] = {}
        self.taken_work: set[int] = set()
        self.taken_agents: set[int] = set()
        self.pools: dict[int, _Pool] = {queue: _Pool() for queue in members}
        self.queues_of: dict[int, list[int]] = {}
        for queue, agents in members.items():
            for agent in agents:
                self.queues_of.setdefault(agent, []).append(queue)
        self._left: OrderedDict[int, int] = OrderedDict()
        self._asleep: list[tuple[datetime, int]] = []
        self._asleep_until: dict[int, datetime] = {}

    # -- by events

    def apply(self, event: Event) -> bool:
        """Whether it changed anything that may lead to a decision."""
        match event.noun:
            case "interaction" if event.interaction is not None and event.version is not None:
                return self._interaction(event.interaction, event.queue, event.version, event.data)
            case "agent" if event.agent is not None and event.version is not None:
                return self.put_agent(_agent(event.agent, event.version, event.data))
        return False

    def _interaction(self, ident: int, queue: int | None, version: int, data: Mapping[str, Any]) -> bool:
        known = self.waiting.get(ident)
        if version <= (known.version if known else self._left.get(ident, 0)):
            return False
        if data["state"] == State.QUEUED and queue is not None:
            self.put_waiting(Waiting(ident, queue, _time(data["queued_at"]), version))
            return True
        self.remove(ident, version)
        return False

    # -- by rows of a snapshot, and from the above

    def put_waiting(self, work: Waiting) -> None:
        self.waiting[work.interaction] = work
        self._left.pop(work.interaction, None)
        self.taken_work.discard(work.interaction)
        self._queue_up(work)

    def remove(self, interaction: int, version: int) -> None:
        """It no longer waits (offered, answered, gone)."""
        self.waiting.pop(interaction, None)
        self.taken_work.discard(interaction)
        self._left[interaction] = version
        self._left.move_to_end(interaction)
        if len(self._left) > _LEFT:
            self._left.popitem(last=False)

    def put_agent(self, agent: AgentState) -> bool:
        known = self.agents.get(agent.agent)
        if known is not None and agent.version <= known.version:
            return False
        self.agents[agent.agent] = agent
        self.taken_agents.discard(agent.agent)
        return self._line_up(agent)

    def _queue_up(self, work: Waiting) -> None:
        def waits(queued_at: datetime, ident: int) -> bool:
            known = self.waiting.get(ident)
            return known is not None and known.queue == work.queue and known.queued_at == queued_at

        self.pools.setdefault(work.queue, _Pool()).waiting.push(work.queued_at, work.interaction, holds=waits)

    def _idles(self, since: datetime, ident: int) -> bool:
        agent = self.agents[ident]
        return (
            agent.presence == Presence.ON_QUEUE
            and agent.routing_status == RoutingStatus.IDLE
            and agent.idle_since == since
        )

    def _line_up(self, agent: AgentState) -> bool:
        if (
            agent.presence != Presence.ON_QUEUE
            or agent.routing_status != RoutingStatus.IDLE
            or agent.idle_since is None
        ):
            return False
        for queue in self.queues_of.get(agent.agent, ()):
            self.pools[queue].idle.push(agent.idle_since, agent.agent, holds=self._idles)
        return True

    # -- while decisions are on their way to the database

    def take(self, interaction: int, agent: int) -> None:
        """Neither is to be decided about again until an event says what became of it."""
        self.taken_work.add(interaction)
        self.taken_agents.add(agent)

    def give_back(self, interaction: int, agent: int) -> None:
        """The decision was not carried out: both stand in line again, at their old places."""
        self.taken_work.discard(interaction)
        self.taken_agents.discard(agent)
        if (work := self.waiting.get(interaction)) is not None:
            self._queue_up(work)
        if (known := self.agents.get(agent)) is not None:
            self._line_up(known)

    # -- the fronts of the lines

    def wake(self, now: datetime) -> None:
        """Agents whose back-off is over line up again."""
        while self._asleep and self._asleep[0][0] <= now:
            until, ident = heappop(self._asleep)
            if self._asleep_until.get(ident) == until:
                del self._asleep_until[ident]
            self._line_up(self.agents[ident])

    def next_wake(self) -> datetime | None:
        return self._asleep[0][0] if self._asleep else None

    def first_waiting(self, queue: int) -> Waiting | None:
        line = self.pools[queue].waiting.heap
        while line:
            queued_at, ident = line[0]
            work = self.waiting.get(ident)
            if work and work.queue == queue and work.queued_at == queued_at and ident not in self.taken_work:
                return work
            heappop(line)
        return None

    def first_idle(self, queue: int, now: datetime) -> AgentState | None:
        """The longest idle agent of a queue who may be offered work now."""
        line = self.pools[queue].idle.heap
        while line:
            idle_since, ident = line[0]
            agent = self.agents[ident]
            if agent.idle_since == idle_since and ident not in self.taken_agents and self._may(agent, now):
                return agent
            heappop(line)
        return None

    def _may(self, agent: AgentState, now: datetime) -> bool:
        if agent.presence != Presence.ON_QUEUE or agent.routing_status != RoutingStatus.IDLE:
            return False
        if agent.not_before is not None and now < agent.not_before:
            if self._asleep_until.get(agent.agent) != agent.not_before:
                self._asleep_until[agent.agent] = agent.not_before
                heappush(self._asleep, (agent.not_before, agent.agent))
            return False
        if not self.require_console or agent.desk:
            return True
        return agent.desk_lost_at is not None and now - agent.desk_lost_at < DESK_GRACE


def _time(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


def _agent(ident: int, version: int, data: Mapping[str, Any]) -> AgentState:
    def moment(key: str) -> datetime | None:
        return None if data[key] is None else datetime.fromisoformat(data[key])

    return AgentState(
        agent=ident,
        presence=data["presence"],
        routing_status=data["routing_status"],
        idle_since=moment("idle_since"),
        not_before=moment("not_before"),
        desk=data["desk"],
        desk_lost_at=moment("desk_lost_at"),
        version=version,
    )
