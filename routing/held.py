"""Work that waits for agents of its own: those who are preferred for it and on shift, busy as they may be."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from datetime import datetime

from sortedcontainers import SortedList

# Of work in line: since when it seems to wait, since when it does (the longest goes first among equals), which it is.
Entry = tuple[datetime, datetime, int]
# The same, how many agents would rather have it, stage.
Wish = tuple[datetime, datetime, int, int, int]


class Held:
    """The lines of one pool that are for one agent each, and which of these agents are free."""

    def __init__(self) -> None:
        self.entries: SortedList = SortedList()  # each once
        self._lines: dict[int, SortedList] = {}  # of wishes
        self._free: set[int] = set()
        self._firsts: list[tuple[Wish, int]] = []  # sorted: the first of each line whose agent is free
        self._first_of: dict[int, tuple[Wish, int]] = {}

    def add(self, agent: int, wish: Wish) -> None:
        self._lines.setdefault(agent, SortedList()).add(wish)
        self._look_again(agent)

    def remove(self, agent: int, wish: Wish) -> None:
        line = self._lines[agent]
        line.remove(wish)
        if not line:
            del self._lines[agent]
        self._look_again(agent)

    def enter(self, agent: int) -> None:
        """From now on the agent may take what waits for them."""
        self._free.add(agent)
        if self._lines:
            self._look_again(agent)

    def leave(self, agent: int) -> None:
        self._free.discard(agent)
        if self._lines:
            self._look_again(agent)

    def first_for(self, agent: int) -> Wish | None:
        line = self._lines.get(agent)
        return line[0] if line else None

    def first(self) -> tuple[Wish, int] | None:
        """The first that an agent who is free may take, and who that is."""
        return self._firsts[0] if self._firsts else None

    def takers(self, entry: Entry, stage: int, agents: Iterable[int]) -> list[int]:
        """Which of the agents for whom this work waits are free."""
        return [
            agent
            for rank, agent in enumerate(agents)
            if agent in self._free and (*entry, rank, stage) in self._lines.get(agent, ())
        ]

    def _look_again(self, agent: int) -> None:
        if (known := self._first_of.pop(agent, None)) is not None:
            del self._firsts[bisect_left(self._firsts, known)]
        if agent in self._free and (line := self._lines.get(agent)):
            self._first_of[agent] = (line[0], agent)
            insort(self._firsts, self._first_of[agent])


class Wishes:
    """Who is on shift, and what is to be looked at anew when somebody comes or goes."""

    def __init__(self) -> None:
        self._on_shift: set[int] = set()
        self._wishes: dict[int, set[int]] = {}  # by agent: the work that would wait for them
        self._agents_of: dict[int, tuple[int, ...]] = {}  # the same by work

    def is_on_shift(self, agent: int) -> bool:
        return agent in self._on_shift

    def concern(self, agent: int) -> bool:
        """Whether any work would wait for an agent."""
        return agent in self._wishes

    def note(self, agent: int, *, shift: bool) -> set[int]:
        """Whether an agent is on shift now; answers the work that this changes something for."""
        if shift == (agent in self._on_shift):
            return set()
        (self._on_shift.add if shift else self._on_shift.discard)(agent)
        return set(self._wishes.get(agent, ()))

    def wish(self, interaction: int, agents: Iterable[int]) -> None:
        self._agents_of[interaction] = tuple(agents)
        for agent in self._agents_of[interaction]:
            self._wishes.setdefault(agent, set()).add(interaction)

    def forget(self, interaction: int) -> None:
        for agent in self._agents_of.pop(interaction, ()):
            wishes = self._wishes[agent]
            wishes.discard(interaction)
            if not wishes:
                del self._wishes[agent]
