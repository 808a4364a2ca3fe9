"""Answers to customers in the contact in which they wrote, over REST."""

from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import Field

from callcenter.actions import answers
from callcenter.web.api_messages import hold_of
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, answer, path_id, read_body
from callcenter.web.interactions import Item, item
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.rights import writable


@dataclass(frozen=True, slots=True)
class Reply:
    __pydantic_config__ = STRICT
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


@operation(
    "POST", f"/interactions/{ID}/reply", summary="Write back on the way by which it came", tag="interactions",
    body=Reply, answer=Item, acts=True,
)  # fmt: skip
async def post_answer(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Reply)
    ident = path_id(request)
    await writable(request, ident)
    await answers.reply(
        request.app[LOG],
        ident,
        text=given.text,
        actor=identity(request).user_id,
        hold=hold_of(request),
        now=request.app[CLOCK](),
    )
    return answer(await item(request.app[POOL], ident))


def routes() -> list[web.RouteDef]:
    return [post_answer.route()]
