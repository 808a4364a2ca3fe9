"""Whose agents may help out in which queue, and whether they may at the moment."""

from collections.abc import Iterable, Mapping

# The queue that is helped, and the one that lends.
Pair = tuple[int, int]


class Lending:
    """Closed until `open_only` says otherwise."""

    def __init__(self) -> None:
        self._lender: dict[tuple[int, int], int] = {}  # (queue, agent) → who lends
        self._agents: dict[Pair, list[int]] = {}
        self._open: frozenset[Pair] = frozenset()

    def add(self, queue: int, lenders: Mapping[int, int]) -> None:
        """`lenders` by agent."""
        for agent, lender in lenders.items():
            self._lender[queue, agent] = lender
            self._agents.setdefault((queue, lender), []).append(agent)

    def is_lent(self, queue: int, agent: int) -> bool:
        """Whether an agent is no member of a queue, but may help out there."""
        return (queue, agent) in self._lender

    def bars(self, queue: int, agent: int) -> bool:
        """Whether an agent must not take this queue's work now."""
        lender = self._lender.get((queue, agent))
        return lender is not None and (queue, lender) not in self._open

    def open_only(self, pairs: frozenset[Pair]) -> Iterable[int]:
        """From now on these; gives the agents for whom that changes something."""
        changed, self._open = self._open ^ pairs, pairs
        return [agent for pair in changed for agent in self._agents.get(pair, ())]
