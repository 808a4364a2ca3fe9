"""What the router knows: waiting work and agents, as a fold over the contact log; no IO, no clock."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import islice
from typing import Any

from sortedcontainers import SortedList

from callcenter.domain.agent import DESK_GRACE, Presence, RoutingStatus
from callcenter.domain.events import Event
from callcenter.domain.interaction import State
from callcenter.domain.order import Needs, place
from routing.plan import QueuePlan

# Versions of work that has left, so that an older event that arrives late does not bring it back.
_LEFT = 20_000
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work in a queue. `queued_at` is its place; `priority` (minutes) and its customer's `tier` shift it."""

    interaction: int
    queue: int
    queued_at: datetime
    version: int
    priority: int = 0
    tier: str | None = None


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


@dataclass(slots=True, eq=False)
class Pool:
    """One queue: its lines of work by stage, and of free agents by the stage from which on they may take it."""

    plan: QueuePlan
    thresholds: tuple[timedelta, ...]
    entries: Mapping[int, int]
    shifts: Mapping[int, timedelta]
    waiting: list[SortedList] = field(init=False)  # of (place, interaction)
    idle: list[SortedList] = field(init=False)  # of (key, agent)
    doing: Counter[str] = field(default_factory=Counter)  # its members who are not free, by why

    def __post_init__(self) -> None:
        self.waiting = [SortedList() for _ in self.thresholds]
        self.idle = [SortedList() for _ in self.thresholds]

    def first_work(self, entry: int) -> tuple[datetime, int, int] | None:
        """Place, interaction and stage of the first that an agent of this entry stage may take."""
        best: tuple[datetime, int, int] | None = None
        for stage in range(entry, len(self.waiting)):
            line = self.waiting[stage]
            if line and (best is None or line[0] < best[:2]):
                best = (*line[0], stage)
        return best

    def first_ready(self) -> tuple[datetime, int, int] | None:
        """The first work that any free agent may take."""
        for entry, line in enumerate(self.idle):
            if line:
                return self.first_work(entry)
        return None

    def first_free(self, stage: int) -> int:
        """Whose turn it is to take work of this stage; somebody is free."""
        first: tuple[Key, int] = min([line[0] for line in self.idle[: stage + 1] if line])
        return first[1]

    def candidates(self, stage: int) -> Iterator[tuple[Key, int]]:
        """Free agents who may take work of this stage, the best first."""
        lines = [line for line in self.idle[: stage + 1] if line]
        if len(lines) == 1:
            return iter(lines[0])
        return iter(sorted(entry for line in lines for entry in islice(line, 10)))

    def free(self) -> int:
        return sum(map(len, self.idle))


