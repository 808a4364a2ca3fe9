"""What the router knows: waiting work and agents, as a fold over the contact log; no IO, no clock."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from sortedcontainers import SortedList

from callcenter.domain.agent import DESK_GRACE, TAKES_WORK, Presence
from callcenter.domain.capacity import Limits, Load
from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel, State
from callcenter.domain.order import Needs, place
from routing.lending import Lending, Pair
from routing.plan import QueuePlan
from routing.pool import Key, Pool, Ready
from routing.staffing import AT_WORK, Staffing

# Versions of work that has left, so that an older event that arrives late does not bring it back.
_LEFT = 20_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work in a queue. `queued_at` is its place; `priority` (minutes) and its customer's `tier` shift it."""

    interaction: int
    queue: int
    queued_at: datetime
    version: int
    priority: int = 0
    tier: str | None = None
    channel: str = Channel.PHONE
    entered_at: datetime | None = None  # into this queue, where that was later than queued_at
    treated: Sequence[str] = ()  # the overflow rules that were carried out on it


@dataclass(frozen=True, slots=True)
class AgentState:
    """`load`: what is in hand, by channel. `next_presence`: chosen for when nothing is; nothing new comes till then."""

    agent: int
    presence: str
    routing_status: str
    idle_since: datetime | None
    not_before: datetime | None
    desk: bool
    desk_lost_at: datetime | None
    version: int
    load: Load = field(default_factory=dict)
    next_presence: str | None = None


