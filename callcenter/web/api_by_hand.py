"""Contacts noted by hand, over REST."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from callcenter.actions import by_hand
from callcenter.domain.interaction import Channel
from callcenter.web.auth import identity
from callcenter.web.body import STRICT, Id, Line, Name, answer, read_body
from callcenter.web.interactions import Item, item
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.names import queue_id
from callcenter.web.openapi import operation


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNote:
    """`key`: the same one in the same channel again is the same contact. `at`: when it began; without, it ended now.

    `customer` or the name of a `new_customer`; `ticket` or the subject of a `new_ticket`.
    """

    __pydantic_config__ = STRICT
    channel: Literal[Channel.VISIT, Channel.LETTER, Channel.PHONE]
    direction: Literal["inbound", "outbound"] = "inbound"
    key: Line | None = None
    customer: Id | None = None
    new_customer: Name | None = None
    at: AwareDatetime | None = None
    minutes: Annotated[float, Field(ge=0, le=1440)] = 0
    text: Annotated[str, Field(max_length=by_hand.LONGEST)] = ""
    disposition: Line | None = None
    queue: Line | None = None
    ticket: Id | None = None
    new_ticket: Name | None = None


@operation(
    "POST", "/interactions/by-hand", summary="Note a visit, a letter or a call on a private phone that is over",
    tag="interactions", body=NewNote, answer=Item, status=201, also=(200,),
)  # fmt: skip
async def post_by_hand(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewNote)
    now, lasted = request.app[CLOCK](), timedelta(minutes=given.minutes)
    noted = by_hand.Noted(
        channel=given.channel,
        direction=given.direction,
        key=given.key,
        customer=given.customer,
        new_customer=given.new_customer,
        began_at=now - lasted if given.at is None else given.at.astimezone(UTC),
        lasted=lasted,
        text=given.text,
        disposition=given.disposition or None,
        queue=queue_id(request, given.queue),
        ticket=given.ticket,
        new_ticket=given.new_ticket,
    )
    ident, new = await by_hand.note(request.app[LOG], noted, actor=identity(request).user_id, now=now)
    return answer(await item(request.app[POOL], ident), status=201 if new else 200)


def routes() -> list[web.RouteDef]:
    return [post_by_hand.route()]
