"""Who else has a ticket open, or writes: told at once to all who do, on its page and at their desks."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from callcenter.actions import ticket_desk
from callcenter.store.ticket_desk import SQL
from callcenter.web.auth import identity
from callcenter.web.keys import CLOCK, POOL
from screenpop.page import HUB


async def tell_readers(request: web.Request, ticket: int) -> None:
    """Something of that changed. Readers at other nodes see it when their page asks next."""
    hub = request.app[HUB]
    hub.tell_ticket(ticket)
    rows = await request.app[POOL].fetch(SQL.readers, ticket, request.app[CLOCK]())
    hub.tell_desks([row["user_id"] for row in rows])


async def come(request: web.Request, ticket: int, *, writes: bool) -> Sequence[Mapping[str, object]]:
    """The one who asks has it open, and `writes`: types an answer. Who else is there."""
    who, pool, now = identity(request), request.app[POOL], request.app[CLOCK]()
    if await ticket_desk.come(pool, who.user_id, ticket=ticket, writes=writes, now=now):
        await tell_readers(request, ticket)
    found = await ticket_desk.others(pool, who.user_id, ticket=ticket, now=now)
    return [{"name": each.name, "writing": each.writing} for each in found]
