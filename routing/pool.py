"""The lines of one queue, channel and language: who waits, and who may take it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sortedcontainers import SortedList

from callcenter.domain.needs import Needs, Skills, strength
from routing.held import Entry, Held
from routing.plan import QueuePlan

# An agent's place in line: what is in hand, what the queue's strategy looks at, since when they are idle, who it is.
# Moments are seconds since the epoch here: floats compare several times as fast. These lines are plain lists: up to
# some ten thousand entries nothing is faster, and no queue has more agents. Of work there may be far more.
Turn = tuple[Any, ...]
# So many of those who could have been chosen are told with a decision.
CANDIDATES = 10


class First(NamedTuple):
    """The first work of a pool that somebody may take now, in the order of all work.

    `agent`: for whom it waits, None: for anybody.
    """

    place: datetime
    queued_at: datetime
    interaction: int
    stage: int
    agent: int | None = None


@dataclass(slots=True, eq=False)
class Pool:
    """A queue's work of one channel and language by stage, and who may take such work now, by the stage from which on.

    `language` None: work that asks for no language which a member of the queue speaks.
    """

    plan: QueuePlan
    channel: str
    language: str | None
    thresholds: tuple[timedelta, ...]
    entries: Mapping[int, int]
    shifts: Mapping[int, timedelta]
    waiting: list[SortedList] = field(init=False)  # of entries
    idle: list[list[Turn]] = field(init=False)  # sorted
    held: Held = field(default_factory=Held)
    doing: Counter[str] = field(default_factory=Counter)  # its members who may not, by why
    asks: Needs = field(init=False)  # at first, its language included
    ready: First | None = None  # as the state's line of first work has it
    # By entry stage, the first of what an agent may take who is asked from there on; one more, for none.
    _firsts: list[First | None] = field(init=False)
    _strengths: dict[int, float] = field(default_factory=dict)  # of those who have been asked about

    def __post_init__(self) -> None:
        self.waiting = [SortedList() for _ in self.thresholds]
        self.idle = [[] for _ in self.thresholds]
        self._firsts = [None for _ in (*self.thresholds, None)]
        self.asks = self.plan.needs_after(timedelta(), self.language)

    def join(self, entry: Entry, stage: int, agents: Iterable[int] | None) -> None:
        """`agents`: for whom the work waits, the best first; None: for anybody."""
        if agents is not None:
            self.held.entries.add(entry)
            for rank, agent in enumerate(agents):
                if self.entries[agent] <= stage:
                    self.held.add(agent, (*entry, rank, stage))
            return
        self.waiting[stage].add(entry)
        first = First(*entry, stage)
        while stage >= 0 and ((known := self._firsts[stage]) is None or first < known):
            self._firsts[stage] = first
            stage -= 1

    def leave(self, entry: Entry, stage: int, agents: Iterable[int] | None) -> None:
        """As it was joined."""
        if agents is not None:
            self.held.entries.remove(entry)
            for rank, agent in enumerate(agents):
                if self.entries[agent] <= stage:
                    self.held.remove(agent, (*entry, rank, stage))
            return
        gone = self._firsts[stage]
        if gone is None or gone.interaction != entry[-1]:
            self.waiting[stage].remove(entry)
            return
        self.waiting[stage].pop(0)
        first = self._firsts[stage + 1]
        while stage >= 0 and self._firsts[stage] is gone:
            if line := self.waiting[stage]:
                head = line[0]
                if first is None or head < first:
                    first = First(head[0], head[1], head[2], stage)
            self._firsts[stage] = first
            stage -= 1

    def strength(self, agent: int, has: Skills) -> float:
        """By how many levels a member is above what is asked at first; `has`: their skills, which do not change."""
        if (known := self._strengths.get(agent)) is None:
            known = self._strengths[agent] = strength(has, self.asks)
        return known

    def reaches(self, agent: int, within: timedelta) -> bool:
        """Whether a member may take work before it has waited so long."""
        entry = self.entries.get(agent)
        return entry is not None and self.thresholds[entry] < within

    def first_for(self, agent: int) -> First | None:
        """The first that a free agent may take, of what waits for anybody or for them."""
        first, own = self._firsts[self.entries[agent]], self.held.first_for(agent)
        if own is None:
            return first
        mine = First(*own[:3], own[-1], agent)
        return mine if first is None or mine < first else first

    def first_ready(self) -> First | None:
        """The first work that any free agent may take."""
        first = None
        for entry, line in enumerate(self.idle):
            if line:
                first = self._firsts[entry]
                break
        if (own := self.held.first()) is None:
            return first
        wish, agent = own
        held = First(*wish[:3], wish[-1], agent)
        return held if first is None or held < first else first

    def first_free(self, stage: int) -> int:
        """Whose turn it is to take work of this stage; somebody is free."""
        agent: int = min([line[0] for line in self.idle[: stage + 1] if line])[-1]
        return agent

    def candidates(self, stage: int) -> list[Turn]:
        """Free agents who may take work of this stage, the best first, and no more than are told."""
        lines = [line for line in self.idle[: stage + 1] if line]
        if len(lines) == 1:
            return lines[0][:CANDIDATES]
        best: list[Turn] = []
        for line in lines:
            best += line[:CANDIDATES]
        best.sort()
        return best[:CANDIDATES]

    def ahead_of(self, entry: Entry) -> int:
        """How much work stands before an entry, what waits for agents of its own included."""
        return sum(line.bisect_left(entry) for line in (*self.waiting, self.held.entries))

    def waits(self) -> int:
        return sum(map(len, (*self.waiting, self.held.entries)))

    def free(self) -> int:
        return sum(map(len, self.idle))
