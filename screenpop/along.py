"""Chats for supervisors, who may read along."""

from pathlib import Path

from aiohttp import web

from callcenter.domain.agent import Role
from callcenter.store.queries import Queries
from callcenter.web.auth import require
from callcenter.web.keys import POOL
from screenpop.console import number_of
from screenpop.desk import millis
from screenpop.page import draw, language_of, person_context

_SQL = Queries(Path(__file__).with_name("along.sql"))


async def _chats(request: web.Request) -> dict[str, object]:
    nameless = language_of(request).gettext("Anonymous visitor")
    rows = [
        {
            **row,
            "name": row["name"] or nameless,
            "since": millis(row["queued_at"]),
            "asked": None if row["asked_at"] is None else millis(row["asked_at"]),
        }
        for row in await request.app[POOL].fetch(_SQL.going_on)
    ]
    return {"chats": rows, "shown": number_of(request, "chat")}


async def get_page(request: web.Request) -> web.StreamResponse:
    """Those that wait or go on, and one of them to be read along."""
    who = require(request, Role.SUPERVISOR)
    return draw(request, "along.html", await _chats(request) | person_context(request, who, at="chats"))


async def get_list(request: web.Request) -> web.StreamResponse:
    require(request, Role.SUPERVISOR)
    return draw(request, "along/_list.html", await _chats(request))


def routes() -> list[web.RouteDef]:
    return [web.get("/chats", get_page), web.get("/chats/list", get_list)]
