"""The lines of one queue, channel and language: who waits, and who may take it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sortedcontainers import SortedList

from callcenter.domain.needs import Needs, understand
from routing.held import Held
from routing.plan import QueuePlan

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class First:
    """The first work of a pool that somebody may take now; `agent`: for whom it waits, None: for anybody."""

    place: datetime
    interaction: int
    stage: int
    agent: int | None = None

    def before(self, other: "First") -> bool:
        return (self.place, self.interaction) < (other.place, other.interaction)


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
    waiting: list[SortedList] = field(init=False)  # of (place, interaction)
    idle: list[SortedList] = field(init=False)  # of (key, agent)
    held: Held = field(default_factory=Held)
    doing: Counter[str] = field(default_factory=Counter)  # its members who may not, by why
    asks: Needs = field(init=False)  # at first
    ready: tuple[datetime, int, "Pool"] | None = None  # as the state's line of first work has it

    def __post_init__(self) -> None:
        self.waiting = [SortedList() for _ in self.thresholds]
        self.idle = [SortedList() for _ in self.thresholds]
        self.asks = understand(self.plan.needs)

    def reaches(self, agent: int, within: timedelta) -> bool:
        """Whether a member may take work before it has waited so long."""
        entry = self.entries.get(agent)
        return entry is not None and self.thresholds[entry] < within

    def first_work(self, entry: int) -> First | None:
        """The first of what waits for anybody that an agent of this entry stage may take."""
        best: tuple[datetime, int, int] | None = None
        for stage in range(entry, len(self.waiting)):
            line = self.waiting[stage]
            if line and (best is None or line[0] < best[:2]):
                best = (*line[0], stage)
        return None if best is None else First(*best)

    def first_for(self, agent: int) -> First | None:
        """The first that a free agent may take, of what waits for anybody or for them."""
        first, own = self.first_work(self.entries[agent]), self.held.first_for(agent)
        if own is None:
            return first
        mine = First(own[0], own[1], own[3], agent)
        return mine if first is None or mine.before(first) else first

    def first_ready(self) -> First | None:
        """The first work that any free agent may take."""
        first = next((self.first_work(entry) for entry, line in enumerate(self.idle) if line), None)
        if (own := self.held.first()) is None:
            return first
        (place, interaction, _, stage), agent = own
        held = First(place, interaction, stage, agent)
        return held if first is None or held.before(first) else first

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

    def ahead_of(self, place: tuple[datetime, int]) -> int:
        """How much work stands before a place, what waits for agents of its own included."""
        return sum(line.bisect_left(place) for line in (*self.waiting, self.held.places))

    def waits(self) -> int:
        return sum(map(len, (*self.waiting, self.held.places)))

    def free(self) -> int:
        return sum(map(len, self.idle))
