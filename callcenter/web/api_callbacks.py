"""Being called back over REST: by people and programs of the house, and by the public through named doors."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from callcenter.actions import callbacks as actions
from callcenter.actions.callbacks import Wish
from callcenter.domain.agent import Role
from callcenter.domain.callback import choices, moment, planned, zone_named
from callcenter.errors import Invalid, NotFound
from callcenter.store.callbacks import SQL
from callcenter.store.directory import Queue
from callcenter.web.auth import identity, limited_address
from callcenter.web.body import ID, STRICT, Id, Line, Text, answer, path_id, path_name, read_body, read_query
from callcenter.web.interactions import Item, item
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, WAITS
from callcenter.web.limits import Buckets, check_rate
from callcenter.web.names import queue_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page

Number = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
_DOOR = "/callbacks/{name:[A-Za-z][A-Za-z0-9._@-]{0,62}}"
# A person asks once and corrects themselves; whoever asks for more rings the phones of others.
ASKING: web.AppKey[Buckets] = web.AppKey("callback_buckets")
_MOST_TIMES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCallback:
    """`at`: RFC 3339, or by the clock of `timezone` (else of the opening hours); absent: as soon as it is their turn.

    `instead_of`: an interaction that waits: it leaves its queue, and the callback has its place.
    """

    __pydantic_config__ = STRICT
    number: Number
    queue: Line | None = None
    at: datetime | None = None
    timezone: Line | None = None
    name: Line | None = None
    text: Text | None = None
    customer: Id | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}$")] | None = None
    instead_of: Id | None = None
    external_id: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicWish:
    __pydantic_config__ = STRICT
    number: Number
    at: datetime | None = None
    timezone: Line | None = None
    name: Line | None = None
    text: Annotated[str, Field(max_length=2000)] | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}$")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """`due_at` null: it is in the line now, and `expected_wait_seconds` says how long that takes, when it is known."""

    due_at: datetime | None
    expected_wait_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """`due_at`: when it enters its queue; null when it is there, or an agent has it. `attempt`: from 1."""

    id: int
    state: str
    queue: str | None
    agent: str | None
    number: str
    name: str | None
    customer: int | None
    subject: str | None
    attempt: int
    origin: int | None
    due_at: datetime | None
    arrived_at: datetime
    queued_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    __pydantic_config__ = STRICT
    queue: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _When:
    __pydantic_config__ = STRICT
    timezone: Line | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Moments that may be chosen, in the time zone that was asked for."""

    timezone: str
    times: list[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    number: str
    reason: str | None
    added_by: str | None
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    __pydantic_config__ = STRICT
    reason: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _After:
    __pydantic_config__ = STRICT
    limit: Limit = 50
    after: Line | None = None


def _zone(request: web.Request, queue: Queue, named: str | None) -> ZoneInfo:
    if named is not None:
        return zone_named(named)
    organisation = request.app[DIRECTORY].organisation
    return ZoneInfo(organisation.timezone) if queue.hours is None else queue.hours.zone


@operation(
    "POST", "/callbacks", summary="Somebody is to be called back", tag="callbacks", body=NewCallback, answer=Item,
    status=201, also=(200,), acts=True,
)  # fmt: skip
async def post_callback(request: web.Request) -> web.StreamResponse:
    """200: this number was to be called back already."""
    given = await read_body(request, NewCallback)
    directory = request.app[DIRECTORY]
    named = queue_id(request, given.queue, active=True)
    queue = directory.queue_for_number("") if named is None else directory.queue(named)
    if queue is None:
        raise Invalid("There is no default queue, so name one.", field="queue")
    wish = Wish(
        number=given.number,
        queue=queue.id,
        at=None if given.at is None else moment(given.at, _zone(request, queue, given.timezone)),
        name=given.name or None,
        text=given.text,
        customer=given.customer,
        language=given.language,
        instead_of=given.instead_of,
        external_id=given.external_id or None,
        actor=identity(request).user_id,
    )
    asked = await actions.ask(request.app[LOG], directory, wish, now=request.app[CLOCK]())
    return answer(await item(request.app[POOL], asked.interaction), status=201 if asked.new else 200)


@operation(
    "GET", "/callbacks", summary="Callbacks that are not over", tag="callbacks", query=_Listed, answer=Page[Waiting]
)
async def list_callbacks(request: web.Request) -> web.StreamResponse:
    query = read_query(request, _Listed)
    rows = await request.app[POOL].fetch(SQL.listed, queue_id(request, query.queue))
    return answer(Page([Waiting(**row) for row in rows], None))


@operation("DELETE", f"/callbacks/{ID}", summary="Nobody is to be called any more", tag="callbacks", acts=True)
async def delete_callback(request: web.Request) -> web.StreamResponse:
    await actions.cancel(request.app[LOG], path_id(request), actor=identity(request).user_id, now=request.app[CLOCK]())
    return web.Response(status=204)


def _door(request: web.Request) -> Queue:
    """Raises NotFound for a name under which nobody may ask."""
    directory = request.app[DIRECTORY]
    queue = directory.callback_rules.doors.get(path_name(request))
    if queue is None:
        raise NotFound("There is no such door to ask to be called back.")
    return directory.queue_named(queue)


@operation(
    "POST", _DOOR, summary="The public asks to be called back; named in the organisation file", tag="callbacks",
    role=None, body=PublicWish, answer=Promised, status=202, refusals=(429,),
)  # fmt: skip
async def post_public_callback(request: web.Request) -> web.StreamResponse:
    check_rate(request)
    queue = _door(request)
    given = await read_body(request, PublicWish)
    now = request.app[CLOCK]()
    wish = Wish(
        number=given.number,
        queue=queue.id,
        at=None if given.at is None else moment(given.at, _zone(request, queue, given.timezone)),
        name=given.name or None,
        text=given.text,
        language=given.language,
    )
    request.app[ASKING].take(limited_address(request), now=now)
    directory = request.app[DIRECTORY]
    # Not what somebody else had asked for this number before: that is for them to know.
    due = planned(wish.at, queue.hours, rules=directory.callback_rules, now=now)
    await actions.ask(request.app[LOG], directory, wish, now=now)
    expected = None if due is not None else request.app[WAITS].for_next(queue.id, "callback")
    return answer(Promised(due_at=due, expected_wait_seconds=expected), status=202)


@operation(
    "GET", f"{_DOOR}/times", summary="Moments for a callback that may be chosen", tag="callbacks", role=None,
    query=_When, answer=Times, refusals=(429,),
)  # fmt: skip
async def get_times(request: web.Request) -> web.StreamResponse:
    check_rate(request)
    queue = _door(request)
    zone = _zone(request, queue, read_query(request, _When).timezone)
    rules, now = request.app[DIRECTORY].callback_rules, request.app[CLOCK]()
    found = choices(queue.hours, rules=rules, now=now, most=_MOST_TIMES)
    return answer(Times(str(zone), [at.astimezone(zone) for at in found]))


@operation(
    "GET", "/do-not-call", summary="Numbers that are not called", tag="callbacks", role=Role.SUPERVISOR, query=_After,
    answer=Page[Forbidden],
)  # fmt: skip
async def list_forbidden(request: web.Request) -> web.StreamResponse:
    query = read_query(request, _After)
    rows = await request.app[POOL].fetch(SQL.forbidden, query.after or "", query.limit + 1)
    items = [Forbidden(**row) for row in rows[: query.limit]]
    return answer(Page(items, items[-1].number if len(rows) > query.limit else None))


_NUMBER = r"/do-not-call/{number:\+?\d{3,20}}"


@operation("PUT", _NUMBER, summary="This number is not called any more", tag="callbacks", body=Reason)
async def put_forbidden(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Reason)
    await actions.forbid(
        request.app[LOG],
        request.app[DIRECTORY],
        request.match_info["number"],
        reason=given.reason or None,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return web.Response(status=204)


@operation("DELETE", _NUMBER, summary="This number may be called again", tag="callbacks", role=Role.SUPERVISOR)
async def delete_forbidden(request: web.Request) -> web.StreamResponse:
    await actions.allow(
        request.app[LOG],
        request.app[DIRECTORY],
        request.match_info["number"],
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    found = (
        post_callback, list_callbacks, delete_callback, post_public_callback, get_times, list_forbidden, put_forbidden,
        delete_forbidden,
    )  # fmt: skip
    return [each.route() for each in found]
