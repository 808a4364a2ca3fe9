"""What the parts need of each other without knowing each other."""

from typing import Protocol


class Pops(Protocol):
    """The consoles, as the phone sees them."""

    async def written(self, reservation: int, agent: int) -> bool:
        """Waits until the pop stands on the agent's console; False when that takes too long.

        True at once for an agent without any console: then there is nothing to wait for.
        """
        ...


class Phone(Protocol):
    """The telephone, as consoles and other systems see it."""

    async def hang_up(self, interaction: int) -> None:
        """Ends the customer's call. Raises NotFound, Conflict or ChannelError in words."""
        ...
