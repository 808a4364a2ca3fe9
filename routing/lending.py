"""Whose agents may help out in which queue, and whether they may at the moment."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

# The queue that is helped, the one that lends, and how long the work must have waited.
Loan = tuple[int, int, timedelta]


class Lending:
    """Closed until `open_only` says otherwise.

    An agent may be lent by several rules; the least delay of those that are open counts.
    """

    def __init__(self) -> None:
        self._loans: dict[tuple[int, int], frozenset[Loan]] = {}  # by (queue, agent)
        self._agents: dict[Loan, list[int]] = {}
        self._entries: dict[int, list[tuple[dict[int, int], Mapping[int, Mapping[Loan, int]]]]] = {}
        self._open: frozenset[Loan] = frozenset()

    def add(self, queue: int, loans: Mapping[int, Sequence[Loan]]) -> None:
        """`loans` by agent."""
        for agent, theirs in loans.items():
            self._loans[queue, agent] = frozenset(theirs)
            for loan in theirs:
                self._agents.setdefault(loan, []).append(agent)

    def follow(self, queue: int, entries: dict[int, int], stages: Mapping[int, Mapping[Loan, int]]) -> None:
        """From now on `entries` of a queue's lines has the stages of those lent as they are; `stages` by agent."""
        self._entries.setdefault(queue, []).append((entries, stages))
        for agent in stages:
            self._enter(entries, stages, agent)

    def is_lent(self, queue: int, agent: int) -> bool:
        """Whether an agent is no member of a queue, but may help out there."""
        return (queue, agent) in self._loans

    def bars(self, queue: int, agent: int) -> bool:
        """Whether an agent must not take this queue's work now."""
        loans = self._loans.get((queue, agent))
        return loans is not None and not loans & self._open

    def open_only(self, loans: frozenset[Loan]) -> Iterable[int]:
        """From now on these; gives the agents for whom that changes something."""
        changed, self._open = self._open ^ loans, loans
        moved = [(loan[0], agent) for loan in changed for agent in self._agents.get(loan, ())]
        for queue, agent in moved:
            for entries, stages in self._entries.get(queue, ()):
                self._enter(entries, stages, agent)
        return [agent for _, agent in moved]

    def _enter(self, entries: dict[int, int], stages: Mapping[int, Mapping[Loan, int]], agent: int) -> None:
        """While none is open the agent is barred, whatever the stage."""
        if agent in entries:
            entries[agent] = min(
                (stage for loan, stage in stages[agent].items() if loan in self._open), default=entries[agent]
            )
