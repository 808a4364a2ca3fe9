"""All of the consoles' doors at once, for whoever builds the application."""

from aiohttp import web

from callcenter.web.api_opinions import WORDS
from callcenter.web.keys import CLOCK, DIRECTORY, FEED, POOL, SIGNED_OUT
from callcenter.web.middleware import ERROR_PAGE
from screenpop import (
    acts,
    admin,
    admin_entry,
    along,
    answers,
    api,
    by_hand,
    calibrations,
    chat,
    companies,
    console,
    contracts,
    customer_import,
    customer_merges,
    customers,
    door,
    fax,
    form_desk,
    help_pages,
    line,
    mail,
    messages,
    offered_work,
    portal,
    prepared,
    quality,
    scorecards,
    search,
    solutions,
    suggestions,
    survey,
    task_acts,
    ticket,
    ticket_acts,
    tickets,
    wallboard,
    web_forms,
    widget,
)
from screenpop.concerns import words_of
from screenpop.live import Hub
from screenpop.page import HUB, error_page
from screenpop.render import STATIC


def add_routes(app: web.Application, hub: Hub) -> None:
    """Pages, their parts, the pop and the socket. The keys of callcenter.web must be set."""
    app[HUB] = hub
    app[SIGNED_OUT] = hub.session_ended
    app[wallboard.BOARD] = wallboard.Board(app[POOL], app[DIRECTORY], app[FEED], app[CLOCK])
    app[api.SOCKETS] = set()
    app[WORDS] = words_of(hub.renderer, lambda: app[DIRECTORY].organisation)
    app[ERROR_PAGE] = error_page
    app[widget.SCRIPT] = widget.Script(hub.renderer)
    for part in (
        door,
        console,
        search,
        acts,
        task_acts,
        wallboard,
        line,
        mail,
        chat,
        prepared,
        answers,
        along,
        form_desk,
        offered_work,
        messages,
        by_hand,
        fax,
        tickets,
        ticket,
        ticket_acts,
        contracts,
        customer_import,
        customer_merges,
        customers,
        companies,
        survey,
        solutions,
        suggestions,
        help_pages,
        web_forms,
        portal,
        quality,
        scorecards,
        calibrations,
        admin,
        admin_entry,
        widget,
        api,
    ):
        app.add_routes(part.routes())
    app.router.add_static("/static/", STATIC)
    app.on_response_prepare.append(_keep)
    app.on_shutdown.append(api.close_sockets)
    app.on_cleanup.append(_close)


async def _keep(request: web.Request, response: web.StreamResponse) -> None:
    # The address of a static file carries a hash of its content.
    if request.path.startswith("/static/") and "v" in request.query and response.status == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"


async def _close(app: web.Application) -> None:
    await app[HUB].close()
