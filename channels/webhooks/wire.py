"""The wire to webhooks: one POST, and what the answer means for its delivery."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callcenter.domain.delivery import Answer, answer_of
from callcenter.errors import ChannelError
from callcenter.outward import Networks, Outward, open_outward


class Wire:
    """A client for one webhook after the other. Raises ChannelError in words."""

    def __init__(self, outward: Outward) -> None:
        self._outward = outward

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """Returns once the other side has taken it."""
        response = await self._outward.post(url, body, headers)
        found = answer_of(response.status)
        if found is not Answer.TAKEN:
            raise ChannelError(response.words(), permanent=found is Answer.NEVER)


@asynccontextmanager
async def open_wire(allowed: Networks) -> AsyncIterator[Wire]:
    """`allowed`: networks besides the public ones."""
    async with open_outward(allowed) as outward:
        yield Wire(outward)
