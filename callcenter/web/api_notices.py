"""What people who work here were told of tickets that run late, and what other systems were told of everything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from aiohttp import web

from callcenter.actions import deliveries, notices
from callcenter.domain.agent import Role
from callcenter.domain.delivery import DeliveryState
from callcenter.domain.sla import ClockName
from callcenter.store.deliveries import SQL as DELIVERIES
from callcenter.store.notices import SQL as NOTICES
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Line, answer, path_id, read_query
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeItem:
    """`kind`: what it tells of (sla, …). `ticket` by id, if it is about one; `due_at`: of its `clock`, or of a task.

    `call`: what became of the telephone call, where there was one.
    """

    id: int
    kind: str
    ticket: int | None
    number: int | None
    subject: str | None
    clock: ClockName | None
    due_at: datetime | None
    at: datetime
    seen_at: datetime | None
    call: Literal["waiting", "acknowledged", "failed"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFilter:
    __pydantic_config__ = STRICT
    seen: Literal["true", "false"] | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryItem:
    """`ident` is the `webhook-id` of each attempt. `failed`: given up; see `last_error`."""

    id: int
    ident: UUID
    webhook: str
    kind: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    __pydantic_config__ = STRICT
    state: DeliveryState | None = None
    webhook: Line | None = None
    limit: Limit = 50
    after: Place | None = None


@operation(
    "GET", "/notices", summary="What I was told of tickets", tag="notices", query=NoticeFilter, answer=Page[NoticeItem]
)
async def list_notices(request: web.Request) -> web.StreamResponse:
    query = read_query(request, NoticeFilter)
    rows = await request.app[POOL].fetch(
        NOTICES.list,
        identity(request).user_id,
        read_place(query.after, start=TOP),
        query.limit + 1,
        None if query.seen is None else query.seen == "true",
    )
    items = [NoticeItem(**row) for row in rows[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(rows) > query.limit else None))


@operation(
    "POST", f"/notices/{ID}/seen", summary="I have seen one of my notices", tag="notices", status=204, refusals=(404,)
)
async def see_notice(request: web.Request) -> web.StreamResponse:
    who = identity(request).user_id
    await notices.see(request.app[LOG], path_id(request), user=who, now=request.app[CLOCK]())
    return web.Response(status=204)


@operation("POST", "/notices/seen", summary="I have seen all of my notices", tag="notices", status=204)
async def see_notices(request: web.Request) -> web.StreamResponse:
    await notices.see(request.app[LOG], None, user=identity(request).user_id, now=request.app[CLOCK]())
    return web.Response(status=204)


@operation(
    "GET", "/deliveries", summary="Events on their way to webhooks, sent, and given up", tag="webhooks",
    role=Role.ADMINISTRATOR, query=DeliveryFilter, answer=Page[DeliveryItem],
)  # fmt: skip
async def list_deliveries(request: web.Request) -> web.StreamResponse:
    query = read_query(request, DeliveryFilter)
    start = read_place(query.after, start=TOP)
    rows = await request.app[POOL].fetch(DELIVERIES.list, start, query.limit + 1, query.state, query.webhook)
    items = [DeliveryItem(**{**row, "ident": UUID(str(row["ident"]))}) for row in rows[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(rows) > query.limit else None))


@operation(
    "POST", f"/deliveries/{ID}/retry", summary="Send what was given up once more, under the same id", tag="webhooks",
    role=Role.ADMINISTRATOR, status=204, refusals=(404, 409),
)  # fmt: skip
async def retry_delivery(request: web.Request) -> web.StreamResponse:
    await deliveries.retry(request.app[LOG], path_id(request), now=request.app[CLOCK]())
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (list_notices, see_notices, see_notice, list_deliveries, retry_delivery)]
