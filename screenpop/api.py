"""The pop as JSON, and the socket of a desk."""

import asyncio
from contextlib import suppress
from typing import Any

import orjson
from aiohttp import WSMsgType, hdrs, web

from callcenter.domain.agent import Role
from callcenter.domain.events import Cursor
from callcenter.errors import Forbidden, Invalid
from callcenter.store.db import TRY_AGAIN
from callcenter.web.auth import Identity, check_same_origin, identity, still_valid
from callcenter.web.body import ID, answer, path_id
from callcenter.web.keys import CLOCK, POOL
from callcenter.web.openapi import operation
from callcenter.web.rights import readable
from screenpop.client import Client
from screenpop.desk import millis
from screenpop.history import load_pop
from screenpop.page import HUB, language_of
from screenpop.pop import Pop
from screenpop.regions import DESK, TICKETS, WALL, ticket_of

SOCKETS: web.AppKey[set[Any]] = web.AppKey("sockets")
_HEARTBEAT = 20.0
_CHECK_EVERY = 60.0
_LONGEST_FRAME = 4096


@operation(
    "GET", f"/interactions/{ID}/pop", summary="The customer behind an interaction, as the agent sees it",
    tag="interactions", answer=Pop,
)  # fmt: skip
async def get_pop(request: web.Request) -> web.StreamResponse:
    """`recent_count` counts the interaction itself, `history` leaves it out. Agents read what they may read of it."""
    ident = path_id(request)
    await readable(request, ident)
    return answer(await load_pop(request.app[POOL], ident, now=request.app[CLOCK]()))


async def get_socket(request: web.Request) -> web.StreamResponse:
    """One's own pops and hints. A session needs an Origin of ours: for sockets browsers have no same-origin policy."""
    who = identity(request)
    if who.session is not None:
        if hdrs.ORIGIN not in request.headers:
            raise Forbidden("A socket of a session needs an Origin header.")
        check_same_origin(request)
    view = request.query.get("view", DESK)
    known = view in (DESK, WALL, TICKETS) or ticket_of(view) is not None
    if not known or (view == WALL and not who.may(Role.SUPERVISOR)):
        raise Forbidden("This view is not for your role.")
    hub, sockets = request.app[HUB], request.app[SOCKETS]
    socket = web.WebSocketResponse(
        heartbeat=_HEARTBEAT, compress=False, max_msg_size=_LONGEST_FRAME, writer_limit=65536
    )
    await socket.prepare(request)
    sockets.add(socket)
    guard = asyncio.create_task(_guard(request, who, socket))
    try:
        language = language_of(request)
        async with hub.joined(socket, agent=who.user_id, view=view, language=language, session=who.session) as client:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or not _heard(request, client, message.data):
                    break
    finally:
        guard.cancel()
        sockets.discard(socket)
    await socket.close()
    return socket


async def _guard(request: web.Request, who: Identity, socket: web.WebSocketResponse) -> None:
    """A desk does not outlive its session or token, wherever they ended."""
    while True:
        await asyncio.sleep(_CHECK_EVERY)
        with suppress(*TRY_AGAIN):
            if not await still_valid(request, who):
                await socket.close(code=1008, message=b"session")
                return


def _heard(request: web.Request, client: Client, text: str) -> bool:
    """Takes a frame of the client; false when it is none of ours, and the socket is to be closed."""
    try:
        frame: Any = orjson.loads(text)
        if not isinstance(frame, dict) or frame.get("type") != "seen":
            return False
        given = frame.get("cursor")
        cursor = Cursor.parse(given) if isinstance(given, str) else None
    except (orjson.JSONDecodeError, Invalid):
        return False
    if frame.get("clock"):
        client.put(orjson.dumps({"type": "hello", "now": millis(request.app[CLOCK]())}))
    if not client.resumed:
        client.resumed = True
        request.app[HUB].resume(client, cursor)
    return True


async def close_sockets(app: web.Application) -> None:
    """Before the server waits for its connections: consoles come back to whoever serves then."""
    sockets = app[SOCKETS]
    for socket in tuple(sockets):
        await socket.close(code=1012, message=b"restart")


def routes() -> list[web.RouteDef]:
    return [get_pop.route(), web.get("/api/v1/desk", get_socket)]
