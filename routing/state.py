"""What the router knows: waiting work and agents, as a fold over the contact log; no IO, no clock."""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from math import inf

from callcenter.domain.agent import TAKES_WORK, Presence, on_shift
from callcenter.domain.capacity import Limits
from callcenter.domain.eligible import NEXT_PRESENCE, NO_CONSOLE, withheld
from callcenter.domain.events import Event
from callcenter.domain.interaction import Channel, State
from callcenter.domain.needs import Skills, spoken
from callcenter.domain.order import place
from routing.facts import AgentState, Waiting, agent_of, waiting_of
from routing.held import Entry, Wishes
from routing.lending import Lending, Loan
from routing.plan import QueuePlan
from routing.pool import First, Pool, Turn
from routing.staffing import AT_WORK, Staffing
from routing.tally import Horizon, Tally

# Versions of work that has left, so that an older event that arrives late does not bring it back.
_LEFT = 20_000


@dataclass(frozen=True, slots=True)
class _Place:
    """Where work stands in line; `agents`: for whom it waits (of whom some may take it yet), None: for anybody."""

    pool: Pool
    stage: int
    entry: Entry
    agents: tuple[int, ...] | None


class RouterState:
    """`apply` brings it forward by one event; `decide` (routing.decide) reads it, after `settle` has told it the time.

    Each change costs the logarithm of a queue's length times the number of an agent's queues (and of the channels and
    languages of what came there), whatever the number of agents and of waiting work.
    """

    def __init__(
        self,
        plans: Iterable[QueuePlan],
        *,
        skills: Mapping[int, Skills] | None = None,
        limits: Limits | None = None,
        require_console: bool,
        tally: Tally | None = None,
        horizon: Horizon | None = None,  # what the rows to be put in show: events of that change nothing
        revision: int | None = None,  # of the organisation that plans, skills and limits are of
    ) -> None:
        self.require_console = require_console
        self.tally = tally or Tally()
        self._horizon = horizon
        self.revision = revision
        self.waiting: dict[int, Waiting] = {}
        self.agents: dict[int, AgentState] = {}
        self.taken_work: set[int] = set()
        self.taken_agents: set[int] = set()
        self.plans = {plan.queue: plan for plan in plans}
        self.pools: dict[tuple[int, str, str | None], Pool] = {}
        self._lines: dict[tuple[int, str], list[Pool]] = {}
        self._pools_of: dict[int, list[Pool]] = {}
        self._skills = skills or {}
        self._languages = {plan.queue: plan.languages(self._skills) for plan in self.plans.values()}
        self._limits = limits or Limits()
        self.staffing = Staffing(self._limits)
        self._lending = Lending()
        # Where each stands now: the line's entry, to be taken out again; and where an agent counts as one who may not.
        self._places: dict[int, _Place] = {}
        self._lined: dict[int, list[tuple[Pool, list[Turn], Turn]]] = {}
        self._barred: dict[int, list[tuple[Pool, str]]] = {}
        self._wishes = Wishes()
        self._moved_work: set[int] = set()
        self._moved_agents: set[int] = set()
        self._timers: list[tuple[datetime, int, int]] = []  # when, 0 for work and 1 for an agent, which
        # Sorted, of entry and pool: the first of each pool that somebody may take.
        self._ready: list[tuple[datetime, datetime, int, Pool]] = []
        self._left: OrderedDict[int, int] = OrderedDict()
        for queue, plan in self.plans.items():
            self._lending.add(queue, plan.loans())
            pool = self._open(queue, Channel.PHONE, None)  # calls are asked about before the first one comes
            self.staffing.serve(queue, pool.entries.keys() - plan.loans().keys())

    def _open(self, queue: int, channel: str, language: str | None) -> Pool:
        """Lines for a channel's work in a language in a queue; its members stand in them from the next `settle` on."""
        plan = self.plans[queue]
        shifts = {member.agent: member.age_shift for member in plan.members if member.age_shift}
        entries = plan.entry_stages(self._skills, language)
        self._lending.follow(queue, entries, plan.loan_stages(self._skills, language))
        pool = self.pools[queue, channel, language] = Pool(plan, channel, language, plan.thresholds(), entries, shifts)
        self._lines.setdefault((queue, channel), []).append(pool)
        for member in plan.members:
            self._pools_of.setdefault(member.agent, []).append(pool)
            if member.agent in self.agents:
                self._moved_agents.add(member.agent)
        return pool

    # -- by events

    def apply(self, event: Event) -> bool:
        """Whether it changed anything that may lead to a decision."""
        if self._horizon is not None and self._horizon.shows(event):
            return False
        match event.noun:
            case "interaction" if event.interaction is not None and event.version is not None:
                return self._interaction(event, event.interaction, event.version)
            case "agent" if event.agent is not None and event.version is not None:
                return self.put_agent(agent_of(event.agent, event.version, event.data))
        return False

    def _interaction(self, event: Event, ident: int, version: int) -> bool:
        if (agent := self.tally.note(event)) is not None:
            self._moved_agents.add(agent)
        known = self.waiting.get(ident)
        if version <= (known.version if known else self._left.get(ident, 0)):
            return False
        if event.queue is not None and event.data["state"] == State.QUEUED:
            self.put_waiting(waiting_of(ident, event.queue, version, event.data))
            return True
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
        takes_work = agent.presence == Presence.ON_QUEUE and agent.routing_status in TAKES_WORK
        return takes_work or self._wishes.concern(agent.agent)

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
        # Agents first: who comes on shift, or goes, is waited for, or no longer. Again, where work opened new lines.
        self._settle_agents(now)
        for ident in self._moved_work:
            self._leave_line(ident)
            if (work := self.waiting.get(ident)) is not None and ident not in self.taken_work:
                self._join_line(work, now)
        self._moved_work.clear()
        self._settle_agents(now)

    def _settle_agents(self, now: datetime) -> None:
        for ident in self._moved_agents:
            self._leave_lines(ident)
            if (moved := self.agents.get(ident)) is not None and ident not in self.taken_agents:
                self._join_lines(moved, now)
        self._moved_agents.clear()

    def lend_only(self, loans: frozenset[Loan]) -> bool:
        """Agents help out by these loans, and no others; whether that changed anything."""
        changed = self.agents.keys() & self._lending.open_only(loans)
        self._moved_agents |= changed
        return bool(changed)

    @property
    def unsettled(self) -> int:
        """How many agents and pieces of work have moved since everything stood where it belongs."""
        return len(self._moved_work) + len(self._moved_agents)

    def next_wake(self) -> datetime | None:
        return self._timers[0][0] if self._timers else None

    def place_of(self, work: Waiting) -> datetime:
        """Since when it seems to wait: time, priority, its customer's value and contract in one order."""
        tiers = self.plans[work.queue].tiers if work.queue in self.plans else {}
        shift = tiers.get(work.tier or "", timedelta()) + work.contract
        return place(work.queued_at, priority=work.priority, shift=shift)

    def entry_of(self, work: Waiting) -> Entry:
        """Where it stands in the one order; of two that look equally old the one that waits longer is first."""
        return self.place_of(work), work.queued_at, work.interaction

    def lines(self, queue: int, channel: str) -> list[Pool]:
        """A channel's pools in a queue: one for each language that somebody waits in, or has waited in."""
        return self._lines.get((queue, channel), [])

    def line_of(self, work: Waiting) -> Pool | None:
        """The pool where it stands; None where nobody knows its queue, or it has not been put into line."""
        key = self._line_of(work)
        return None if key is None else self.pools.get(key)

    def _line_of(self, work: Waiting) -> tuple[int, str, str | None] | None:
        """The key of the pool where it belongs; None where nobody knows its queue."""
        if (plan := self.plans.get(work.queue)) is None:
            return None
        language = spoken(work.language) or plan.default_language
        return work.queue, work.channel, language if language in self._languages[work.queue] else None

    def _join_line(self, work: Waiting, now: datetime) -> None:
        if (line := self._line_of(work)) is None:
            return
        pool = self.pools.get(line) or self._open(*line)
        waited, stage = now - work.queued_at, 0
        for later, threshold in enumerate(pool.thresholds[1:], 1):
            if threshold > waited:
                heappush(self._timers, (work.queued_at + threshold, 0, work.interaction))
                break
            stage = later
        at = _Place(pool, stage, self.entry_of(work), self._waited_for(work, pool, now))
        self._places[work.interaction] = at
        pool.join(at.entry, stage, at.agents)
        self._look_again(pool)

    def _waited_for(self, work: Waiting, pool: Pool, now: datetime) -> tuple[int, ...] | None:
        """Agents for whom work waits, the best first; None: for anybody. Also sets the timer for when that ends."""
        within = pool.plan.prefer_for
        if not work.preferred or now >= work.queued_at + within:
            return None
        heappush(self._timers, (work.queued_at + within, 0, work.interaction))
        self._wishes.wish(work.interaction, work.preferred)
        agents = [
            each
            for each in work.preferred
            if self._wishes.is_on_shift(each)
            and not self._lending.is_lent(work.queue, each)
            and pool.reaches(each, within)
            and self._limits.may_take(each, pool.channel, {})
        ]
        return tuple(agents) or None

    def _leave_line(self, interaction: int) -> None:
        if (at := self._places.pop(interaction, None)) is None:
            return
        at.pool.leave(at.entry, at.stage, at.agents)
        self._wishes.forget(interaction)
        self._look_again(at.pool)

    def _join_lines(self, agent: AgentState, now: datetime) -> None:
        doing, ident = self.doing(agent, now), agent.agent
        shift = doing not in (NO_CONSOLE, NEXT_PRESENCE) and on_shift(agent.presence, agent.routing_status)
        self._moved_work |= self._wishes.note(ident, shift=shift)
        self.staffing.put(ident, present=doing == _FREE or doing in AT_WORK)
        # One object for all lines: what a decision reads is small, and often read from memory.
        since = 0.0 if agent.idle_since is None else agent.idle_since.timestamp()
        lined: list[tuple[Pool, list[Turn], Turn]] = []
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
                barred.append((pool, self._limits.why_not(ident, pool.channel)))
            else:
                entry = self._turn(pool, agent, since)
                line = pool.idle[stage]
                insort(line, entry)
                pool.held.enter(ident)
                lined.append((pool, line, entry))
                self._look_again(pool)
        for pool, why in barred:
            pool.doing[why] += 1
        self._lined[ident], self._barred[ident] = lined, barred

    def _leave_lines(self, agent: int) -> None:
        for pool, why in self._barred.pop(agent, ()):
            pool.doing[why] -= 1
        for pool, line, entry in self._lined.pop(agent, ()):
            del line[bisect_left(line, entry)]
            pool.held.leave(agent)
            self._look_again(pool)

    def doing(self, agent: AgentState, now: datetime) -> str:
        """Why an agent gets no work of any kind; also sets the timer for when time alone will change that."""
        why, until = withheld(agent, now, require_console=self.require_console)
        if until is not None:
            heappush(self._timers, (until, 1, agent.agent))
        return why

    def _turn(self, pool: Pool, agent: AgentState, since: float) -> Turn:
        """Smaller is asked first: less in hand, then by the queue's strategy; longest idle among equals."""
        ident, in_hand = agent.agent, sum(agent.load.values())
        match pool.plan.strategy:
            case "fewest":
                return (in_hand, self.tally.served[ident], since, ident)
            case "round_robin":
                turn = self.tally.turns.get((pool.plan.queue, ident))
                return (in_hand, _NEVER if turn is None else turn.timestamp(), since, ident)
            case "best_skill":
                return (in_hand, -pool.strength(ident, self._skills.get(ident, {})), since, ident)
            case "weighted":
                longer = (
                    pool.strength(ident, self._skills.get(ident, {})) * pool.plan.proficiency_weight.total_seconds()
                )
                return (in_hand, since - longer, since, ident)
        return (in_hand, since, ident)

    def _look_again(self, pool: Pool) -> None:
        first, known = pool.first_ready(), pool.ready
        if first == known:
            return
        if known is not None:
            del self._ready[bisect_left(self._ready, (*known[:3], pool))]
        if first is not None:
            insort(self._ready, (*first[:3], pool))
        pool.ready = first

    # -- for decisions

    def first_ready(self) -> tuple[Pool, First] | None:
        """The first work, of all queues and channels, that anybody may take now."""
        if not self._ready:
            return None
        pool = self._ready[0][-1]
        assert pool.ready is not None
        return pool, pool.ready

    def best_for(self, agent: int) -> tuple[Pool, First] | None:
        """What looks oldest to an agent, of all that they may take now."""
        best: tuple[datetime, datetime, int, Pool, First] | None = None
        for pool, _, _ in self._lined.get(agent, ()):
            if (first := pool.first_for(agent)) is None:
                continue
            shift = pool.shifts.get(agent)
            since = first.place if shift is None else first.place - shift
            looks = (since, first.queued_at, first.interaction, pool, first)
            if best is None or looks < best:
                best = looks
        return None if best is None else best[3:]

    def takers(self, interaction: int) -> list[Turn]:
        """Who of those for whom it waits is free, the best first."""
        at = self._places[interaction]
        free = at.pool.held.takers(at.entry, at.stage, at.agents or ())
        return [turn for agent in free for pool, _, turn in self._lined[agent] if pool is at.pool]

    def somebody_free(self, interaction: int) -> bool:
        """Whether anybody may take what has just begun to wait, as far as the last decision knows."""
        work = self.waiting.get(interaction)
        line = None if work is None else self._line_of(work)
        pool = None if line is None else self.pools.get(line)
        return pool is not None and bool(pool.idle[0])


_FREE = ""
_NEVER = -inf
