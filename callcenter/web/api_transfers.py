"""Handing a contact over to a colleague or a queue."""

from dataclasses import dataclass
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from callcenter.actions import transfers
from callcenter.domain.interaction import Channel, State
from callcenter.errors import Conflict, Invalid
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Line, answer, path_id, read_body
from callcenter.web.interactions import Item, item
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.names import queue_id, user_id
from callcenter.web.openapi import operation
from callcenter.web.rights import in_hand


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferTo:
    """`to`: `queue:billing`, where it waits at its old place, or `agent:bo`, who is asked at once.

    `note`: for colleagues; the customer does not see it.
    """

    __pydantic_config__ = STRICT
    to: Line
    kind: Literal["blind"] = "blind"
    note: Annotated[str, Field(max_length=transfers.LONGEST_NOTE)] | None = None


def target(request: web.Request, to: str) -> tuple[int | None, int | None]:
    """The queue or the agent that is meant. Raises Invalid in words."""
    kind, _, name = to.partition(":")
    match kind:
        case "queue" if name:
            return queue_id(request, name, field="to", active=True), None
        case "agent" if name:
            return None, user_id(request, name, field="to", active=True)
    raise Invalid("Written contacts go to queue:NAME or agent:NAME.", field="to")


@operation(
    "POST", f"/interactions/{ID}/transfer", summary="Hand a written contact over to a queue or an agent, with a note",
    tag="interactions", body=TransferTo, answer=Item, acts=True,
)  # fmt: skip
async def transfer(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, TransferTo)
    ident = path_id(request)
    held = await in_hand(request, ident)
    if held["channel"] == Channel.PHONE or held["pbx"]:
        raise Conflict("Transfer a call on the phone.")
    if held["state"] != State.ACTIVE:
        raise Conflict(f"It is {held['state']}, so there is no conversation to transfer.")
    queue, agent = target(request, given.to)
    await transfers.hand_over(
        request.app[LOG], held["reservation"], queue=queue, agent=agent, note=given.note,
        actor=identity(request).user_id, now=request.app[CLOCK](),
    )  # fmt: skip
    return answer(await item(request.app[POOL], ident))


def routes() -> list[web.RouteDef]:
    return [transfer.route()]
