"""What the parts need of each other without knowing each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from callcenter.domain.interaction import Arrival, Proposal
from callcenter.domain.outbox import Letter


class Pops(Protocol):
    """The consoles, as the phone sees them."""

    def expect(self, arrival: Arrival, proposal: Proposal) -> None:
        """This contact will be offered the moment it is written down: read and draw what its pop shows meanwhile."""
        ...

    async def written(self, reservation: int, agent: int) -> bool:
        """Waits until the pop stands on the agent's console; False when that takes too long.

        True at once for an agent without any console: then there is nothing to wait for.
        """
        ...


class Assigner(Protocol):
    """The router, as channels see it."""

    def propose(self, queue: int, channel: str) -> Proposal | None:
        """Whose turn it is to take what enters this queue now; None when others wait, nobody is free or others decide.

        Nobody else asks that agent until they are reserved or `withdraw` is called.
        """
        ...

    def withdraw(self, proposal: Proposal) -> None:
        """Nothing came of it."""
        ...


class Phone(Protocol):
    """The telephone, as consoles and other systems see it."""

    async def hang_up(self, interaction: int) -> None:
        """Ends the customer's call. Raises NotFound, Conflict or ChannelError in words."""
        ...

    async def call(self, interaction: int, *, reservation: int, agent: int) -> bool:
        """Rings the agent who holds this reservation, then the interaction's number, and connects the two.

        False where no PBX can: then they call by hand. Raises Conflict in words, ChannelError when the PBX refuses.
        """
        ...

    async def not_reached(self, interaction: int) -> None:
        """The agent has called by hand, in vain: it ends, and is tried again as its kind is."""
        ...


class Letters(Protocol):
    """Who writes the letters that the outbox knows by their templates."""

    def write(self, template: str, language: str | None, data: Mapping[str, Any]) -> Letter:
        """In the recipient's language, or the organisation's first. Raises Invalid for a template nobody knows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a rule of its queue will do with one who goes on waiting: `to` or `lend` with a `queue`, or a treatment.

    `in_seconds` None: once the expected wait is longer than `longer_than_seconds`.
    """

    action: str
    queue: str | None
    in_seconds: float | None
    longer_than_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What one who waits may be told, in seconds. None: unknown, as nobody is at work or nothing was handled lately."""

    position: int  # 1 is served next
    expected_seconds: float | None  # from now on
    told_seconds: float | None  # what was expected when it came into its first queue
    median_seconds: float | None  # what half of those in the last hour waited at most, in its queue and channel
    p80_seconds: float | None  # and four fifths of them
    due: Due | None  # what comes next, if nobody does


class Waits(Protocol):
    """Places in line and expected waits, as every node knows them."""

    def of(self, interaction: int) -> Wait | None:
        """None for what does not wait for an agent, and for a moment after the start."""
        ...

    def for_next(self, queue: int, channel: str | None = None) -> float | None:
        """The wait, in seconds, of one who comes into this queue now; None when it is unknown.

        Without a channel the longest of calls, callbacks and chats, where some wait; by phone where none do. Mail,
        tickets and the like wait for hours by nature and say nothing about it.
        """
        ...
