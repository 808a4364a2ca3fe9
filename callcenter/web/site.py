"""All of the doors in this package at once, for whoever builds the application."""

from collections.abc import Mapping

from aiohttp import web

from callcenter.ports import Phone
from callcenter.web import (
    api_answers,
    api_by_hand,
    api_callbacks,
    api_calls,
    api_canned,
    api_companies,
    api_contracts,
    api_customer_import,
    api_customer_merges,
    api_customers,
    api_duplicates,
    api_erasures,
    api_interactions,
    api_letters,
    api_macros,
    api_mail,
    api_messages,
    api_notices,
    api_opinions,
    api_organisation,
    api_quality,
    api_queues,
    api_scorecards,
    api_search,
    api_session,
    api_solution_figures,
    api_solutions,
    api_surveys,
    api_tasks,
    api_ticket_lists,
    api_ticket_ties,
    api_tickets,
    api_transfers,
    api_uploads,
    api_value,
    exports,
    fax_pages,
    health,
    stream,
)
from callcenter.web.files import READINGS, Readings
from callcenter.web.keys import FEED, SIGNED_OUT
from callcenter.web.limits import PUBLIC, asking_buckets, public_buckets
from callcenter.web.metrics import METRICS, Metrics
from callcenter.web.middleware import BODY_LIMIT, middlewares, security_headers
from callcenter.web.phones import PHONES
from callcenter.web.web_forms import SENT, Sent

__all__ = ["PHONES", "add_routes", "application"]


def application() -> web.Application:
    """With everything that surrounds a request. The values of `callcenter.web.keys` are the caller's to set."""
    app = web.Application(middlewares=middlewares(), client_max_size=BODY_LIMIT)
    app[METRICS] = Metrics()
    app[PUBLIC] = public_buckets()
    app[SENT] = Sent()
    app[READINGS] = Readings()
    app[fax_pages.PAGES] = fax_pages.Pages()
    app.on_cleanup.append(fax_pages.close_pages)
    app[api_callbacks.ASKING] = asking_buckets()
    app[SIGNED_OUT] = lambda _user, _session: None
    app.on_response_prepare.append(security_headers)
    app.on_startup.append(_count_events)
    app.on_startup.append(stream.start_streams)
    app.on_shutdown.append(stream.close_streams)
    return app


async def _count_events(app: web.Application) -> None:
    app[FEED].subscribe(app[METRICS].count)


def add_routes(app: web.Application, *, switches: Mapping[str, Phone]) -> None:
    """The REST interface, its description, and what watches the server. `switches`: the PBXs by name."""
    app[PHONES] = switches
    for part in (
        health,
        api_session,
        exports,
        api_interactions,
        api_transfers,
        api_canned,
        api_callbacks,
        api_calls,
        api_mail,
        api_letters,
        api_messages,
        api_answers,
        api_by_hand,
        fax_pages,
        api_uploads,
        api_queues,
        api_search,
        api_customer_import,
        api_customer_merges,
        api_customers,
        api_duplicates,
        api_erasures,
        api_companies,
        api_contracts,
        api_value,
        api_tickets,
        api_tasks,
        api_macros,
        api_ticket_ties,
        api_ticket_lists,
        api_surveys,
        api_solution_figures,
        api_solutions,
        api_opinions,
        api_scorecards,
        api_quality,
        api_notices,
        api_organisation,
        stream,
    ):
        app.add_routes(part.routes())
