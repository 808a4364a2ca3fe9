"""The door for PBXs that speak as to Zammad's generic CTI interface; their calls pop here and are not routed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import structlog
from aiohttp import web

from callcenter.actions import cti
from callcenter.errors import Unauthorized
from callcenter.ports import Pops
from callcenter.store.users import find_token
from callcenter.web.auth import maybe_identity
from callcenter.web.body import answer, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.problem import Refused
from channels.channel import Channel, Ground, Loops, Services
from channels.cti.events import read_event

log = structlog.get_logger()

_LARGEST = 64 * 1024
_POPS: web.AppKey[Pops] = web.AppKey("cti_pops")


@dataclass(frozen=True, slots=True)
class CallEvent:
    """`event`: newCall, answer or hangup; `direction`: in or out. Also `from`, the caller's number.

    As JSON, or as a form, which has `user[]`.
    """

    event: str
    callId: str  # noqa: N815
    direction: str = "in"
    to: str = ""
    user: list[str] = field(default_factory=list)
    answeringNumber: str = ""  # noqa: N815
    cause: str = ""
    queue: str = ""
    originalCallId: str = ""  # noqa: N815
    diversion: str = ""


_ACTS: Final[Mapping[str, Callable[..., Awaitable[int]]]] = {
    "newCall": cti.ring,
    "answer": cti.answer,
    "hangup": cti.hang_up,
}


class Cti(Channel):
    """Nothing runs for it; it only has a door."""

    def __init__(self, ground: Ground) -> None:
        self._pops: Pops | None = None

    async def open(self) -> None:
        pass

    def begin(self, services: Services) -> Loops:
        self._pops = services.pops
        return {}

    def add_routes(self, app: web.Application) -> None:
        assert self._pops is not None
        app[_POPS] = self._pops
        app.add_routes([post_event.route(), post_event_with_token.route()])

    async def close(self) -> None:
        pass


async def _given(request: web.Request) -> dict[str, Any]:
    if (request.content_length or 0) > _LARGEST:
        raise Refused(413, "One event is at most 64 KB large.")
    if request.content_type == "application/json":
        try:
            document = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            raise Refused(400, f"The body is not JSON: {error}.") from None
        if not isinstance(document, dict):
            raise Refused(400, "The body must be a JSON object.")
        return document
    form = await read_form(request)
    return {name: form.getall(name) if name in ("user[]", "user") else form[name] for name in form}


async def _take(request: web.Request, source: int) -> web.StreamResponse:
    event, told = read_event(await _given(request))
    house = request.app[LOG], request.app[DIRECTORY], request.app[_POPS]
    ident = await _ACTS[event](*house, told, source=source, now=request.app[CLOCK]())
    log.info("cti.event", told=event, interaction=ident, source=source)
    return answer({})


@operation(
    "POST", "/cti/{token}", summary="Another PBX tells of a call; the token stands in the address", tag="calls",
    role=None, body=CallEvent,
)  # fmt: skip
async def post_event_with_token(request: web.Request) -> web.StreamResponse:
    account = await find_token(request.app[POOL], request.match_info["token"], now=request.app[CLOCK]())
    if account is None:
        raise Unauthorized("This token is not known, or has expired.")
    return await _take(request, account.id)


@operation(
    "POST", "/cti", summary="Another PBX tells of a call; the token stands in the header Authorization", tag="calls",
    body=CallEvent,
)  # fmt: skip
async def post_event(request: web.Request) -> web.StreamResponse:
    who = maybe_identity(request)
    assert who is not None
    return await _take(request, who.user_id)
