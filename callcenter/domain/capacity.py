"""How much an agent can have in hand at once, and what may come beside what: capacity by channel and interruption."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from callcenter.domain.interaction import OFFERED_WORK, Channel

# No agent has more of one channel in hand (Genesys: max 25).
MOST = 25
# Contacts of a channel at once, unless the organisation or the agent says otherwise (domain.md: capacity).
CAPACITY: Mapping[str, int] = {channel.value: 4 if channel is Channel.CHAT else 1 for channel in Channel}
_SLOW = frozenset({Channel.EMAIL, Channel.FORM, Channel.FAX, Channel.LETTER, Channel.MESSAGE}) | OFFERED_WORK
AT_ONCE = (Channel.PHONE.value, Channel.CALLBACK.value, Channel.CHAT.value)
# Who waits at the other end lets what is answered in writing lie; somebody who is talking is interrupted by nothing.
INTERRUPTED_BY: Mapping[str, tuple[str, ...]] = {
    channel.value: AT_ONCE if channel in _SLOW else () for channel in Channel
}

Load = Mapping[str, int]


def may_take(
    channel: str, load: Load, *, capacity: Mapping[str, int], interrupted_by: Mapping[str, Collection[str]]
) -> bool:
    """Whether work of a channel may be offered to an agent with `load` in hand (offered, live, wrapping up) by channel.

    The agent has less of this channel in hand than its capacity, and everything else in hand may be interrupted by it.
    """
    if load.get(channel, 0) >= capacity.get(channel, 0):
        return False
    return all(held == channel or channel in interrupted_by.get(held, ()) for held in load)


@dataclass(frozen=True, slots=True)
class Limits:
    """The organisation's capacities, and what may interrupt what; `of_agents`: where one differs, by channel.

    `phoneless`: agents without a phone that could ring; `of_agents` has none of that channel for them.
    """

    capacity: Mapping[str, int] = field(default_factory=lambda: CAPACITY)
    interrupted_by: Mapping[str, Collection[str]] = field(default_factory=lambda: INTERRUPTED_BY)
    of_agents: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    phoneless: Collection[int] = frozenset()

    def may_take(self, agent: int, channel: str, load: Load) -> bool:
        own = self.of_agents.get(agent)
        capacity = self.capacity if own is None else {**self.capacity, **own}
        return may_take(channel, load, capacity=capacity, interrupted_by=self.interrupted_by)

    def why_not(self, agent: int, channel: str) -> str:
        """The reason by which an agent may not take work of a channel."""
        return "no_phone" if channel == Channel.PHONE and agent in self.phoneless else "capacity"
