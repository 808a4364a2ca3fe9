"""Prepared answers beside the box that is written into: found by a few letters, filled in, kept for the next time."""

from aiohttp import web

from callcenter.actions import canned
from callcenter.domain.canned import fill, matching
from callcenter.store.canned import SQL, for_user
from callcenter.web.auth import identity
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.rights import actable
from screenpop.page import draw

_SHOWN = 8
_AT = f"/desk/interactions/{ID}"


async def _drawn(request: web.Request, ident: int, asked: str) -> web.Response:
    pool, who, directory = request.app[POOL], identity(request), request.app[DIRECTORY]
    case = await pool.fetchrow(SQL.case, ident)
    assert case is not None
    values = {
        "customer.name": case["customer"],
        "customer.company": case["company"],
        "agent.name": directory.user(who.user_id).full_name,
        "queue.name": case["queue"],
        "organisation.name": directory.organisation.name,
        "ticket.number": None if case["ticket"] is None else str(case["ticket"]),
    }
    found = matching(
        await for_user(pool, who.user_id), asked, language=case["language"], queue=case["queue_id"]
    )  # fmt: skip
    answers = [{"id": each.id, "name": each.name, "text": fill(each.text, values), "own": each.own} for each in found]
    return draw(request, "desk/_answers.html", {"ident": ident, "asked": asked, "answers": answers[:_SHOWN]})


async def get_answers(request: web.Request) -> web.StreamResponse:
    """`q`: letters of a name, or of the text."""
    ident = path_id(request)
    await actable(request, ident)
    return await _drawn(request, ident, request.query.get("q", "")[:60].replace("\x00", ""))


async def post_answers(request: web.Request) -> web.StreamResponse:
    """What is typed is kept as an answer of one's own, for all queues and languages."""
    ident, who = path_id(request), identity(request)
    await actable(request, ident)
    fields = {name: value for name, value in (await read_form(request)).items() if isinstance(value, str)}
    name, text = fields.get("name", ""), fields.get("text", "")
    await canned.keep(
        request.app[LOG], who.user_id, name=name, text=text, language=None, queue=None, now=request.app[CLOCK]()
    )
    return await _drawn(request, ident, name.strip())


async def post_dropped(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    await actable(request, ident)
    await canned.drop(request.app[LOG], identity(request).user_id, int(request.match_info["answer"]))
    return await _drawn(request, ident, "")


def routes() -> list[web.RouteDef]:
    return [
        web.get(f"{_AT}/answers", get_answers),
        web.post(f"{_AT}/answers", post_answers),
        web.post(f"{_AT}/answers/{{answer:[1-9][0-9]{{0,17}}}}/drop", post_dropped),
    ]
