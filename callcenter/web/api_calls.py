"""Calls that agents place: the PBX rings their phone first, then the other side."""

from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import Field

from callcenter.actions import interactions, outcalls
from callcenter.domain.agent import Role
from callcenter.domain.interaction import Channel, Outcome, State
from callcenter.errors import CallcenterError, Conflict, Forbidden
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Line, answer, path_id, read_body
from callcenter.web.interactions import Item, item
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import queue_id, user_id
from callcenter.web.openapi import operation
from callcenter.web.phones import any_phone
from callcenter.web.rights import in_hand


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """`agent`: whose phone rings first. `queue`: whose wrap-up, dispositions and number it has."""

    __pydantic_config__ = STRICT
    agent: Line
    to: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
    queue: Line | None = None


@operation(
    "POST", "/calls", summary="Call somebody: the agent's phone rings first", tag="calls", body=NewCall, answer=Item,
    status=201, acts=True,
)  # fmt: skip
async def post_call(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewCall)
    who, directory, log = identity(request), request.app[DIRECTORY], request.app[LOG]
    if given.agent != who.name and not who.may(Role.SUPERVISOR):
        raise Forbidden("Agents call from their own phone only.")
    agent = user_id(request, given.agent, field="agent", active=True)
    assert agent is not None
    phone, now = any_phone(request), request.app[CLOCK]()
    ident, reservation = await outcalls.place(
        log,
        directory,
        directory.user(agent),
        to=given.to,
        queue=queue_id(request, given.queue, active=True),
        actor=who.user_id,
        now=now,
    )
    placed = False
    try:
        placed = phone is not None and await phone.call(ident, reservation=reservation, agent=agent)
        if not placed:
            raise Conflict("No PBX of this server can place calls.")
    except CallcenterError:
        await interactions.leave_unserved(
            log, ident, outcome=Outcome.FAILED, cause="not_placed", node=None, now=request.app[CLOCK]()
        )
        raise
    return answer(await item(request.app[POOL], ident), status=201)


@operation(
    "POST", f"/interactions/{ID}/not-reached", tag="callbacks", answer=Item, acts=True,
    summary="The agent has called by hand and nobody answered: it is tried again later",
)  # fmt: skip
async def not_reached(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    held = await in_hand(request, ident)
    phone = any_phone(request)
    if held["channel"] != Channel.CALLBACK or held["state"] != State.ACTIVE or phone is None:
        raise Conflict("There is nobody to be called back in hand.")
    await phone.not_reached(ident)
    return answer(await item(request.app[POOL], ident))


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (post_call, not_reached)]
