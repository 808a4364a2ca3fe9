"""What a customer sent from a web page on the stage of a desk: its text, its files, and the answer to it."""

from pathlib import Path

from aiohttp import web

from callcenter.actions import tickets
from callcenter.domain.ticket import TicketState
from callcenter.errors import Conflict, NotFound
from callcenter.store import uploads
from callcenter.store.queries import Queries
from callcenter.web.auth import identity
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.rights import actable, readable
from screenpop.desk import zone_of
from screenpop.page import draw, language_of
from screenpop.receiver import receiver_of

_SQL = Queries(Path(__file__).with_name("form_desk.sql"))
_AT = f"/desk/interactions/{ID}/form"


async def _drawn(request: web.Request, ident: int) -> web.Response:
    pool, language = request.app[POOL], language_of(request)
    now, zone = request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    row = await pool.fetchrow(_SQL.form, ident)
    if row is None:
        return draw(request, "desk/_form.html", {"form": None})
    answers = [
        {"text": each["text"], "when": language.when(each["at"], now, zone)}
        for each in await pool.fetch(_SQL.answers, row["ticket"], row["message"])
    ]
    files = (await uploads.of_messages(pool, [row["message"]])).get(row["message"], ())
    answerable = row["ticket"] is not None and row["state"] != TicketState.CLOSED
    form = {
        **row,
        "interaction": ident,
        "when": language.when(row["at"], now, zone),
        "exactly": language.exactly(row["at"], zone),
        "files": [{"id": each.id, "name": each.name, "size": _size(each.size)} for each in files],
        "answers": answers,
        "answerable": answerable,
    }
    receiver = await receiver_of(pool, row["ticket"], contact=ident) if answerable else None
    return draw(request, "desk/_form.html", {"form": form, "receiver": receiver})


def _size(size: int) -> str:
    return f"{max(1, size // 1000)} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


async def get_form(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await readable(request, ident)
    return await _drawn(request, ident)


async def post_answer(request: web.Request) -> web.StreamResponse:
    """To the address that they gave, and into their own view of the case."""
    who, ident = identity(request), path_id(request)
    await actable(request, ident)
    row = await request.app[POOL].fetchrow(_SQL.form, ident)
    if row is None:
        raise NotFound("This contact did not come by a form.")
    if row["ticket"] is None:
        raise Conflict("There is no ticket to answer on; open one first.")
    text = str((await read_form(request)).get("text", "")).replace("\r\n", "\n")
    await tickets.reply(
        request.app[LOG],
        row["ticket"],
        text=text,
        public=True,
        actor=who.user_id,
        now=request.app[CLOCK](),
        contact=ident,
    )
    return await _drawn(request, ident)


def routes() -> list[web.RouteDef]:
    return [web.get(_AT, get_form), web.post(f"{_AT}/answer", post_answer)]
