"""Names that clients send in place of ids."""

from aiohttp import web

from callcenter.errors import Invalid, NotFound
from callcenter.web.keys import DIRECTORY


def queue_id(request: web.Request, name: str | None, *, field: str = "queue") -> int | None:
    """Raises Invalid when there is no such queue."""
    if name is None:
        return None
    try:
        return request.app[DIRECTORY].queue_named(name).id
    except NotFound as error:
        raise Invalid(str(error), field=field) from None


def user_id(request: web.Request, name: str | None, *, field: str) -> int | None:
    """Raises Invalid when there is no such user."""
    if name is None:
        return None
    try:
        return request.app[DIRECTORY].user_named(name).id
    except NotFound as error:
        raise Invalid(str(error), field=field) from None