class RouterState:
    """`apply` brings it forward by one event; `decide` (routing.decide) reads it, after `settle` has told it the time.

    Each change costs the logarithm of a queue's length times the number of an agent's queues, whatever the number of
    agents and of waiting work.
    """

    def __init__(
        self,
        plans: Iterable[QueuePlan],
        *,
        skills: Mapping[int, Needs] | None = None,
        limits: Limits | None = None,
        require_console: bool,
    ) -> None:
        self.require_console = require_console
        self.waiting: dict[int, Waiting] = {}
        self.agents: dict[int, AgentState] = {}
        self.taken_work: set[int] = set()
        self.taken_agents: set[int] = set()
        self.plans = {plan.queue: plan for plan in plans}
        self.pools: dict[tuple[int, str], Pool] = {}
        self._pools_of: dict[int, list[Pool]] = {}
        self._skills = skills or {}
        self._limits = limits or Limits()
        self.staffing = Staffing(self._limits)
        self._lending = Lending()
        # Where each stands now: the line's entry, to be taken out again; and where an agent counts as one who may not.
        self._places: dict[int, tuple[Pool, int, tuple[datetime, int]]] = {}
        self._lined: dict[int, list[tuple[Pool, SortedList, tuple[Key, int]]]] = {}
        self._barred: dict[int, list[tuple[Pool, str]]] = {}
        self._moved_work: set[int] = set()
        self._moved_agents: set[int] = set()
        self._timers: list[tuple[datetime, int, int]] = []  # when, 0 for work and 1 for an agent, which
        self._ready: SortedList = SortedList()  # of the first of each pool that somebody may take
        self._left: OrderedDict[int, int] = OrderedDict()
        self.served: Counter[int] = Counter()  # contacts since the day began, by agent
        self.turns: dict[tuple[int, int], datetime] = {}  # when a queue last chose an agent
        for queue, plan in self.plans.items():
            pool = self._open(queue, Channel.PHONE)  # calls are asked about before the first one comes
            self._lending.add(queue, plan.lenders())
            self.staffing.serve(queue, pool.entries.keys() - plan.lenders().keys())

    def _open(self, queue: int, channel: str) -> Pool:
        """Lines for a channel's work in a queue; its members stand in them from the next `settle` on."""
        plan = self.plans[queue]
        shifts = {member.agent: member.age_shift for member in plan.members}
        pool = Pool(plan, channel, plan.thresholds(), plan.entry_stages(self._skills), shifts)
        self.pools[queue, channel] = pool
        for member in plan.members:
            self._pools_of.setdefault(member.agent, []).append(pool)
        self._moved_agents.update(self.agents.keys() & shifts.keys())
        return pool

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
            self.put_waiting(_waiting(ident, queue, version, data))
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
        return agent.presence == Presence.ON_QUEUE and agent.routing_status in TAKES_WORK

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

    def lend_only(self, pairs: frozenset[Pair]) -> None:
        """Agents help out where these pairs (helped, lender) say, and nowhere else."""
        self._moved_agents.update(agent for agent in self._lending.open_only(pairs) if agent in self.agents)

    @property
    def unsettled(self) -> int:
        """How many agents and pieces of work have moved since everything stood where it belongs."""
        return len(self._moved_work) + len(self._moved_agents)

    def next_wake(self) -> datetime | None:
        return self._timers[0][0] if self._timers else None

    def place_of(self, work: Waiting) -> datetime:
        """Since when it seems to wait: time, priority and its customer's value in one order."""
        tiers = self.plans[work.queue].tiers if work.queue in self.plans else {}
        return place(work.queued_at, priority=work.priority, shift=tiers.get(work.tier or "", timedelta()))

    def _join_line(self, work: Waiting, now: datetime) -> None:
        if work.queue not in self.plans:
            return
        pool = self.pools.get((work.queue, work.channel)) or self._open(work.queue, work.channel)
        waited, stage = now - work.queued_at, 0
        for later, threshold in enumerate(pool.thresholds[1:], 1):
            if threshold > waited:
                heappush(self._timers, (work.queued_at + threshold, 0, work.interaction))
                break
            stage = later
        entry = (self.place_of(work), work.interaction)
        pool.waiting[stage].add(entry)
        self._places[work.interaction] = (pool, stage, entry)
        self._look_again(pool)

    def _leave_line(self, interaction: int) -> None:
        if (place := self._places.pop(interaction, None)) is not None:
            pool, stage, entry = place
            pool.waiting[stage].remove(entry)
            self._look_again(pool)

    def _join_lines(self, agent: AgentState, now: datetime) -> None:
        doing, ident = self.doing(agent, now), agent.agent
        self.staffing.put(ident, present=doing == _FREE or doing in AT_WORK)
        lined: list[tuple[Pool, SortedList, tuple[Key, int]]] = []
        barred: list[tuple[Pool, str]] = []
        for pool in self._pools_of.get(ident, ()):
            stage = pool.entries.get(ident)
            if doing != _FREE:
                barred.append((pool, doing))
            elif stage is None:
                barred.append((pool, "skills"))
            elif self._lending.bars(pool.plan.queue, ident):
                barred.append((pool, "not_lent"))
            elif not self._limits.may_take(ident, pool.channel, agent.load):
                barred.append((pool, "capacity"))
            else:
                entry = (self._key(pool, agent), ident)
                pool.idle[stage].add(entry)
                lined.append((pool, pool.idle[stage], entry))
                self._look_again(pool)
        for pool, why in barred:
            pool.doing[why] += 1
        self._lined[ident], self._barred[ident] = lined, barred

    def _leave_lines(self, agent: int) -> None:
        for pool, why in self._barred.pop(agent, ()):
            pool.doing[why] -= 1
        for pool, line, entry in self._lined.pop(agent, ()):
            line.remove(entry)
            self._look_again(pool)

    def doing(self, agent: AgentState, now: datetime) -> str:
        """Why an agent gets no work of any kind; also sets the timer for when time alone will change that."""
        if agent.presence != Presence.ON_QUEUE:
            return agent.presence
        if agent.next_presence is not None:
            return "next_presence"
        if agent.routing_status not in TAKES_WORK or agent.idle_since is None:
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
        """Smaller is asked first: less in hand, then by the queue's strategy; longest idle among equals."""
        in_hand = sum(agent.load.values())
        match pool.plan.strategy:
            case "fewest":
                return (in_hand, self.served[agent.agent], agent.idle_since)
            case "round_robin":
                return (in_hand, self.turns.get((pool.plan.queue, agent.agent), _NEVER), agent.idle_since)
            case "best_skill":
                has = self._skills.get(agent.agent, {})
                return (in_hand, -sum(has.get(skill, 0) for skill in pool.plan.needs), agent.idle_since)
        return (in_hand, agent.idle_since)

    def _look_again(self, pool: Pool) -> None:
        first, known = pool.first_ready(), pool.ready
        ready: Ready | None = None if first is None else (*first, pool)
        if ready != known:
            if known is not None:
                self._ready.remove(known)
            if ready is not None:
                self._ready.add(ready)
            pool.ready = ready

    # -- for decisions

    def first_ready(self) -> tuple[Pool, int] | None:
        """Pool and stage of the first work, of all queues and channels, that anybody may take now."""
        if not self._ready:
            return None
        _, _, stage, pool = self._ready[0]
        return pool, stage

    def best_for(self, agent: int) -> tuple[Pool, int, int] | None:
        """Pool, stage and interaction of what looks oldest to an agent, of all that they may take now."""
        best: tuple[datetime, int, Pool, int] | None = None
        for pool, _, _ in self._lined.get(agent, ()):
            if (first := pool.first_work(pool.entries[agent])) is None:
                continue
            place, interaction, stage = first
            looks = (place - pool.shifts[agent], interaction, pool, stage)
            if best is None or looks < best:
                best = looks
        return None if best is None else (best[2], best[3], best[1])

    def somebody_free(self, interaction: int) -> bool:
        """Whether anybody may take what has just begun to wait, as far as the last decision knows."""
        work = self.waiting.get(interaction)
        pool = None if work is None else self.pools.get((work.queue, work.channel))
        return pool is not None and bool(pool.idle[0])


_FREE = ""
_NEVER = datetime.min.replace(tzinfo=UTC)


def _waiting(ident: int, queue: int, version: int, data: Mapping[str, Any]) -> Waiting:
    entered_at, treated = data.get("entered_at"), tuple(data.get("treated") or ())
    return Waiting(
        ident,
        queue,
        datetime.fromisoformat(data["queued_at"]),
        version,
        data["priority"],
        data.get("tier"),
        data["channel"],
        None if entered_at is None else datetime.fromisoformat(entered_at),
        treated,
    )


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
        load=data["load"],
        next_presence=data["next_presence"],
    )
