"""A fax as pages, on the desk and on the page of its ticket."""

from aiohttp import web

from callcenter.errors import Invalid, NotFound
from callcenter.web.body import ID, path_id
from callcenter.web.fax_pages import PAGES
from callcenter.web.keys import POOL
from callcenter.web.problem import problem_of
from callcenter.web.rights import readable
from screenpop.page import draw, explain, language_of


async def get_pages(request: web.Request) -> web.StreamResponse:
    """The first is drawn to know how many there are; the others when they come in sight."""
    ident = path_id(request)
    await readable(request, ident)
    try:
        first = await request.app[PAGES].page(request.app[POOL], ident, 1)
    except (NotFound, Invalid) as error:
        why = explain(language_of(request), problem_of(error)[0])
        return draw(request, "desk/_fax.html", {"interaction": ident, "pages": 0, "why": why})
    return draw(request, "desk/_fax.html", {"interaction": ident, "pages": first.pages, "why": ""})


def routes() -> list[web.RouteDef]:
    return [web.get(f"/desk/interactions/{ID}/fax", get_pages)]