class RouterState:
    """`apply` brings it forward by one event; `decide` (routing.decide) reads it, after `settle` has told it the time.

    Each change costs the logarithm of a queue's length times the number of an agent's queues, whatever the number of
    agents and of waiting work.
    """

    def __init__(
        self, plans: Iterable[QueuePlan], *, skills: Mapping[int, Needs] | None = None, require_console: bool
    ) -> None:
        self.require_console = require_console
        self.waiting: dict[int, Waiting] = {}
        self.agents: dict[int, AgentState] = {}
        self.taken_work: set[int] = set()
        self.taken_agents: set[int] = set()
        self.pools: dict[int, Pool] = {}
        self.queues_of: dict[int, list[int]] = {}
        self._skills = skills or {}
        for plan in plans:
            self._add(plan)
        # Where each stands now: the line's entry, to be taken out again.
        self._places: dict[int, tuple[int, int, tuple[datetime, int]]] = {}
        self._lined: dict[int, list[tuple[SortedList, tuple[Key, int]]]] = {}
        self._doing: dict[int, str] = {}
        self._moved_work: set[int] = set()
        self._moved_agents: set[int] = set()
        self._timers: list[tuple[datetime, int, int]] = []  # when, 0 for work and 1 for an agent, which
        # The first work of each queue that somebody free may take: place, interaction, stage, queue.
        self._ready: SortedList = SortedList()
        self._ready_of: dict[int, tuple[datetime, int, int, int]] = {}
        self._left: OrderedDict[int, int] = OrderedDict()
        self.served: Counter[int] = Counter()  # contacts since the day began, by agent
        self.turns: dict[tuple[int, int], datetime] = {}  # when a queue last chose an agent

    def _add(self, plan: QueuePlan) -> None:
        shifts = {member.agent: member.age_shift for member in plan.members}
        self.pools[plan.queue] = Pool(plan, plan.thresholds(), plan.entry_stages(self._skills), shifts)
        for member in plan.members:
            self.queues_of.setdefault(member.agent, []).append(plan.queue)

    # -- by events

    def apply(self, event: Event) -> bool:
        """Whether it changed anything that may lead to a decision."""
        match event.noun:
            case "interaction" if event.interaction is not None and event.version is not None:
                return self._interaction(event, event.interaction, event.version)
            case "agent" if event.agent is not None and event.version is not None:
                return self.put_agent(_agent(event.agent, event.version, event.data))
        return False

    def _interaction(self, event: Event, ident: int, version: int) -> bool:
        known = self.waiting.get(ident)
        if version <= (known.version if known else self._left.get(ident, 0)):
            return False
        data, queue = event.data, event.queue
        if data["state"] == State.QUEUED and queue is not None:
            queued_at = datetime.fromisoformat(data["queued_at"])
            self.put_waiting(Waiting(ident, queue, queued_at, version, data["priority"], data.get("tier")))
            return True
        if event.agent is not None and queue is not None:
            if event.kind == "interaction.reserved":
                self.turns[queue, event.agent] = event.at
            elif event.kind == "interaction.answered":
                self.served[event.agent] += 1
        self.remove(ident, version)
        return False

    # -- by rows of a snapshot, and from the above

    def put_waiting(self, work: Waiting) -> None:
        self.waiting[work.interaction] = work
        self._left.pop(work.interaction, None)
        self.taken_work.discard(work.interaction)
        self._moved_work.add(work.interaction)

    def remove(self, interaction: int, version: int) -> None:
        """It no longer waits (offered, answered, gone)."""
        self.waiting.pop(interaction, None)
        self.taken_work.discard(interaction)
        # Where nobody decides, nothing stands in line, and nothing is to be remembered of what has left.
        (self._moved_work.add if interaction in self._places else self._moved_work.discard)(interaction)
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
        self._moved_agents.add(agent.agent)
        return agent.presence == Presence.ON_QUEUE and agent.routing_status == RoutingStatus.IDLE

    # -- while decisions are on their way to the database

    def take(self, interaction: int, agent: int) -> None:
        """Neither is to be decided about again until an event says what became of it."""
        self.taken_work.add(interaction)
        self._leave_line(interaction)
        self.take_agent(agent)

    def take_agent(self, agent: int) -> None:
        """For work that is not here yet."""
        self.taken_agents.add(agent)
        self._leave_lines(agent)

    def give_back(self, interaction: int, agent: int) -> None:
        """The decision was not carried out: both stand in line again, at their old places."""
        self.taken_work.discard(interaction)
        self._moved_work.add(interaction)
        self.give_agent_back(agent)

    def give_agent_back(self, agent: int) -> None:
        self.taken_agents.discard(agent)
        self._moved_agents.add(agent)

    # -- with the time

    def settle(self, now: datetime) -> None:
        """Everybody and everything stands where they belong now."""
        while self._timers and self._timers[0][0] <= now:
            _, is_agent, ident = heappop(self._timers)
            (self._moved_agents if is_agent else self._moved_work).add(ident)
        for ident in self._moved_work:
            self._leave_line(ident)
            if (work := self.waiting.get(ident)) is not None and ident not in self.taken_work:
                self._join_line(work, now)
        self._moved_work.clear()
        for ident in self._moved_agents:
            self._leave_lines(ident)
            if (moved := self.agents.get(ident)) is not None and ident not in self.taken_agents:
                self._join_lines(moved, now)
        self._moved_agents.clear()

    @property
    def unsettled(self) -> int:
        """How many agents and pieces of work have moved since everything stood where it belongs."""
        return len(self._moved_work) + len(self._moved_agents)

    def next_wake(self) -> datetime | None:
        return self._timers[0][0] if self._timers else None

    def place_of(self, work: Waiting) -> datetime:
        """Since when it seems to wait: time, priority and its customer's value in one order."""
        tiers = self.pools[work.queue].plan.tiers if work.queue in self.pools else {}
        return place(work.queued_at, priority=work.priority, shift=tiers.get(work.tier or "", timedelta()))

    def _join_line(self, work: Waiting, now: datetime) -> None:
        pool = self.pools.get(work.queue)
        if pool is None:
            return
        waited, stage = now - work.queued_at, 0
        for later, threshold in enumerate(pool.thresholds[1:], 1):
            if threshold > waited:
                heappush(self._timers, (work.queued_at + threshold, 0, work.interaction))
                break
            stage = later
        entry = (self.place_of(work), work.interaction)
        pool.waiting[stage].add(entry)
        self._places[work.interaction] = (work.queue, stage, entry)
        self._look_again(work.queue)

    def _leave_line(self, interaction: int) -> None:
        if (place := self._places.pop(interaction, None)) is not None:
            queue, stage, entry = place
            self.pools[queue].waiting[stage].remove(entry)
            self._look_again(queue)

    def _join_lines(self, agent: AgentState, now: datetime) -> None:
        doing = self.doing(agent, now)
        if doing != _FREE:
            self._doing[agent.agent] = doing
            for queue in self.queues_of.get(agent.agent, ()):
                self.pools[queue].doing[doing] += 1
            return
        lined: list[tuple[SortedList, tuple[Key, int]]] = []
        for queue in self.queues_of.get(agent.agent, ()):
            pool = self.pools[queue]
            stage = pool.entries.get(agent.agent)
            if stage is None:
                pool.doing["skills"] += 1
                continue
            entry = (self._key(pool, agent), agent.agent)
            pool.idle[stage].add(entry)
            lined.append((pool.idle[stage], entry))
            self._look_again(queue)
        self._lined[agent.agent] = lined

    def _leave_lines(self, agent: int) -> None:
        queues = self.queues_of.get(agent, ())
        if (doing := self._doing.pop(agent, None)) is not None:
            for queue in queues:
                self.pools[queue].doing[doing] -= 1
        elif (lined := self._lined.pop(agent, None)) is not None:
            for line, entry in lined:
                line.remove(entry)
            for queue in queues:
                pool = self.pools[queue]
                if agent not in pool.entries:
                    pool.doing["skills"] -= 1
                self._look_again(queue)

    def doing(self, agent: AgentState, now: datetime) -> str:
        """Why an agent is not free; also sets the timer for when time alone will change that."""
        if agent.presence != Presence.ON_QUEUE:
            return agent.presence
        if agent.routing_status != RoutingStatus.IDLE or agent.idle_since is None:
            return agent.routing_status
        if agent.not_before is not None and now < agent.not_before:
            heappush(self._timers, (agent.not_before, 1, agent.agent))
            return "left_alone"
        if self.require_console and not agent.desk:
            if agent.desk_lost_at is None or now - agent.desk_lost_at >= DESK_GRACE:
                return "no_console"
            heappush(self._timers, (agent.desk_lost_at + DESK_GRACE, 1, agent.agent))
        return _FREE

    def _key(self, pool: Pool, agent: AgentState) -> Key:
        """Smaller is asked first; longest idle among equals."""
        match pool.plan.strategy:
            case "fewest":
                return (self.served[agent.agent], agent.idle_since)
            case "round_robin":
                return (self.turns.get((pool.plan.queue, agent.agent), _NEVER), agent.idle_since)
            case "best_skill":
                has = self._skills.get(agent.agent, {})
                return (-sum(has.get(skill, 0) for skill in pool.plan.needs), agent.idle_since)
        return (agent.idle_since,)

    def _look_again(self, queue: int) -> None:
        first, known = self.pools[queue].first_ready(), self._ready_of.pop(queue, None)
        ready = None if first is None else (*first, queue)
        if ready is not None:
            self._ready_of[queue] = ready
        if ready != known:
            if known is not None:
                self._ready.remove(known)
            if ready is not None:
                self._ready.add(ready)

    # -- for decisions

    def first_ready(self) -> tuple[int, int] | None:
        """Queue and stage of the first work, of all queues, that any free agent may take."""
        if not self._ready:
            return None
        _, _, stage, queue = self._ready[0]
        return queue, stage

    def first_candidate(self, queue: int, stage: int) -> int:
        """Whose turn it is to take work of a stage, by the queue's strategy; somebody is free."""
        return self.pools[queue].first_free(stage)

    def best_for(self, agent: int) -> tuple[int, int, int] | None:
        """Queue, stage and interaction of what looks oldest to a free agent."""
        best: tuple[datetime, int, int, int] | None = None
        for queue in self.queues_of.get(agent, ()):
            pool = self.pools[queue]
            entry = pool.entries.get(agent)
            if entry is None or (first := pool.first_work(entry)) is None:
                continue
            place, interaction, stage = first
            looks = (place - pool.shifts[agent], interaction, queue, stage)
            if best is None or looks < best:
                best = looks
        return None if best is None else (best[2], best[3], best[1])

    def somebody_free(self, queue: int) -> bool:
        """Whether anybody may take what enters this queue now, as far as the last decision knows."""
        pool = self.pools.get(queue)
        return pool is not None and bool(pool.idle[0])


_FREE = ""
_NEVER = datetime.min.replace(tzinfo=UTC)


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
