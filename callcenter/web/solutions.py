"""Solutions for REST and consoles alike: who may do what with them, and in which language they are read."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web

from callcenter.domain.solution import SolutionState, may_publish
from callcenter.errors import Forbidden
from callcenter.store import solutions as store
from callcenter.web.auth import Identity, identity, maybe_identity
from callcenter.web.keys import CLOCK, DIRECTORY, POOL


def require_publisher(who: Identity) -> None:
    """Raises Forbidden."""
    if not may_publish(who.role):
        raise Forbidden("A supervisor publishes; what you wrote is kept as a proposal.")


async def changeable(request: web.Request, ident: int) -> None:
    """Agents set the properties of their own drafts. Raises Forbidden, NotFound."""
    who, found = identity(request), await store.get(request.app[POOL], ident)
    if not (may_publish(who.role) or (found.state is SolutionState.DRAFT and found.created_by == who.user_id)):
        raise Forbidden("Only a supervisor changes this article's properties.")


def own_language(request: web.Request, asked: str | None) -> str:
    """The language that was asked for, the reader's, or the organisation's first."""
    who = maybe_identity(request)
    return asked or (who.language if who else None) or request.app[DIRECTORY].organisation.languages[0]


def first_day(request: web.Request, days: int) -> date:
    zone = ZoneInfo(request.app[DIRECTORY].organisation.timezone)
    return request.app[CLOCK]().astimezone(zone).date() - timedelta(days=days - 1)
