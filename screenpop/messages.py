"""A contact by message (SMS, messengers) on the stage of a desk: what was said, and the next answer."""

from pathlib import Path

from aiohttp import web

from callcenter.actions import answers
from callcenter.store.queries import Queries
from callcenter.web.auth import identity
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.rights import readable, writable
from screenpop.desk import zone_of
from screenpop.page import draw, language_of

_SQL = Queries(Path(__file__).with_name("messages.sql"))
_AT = f"/desk/interactions/{ID}"


async def _drawn(request: web.Request, ident: int) -> web.Response:
    language = language_of(request)
    now, zone = request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    said = [
        {
            "id": row["id"],
            "ours": row["kind"] == "outbound",
            "text": row["text"],
            "author": row["author"] or "",
            "state": row["state"] or "",
            "error": row["last_error"] or "",
            "when": language.when(row["at"], now, zone),
            "exactly": language.exactly(row["at"], zone),
        }
        for row in reversed(await request.app[POOL].fetch(_SQL.messages, ident))
    ]
    return draw(request, "desk/_messages.html", {"said": said})


async def get_messages(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await readable(request, ident)
    return await _drawn(request, ident)


async def post_reply(request: web.Request) -> web.StreamResponse:
    who, ident = identity(request), path_id(request)
    await writable(request, ident)
    text = str((await read_form(request)).get("text", "")).replace("\r\n", "\n")
    await answers.reply(request.app[LOG], ident, text=text, actor=who.user_id, now=request.app[CLOCK]())
    return await _drawn(request, ident)


def routes() -> list[web.RouteDef]:
    return [web.get(f"{_AT}/messages", get_messages), web.post(f"{_AT}/reply", post_reply)]
