"""The telephones, as the doors see them."""

from collections.abc import Mapping

from aiohttp import web

from callcenter.actions import interactions, offered_work
from callcenter.domain.interaction import OFFERED_WORK, Channel
from callcenter.ports import Phone
from callcenter.web.keys import CLOCK, DIRECTORY, LOG

# By the name of the PBX; empty where there is none.
PHONES: web.AppKey[Mapping[str, Phone]] = web.AppKey("phones")


def any_phone(request: web.Request) -> Phone | None:
    """Each of them finds the PBX that can call by itself."""
    return next(iter(request.app[PHONES].values()), None)


async def take_up(request: web.Request, interaction: int, *, reservation: int, channel: str, agent: int) -> None:
    """An agent accepts an offer; a ticket or a task that is offered is theirs from then on.

    To be called back is to be rung: it is theirs when they have picked up their phone.
    """
    log, now = request.app[LOG], request.app[CLOCK]()
    if channel in OFFERED_WORK:
        directory = request.app[DIRECTORY]
        await offered_work.accept(log, directory, interaction, reservation=reservation, agent=agent, now=now)
        return
    phone = any_phone(request) if channel == Channel.CALLBACK else None
    if phone is None or not await phone.call(interaction, reservation=reservation, agent=agent):
        await interactions.answer(log, reservation, now=now)
