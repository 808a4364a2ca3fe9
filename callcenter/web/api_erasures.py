"""Everything that is known of a person: given out, or erased."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from callcenter.actions import erasures as actions
from callcenter.domain.agent import Role
from callcenter.errors import Invalid
from callcenter.store import customers, erasures
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, answer, path_id, read_body
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.openapi import operation

_AT = f"/customers/{ID}"
_IN_MEMORY = 1024 * 1024  # larger archives are built on disk
_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureItem:
    """`emptied`: rows by table."""

    id: int
    customer: int
    at: datetime
    by: str | None
    reason: str
    emptied: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`name`: as it stands in the record, so that nobody erases the wrong one; `reason`: the request's reference."""

    __pydantic_config__ = STRICT
    name: Annotated[str, Field(max_length=200)]
    reason: Annotated[str, Field(max_length=actions.LONGEST_REASON)]


async def _proof(request: web.Request, customer: int) -> web.StreamResponse:
    found = await erasures.proof(request.app[POOL], customer)
    return answer(
        ErasureItem(
            id=found.id, customer=found.customer, at=found.at, by=found.by, reason=found.reason, emptied=found.emptied
        )
    )


@operation(
    "GET", f"{_AT}/export", summary="All that is known of a person, as a zip archive", tag="customers",
    role=Role.ADMINISTRATOR, answer=bytes, answer_type="application/zip",
)  # fmt: skip
async def get_export(request: web.Request) -> web.StreamResponse:
    ident = path_id(request)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as archive:
        await erasures.export(request.app[POOL], ident, archive)
        archive.seek(0)
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/zip",
                "Content-Disposition": f'attachment; filename="customer-{ident}.zip"',
                "Cache-Control": "no-store",
            }
        )
        await response.prepare(request)
        while piece := archive.read(_PIECE):
            await response.write(piece)
        await response.write_eof()
        return response


@operation(
    "POST", f"{_AT}/erase", summary="Erase a person; figures stay", tag="customers", role=Role.ADMINISTRATOR, body=Wish,
    answer=ErasureItem, acts=True,
)  # fmt: skip
async def post_erase(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Wish)
    ident = path_id(request)
    if given.name.strip() != (await customers.get(request.app[POOL], ident)).name:
        raise Invalid("This is not the name in the record.", field="name")
    await actions.erase(
        request.app[LOG], ident, reason=given.reason, actor=identity(request).user_id, now=request.app[CLOCK]()
    )
    return await _proof(request, ident)


@operation(
    "GET", f"{_AT}/erasure", summary="The proof that a person was erased", tag="customers", role=Role.ADMINISTRATOR,
    answer=ErasureItem,
)  # fmt: skip
async def get_erasure(request: web.Request) -> web.StreamResponse:
    return await _proof(request, path_id(request))


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (get_export, post_erase, get_erasure)]
