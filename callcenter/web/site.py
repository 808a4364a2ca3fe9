"""All of the doors in this package at once, for whoever builds the application."""

from collections.abc import Mapping

from aiohttp import web

from callcenter.ports import Phone
from callcenter.web import (
    api_customers,
    api_interactions,
    api_queues,
    api_session,
    api_surveys,
    api_tickets,
    exports,
    health,
    stream,
)
from callcenter.web.keys import FEED, SIGNED_OUT
from callcenter.web.metrics import METRICS, Metrics
from callcenter.web.middleware import BODY_LIMIT, middlewares, security_headers
from callcenter.web.phones import PHONES

__all__ = ["PHONES", "add_routes", "application"]


def application() -> web.Application:
    """With everything that surrounds a request. The values of `callcenter.web.keys` are the caller's to set."""
    app = web.Application(middlewares=middlewares(), client_max_size=BODY_LIMIT)
    app[METRICS] = Metrics()
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
        api_queues,
        api_customers,
        api_tickets,
        api_surveys,
        stream,
    ):
        app.add_routes(part.routes())
