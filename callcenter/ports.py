"""What the parts need of each other without knowing each other."""

from typing import Protocol

from callcenter.domain.interaction import Arrival, Proposal


class Pops(Protocol):
    """The consoles, as the phone sees them."""

    def expect(self, arrival: Arrival) -> None:
        """This contact will be offered the moment it is written down: read what its pop shows meanwhile."""
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
