"""Prepared answers over REST: the organisation's and one's own."""

from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import Field

from callcenter.actions import canned
from callcenter.domain.canned import LONGEST, LONGEST_NAME
from callcenter.store.canned import for_user
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, answer, path_id, read_body
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.names import queue_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Page

_Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z][A-Za-z]{1,7})?$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedItem:
    """`language` and `queue` null: for all. `own`: one's own; the others are the organisation's."""

    id: Id
    name: str
    text: str
    language: str | None
    queue: str | None
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCanned:
    """`text` may have gaps: {{ customer.name }}, customer.company, agent.name, queue.name, organisation.name,
    ticket.number. One of the same name and language is replaced."""

    __pydantic_config__ = STRICT
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    language: _Language | None = None
    queue: Line | None = None


async def _items(request: web.Request) -> list[CannedItem]:
    queues = request.app[DIRECTORY].queues
    return [
        CannedItem(
            id=each.id, name=each.name, text=each.text, language=each.language, own=each.own,
            queue=None if each.queue is None else queues[each.queue].name,
        )
        for each in await for_user(request.app[POOL], identity(request).user_id)
    ]  # fmt: skip


@operation(
    "GET", "/canned-answers", summary="Prepared answers: the organisation's and one's own", tag="interactions",
    answer=Page[CannedItem],
)  # fmt: skip
async def list_canned(request: web.Request) -> web.StreamResponse:
    return answer(Page(await _items(request), None))


@operation(
    "POST", "/canned-answers", summary="Keep a prepared answer of one's own", tag="interactions", body=NewCanned,
    answer=CannedItem, status=201, acts=True,
)  # fmt: skip
async def post_canned(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewCanned)
    queue = queue_id(request, given.queue, active=True)
    ident = await canned.keep(
        request.app[LOG], identity(request).user_id, name=given.name, text=given.text, language=given.language,
        queue=queue, now=request.app[CLOCK](),
    )  # fmt: skip
    return answer(next(each for each in await _items(request) if each.id == ident), status=201)


@operation(
    "DELETE", f"/canned-answers/{ID}", summary="Delete a prepared answer of one's own", tag="interactions", status=204,
    acts=True,
)  # fmt: skip
async def delete_canned(request: web.Request) -> web.StreamResponse:
    await canned.drop(request.app[LOG], identity(request).user_id, path_id(request))
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [list_canned.route(), post_canned.route(), delete_canned.route()]
