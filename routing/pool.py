"""The lines of one queue and channel: who waits, and who may take it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sortedcontainers import SortedList

from callcenter.domain.needs import Needs, understand
from routing.plan import QueuePlan

Key = tuple[Any, ...]
Ready = tuple[datetime, int, int, "Pool"]


@dataclass(slots=True, eq=False)
class Pool:
    """A queue's work of one channel by stage, and who may take such work now, by the stage from which on they may."""

    plan: QueuePlan
    channel: str
    thresholds: tuple[timedelta, ...]
    entries: Mapping[int, int]
    shifts: Mapping[int, timedelta]
    waiting: list[SortedList] = field(init=False)  # of (place, interaction)
    idle: list[SortedList] = field(init=False)  # of (key, agent)
    doing: Counter[str] = field(default_factory=Counter)  # its members who may not, by why
    asks: Needs = field(init=False)  # at first
    ready: Ready | None = None  # the first work that somebody may take now, as the state's line of those has it

    def __post_init__(self) -> None:
        self.waiting = [SortedList() for _ in self.thresholds]
        self.idle = [SortedList() for _ in self.thresholds]
        self.asks = understand(self.plan.needs)

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
