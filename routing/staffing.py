"""Who is at work for which queue: an agent of several queues counts for a part in each."""

from collections import Counter
from collections.abc import Iterable

from callcenter.domain.agent import RoutingStatus
from callcenter.domain.capacity import Limits

# What keeps an agent who takes work from being free now, but not for long.
AT_WORK = frozenset({RoutingStatus.OFFERED, RoutingStatus.INTERACTING, RoutingStatus.WRAP_UP, "left_alone"})

# How many queues an agent serves, and the capacities that are the agent's own.
_Profile = tuple[int, tuple[tuple[str, int], ...]]


class Staffing:
    """Σ c/k by queue and channel, over the agents at work, who each serve k queues and can have c contacts in hand.

    Kept as counts of agents who are alike, so that a day of comings and goings leaves no rounding behind.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._serves: dict[int, list[int]] = {}  # agent → queues
        self._counts: dict[int, Counter[_Profile]] = {}  # queue → agents at work
        self._present: set[int] = set()

    def serve(self, queue: int, agents: Iterable[int]) -> None:
        """These may take the queue's work; told before anybody is present."""
        self._counts[queue] = Counter()
        for agent in agents:
            self._serves.setdefault(agent, []).append(queue)

    def put(self, agent: int, *, present: bool) -> None:
        if present == (agent in self._present):
            return
        (self._present.add if present else self._present.discard)(agent)
        queues = self._serves.get(agent, ())
        profile = len(queues), tuple(sorted(self._limits.of_agents.get(agent, {}).items()))
        for queue in queues:
            self._counts[queue][profile] += 1 if present else -1

    def share(self, queue: int, channel: str) -> float:
        """How many contacts of a channel a queue's agents can have in hand at once, by its part of each agent."""
        usual = self._limits.capacity.get(channel, 0)
        return sum(
            count * dict(own).get(channel, usual) / serves
            for (serves, own), count in self._counts.get(queue, {}).items()
        )
