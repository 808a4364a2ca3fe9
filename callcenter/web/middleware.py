"""Around every request: an id, a line in the log, a count, headers that keep browsers safe, problems as documents."""

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

import asyncpg
import structlog
from aiohttp import ClientConnectionResetError, hdrs, web
from aiohttp.typedefs import Middleware

from callcenter.errors import CallcenterError
from callcenter.store.db import TRY_AGAIN
from callcenter.web.auth import Handler, auth_middleware, is_https
from callcenter.web.metrics import METRICS
from callcenter.web.problem import Problem, problem_of, problem_of_http, problem_response

log = structlog.get_logger()

# The largest body that an address takes unless it says otherwise.
BODY_LIMIT = 1024 * 1024

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

# How pages show a problem; without it they get the document that programs get.
ERROR_PAGE: web.AppKey[Callable[[web.Request, Problem], Awaitable[web.Response]]] = web.AppKey("error_page")

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id")


def is_api(request: web.Request) -> bool:
    return request.path.startswith("/api/")


def _route(request: web.Request) -> str:
    """The pattern, since an address with its ids would make a series of every request."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


@web.middleware
async def request_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost: names the request, times it, writes it down without its query (which may hold numbers)."""
    request_id = secrets.token_hex(8)
    request[REQUEST_ID] = request_id
    started = time.perf_counter()
    with structlog.contextvars.bound_contextvars(request=request_id):
        status = 0
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as raised:
            status = raised.status
            raise
        finally:
            seconds = time.perf_counter() - started
            metrics = request.app[METRICS]
            method = request.method if request.method in hdrs.METH_ALL else "other"
            metrics.requests.labels(method, _route(request), str(status) if status else "gone").inc()
            metrics.seconds.labels(_route(request)).observe(seconds)
            ms = round(seconds * 1000, 1)
            # A secret in an address is nobody's business.
            path = _route(request) if "token" in request.match_info else request.path[:200]
            log.info("request", method=method, path=path, status=status, ms=ms)
    return response


async def security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal of the application, since a prepared response (a socket, a stream) takes no more headers."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request.get(REQUEST_ID, "")
    if is_https(request):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")


class _Bug:
    """Swallows and writes down what nobody foresaw, so that the client gets a document and no stack trace."""

    def __init__(self) -> None:
        self.caught = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if kind is None or not issubclass(kind, Exception) or issubclass(kind, web.HTTPException):
            return False  # a redirect is raised too
        log.error("request_failed", exc_info=error)
        self.caught = True
        return True


async def _say(request: web.Request, problem: Problem, headers: dict[str, str]) -> web.StreamResponse:
    problem = replace(problem, request_id=request.get(REQUEST_ID, ""))
    page = request.app.get(ERROR_PAGE)
    if page is None or is_api(request):
        return problem_response(problem, headers)
    response = await page(request, problem)
    response.headers.update(headers)
    return response


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal becomes a document; pages send who has not signed in to sign in."""
    with _Bug():
        try:
            return await handler(request)
        except CallcenterError as error:
            problem, headers = problem_of(error)
            if problem.status == 401 and not is_api(request) and request.method == "GET":
                return _to_sign_in(request)
            return await _say(request, problem, headers)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            problem, headers = problem_of_http(error)
            return await _say(request, problem, headers)
        except asyncpg.DataError as error:
            log.warning("unstorable", error=type(error).__name__)
            problem = Problem(422, "Unprocessable Content", "A value is outside of what can be kept.")
            return await _say(request, problem, {})
        except ClientConnectionResetError:
            return web.Response(status=499)  # who asked has left
        except TRY_AGAIN as error:
            log.warning("database_unreachable", error=type(error).__name__)
            problem = Problem(503, "Service Unavailable", "The database is out of reach for a moment; try again.")
            return await _say(request, problem, {"Retry-After": "2"})
    problem = Problem(500, "Internal Server Error", "That is our fault; the log has it under this request id.")
    return await _say(request, problem, {})


def _to_sign_in(request: web.Request) -> web.Response:
    """An htmx request would put the sign-in page into a region: it is told to load the whole page instead."""
    if "HX-Request" in request.headers:
        return web.Response(status=401, headers={"HX-Redirect": "/sign-in"})
    location = "/sign-in" if request.path == "/" else f"/sign-in?next={request.rel_url.raw_path}"
    return web.Response(status=303, headers={"Location": location})


def middlewares() -> list[Middleware]:
    """From the outside in."""
    return [request_middleware, problem_middleware, auth_middleware]
