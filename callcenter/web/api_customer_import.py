"""Lists of customers over REST: what another system knows of them, brought in as `callcenter import customers` does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from callcenter.actions.customer_import import Report, import_list, untold
from callcenter.domain.agent import Role
from callcenter.web.auth import identity
from callcenter.web.body import STRICT, answer, read_query
from callcenter.web.files import read_bytes
from callcenter.web.keys import CLOCK, DIRECTORY, LOG
from callcenter.web.openapi import operation

_LARGEST = 20_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Wish:
    """`dry_run`: only say what would be done."""

    __pydantic_config__ = STRICT
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """`row`: its place in the list, the header being row 1; `cells` by column."""

    row: int
    reason: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImportItem:
    """How many customers are, or would be, new, changed, and left as they are."""

    created: int
    changed: int
    unchanged: int
    refused: Sequence[RefusedRow]


async def import_sent(
    request: web.Request, *, dry: bool, progress: Callable[[int, int], Awaitable[None]] = untold
) -> Report:
    """The list that an administrator sent, as the body."""
    raw = await read_bytes(request, largest=_LARGEST)
    directory = request.app[DIRECTORY]
    return await import_list(
        request.app[LOG],
        raw,
        region=directory.organisation.region,
        users={user.name for user in directory.users.values() if user.active},
        dry=dry,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
        progress=progress,
    )


@operation(
    "POST", "/customers/import", summary="Customers of a CSV list (the body as it is): made, or brought up to date",
    tag="customers", role=Role.ADMINISTRATOR, query=Wish, answer=ImportItem, refusals=(413,),
)  # fmt: skip
async def post_import(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Wish)
    report = await import_sent(request, dry=query.dry_run)
    refused = [RefusedRow(row.number, reason, row.cells) for row, reason in report.refused]
    return answer(ImportItem(report.created, report.changed, report.unchanged, refused))


def routes() -> list[web.RouteDef]:
    return [post_import.route()]
