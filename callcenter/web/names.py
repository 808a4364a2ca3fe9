"""Names that clients send in place of ids. `active`: only those still in use, as whatever is written needs."""

from aiohttp import web

from callcenter.errors import Invalid, NotFound
from callcenter.web.keys import DIRECTORY


def queue_id(request: web.Request, name: str | None, *, field: str = "queue", active: bool = False) -> int | None:
    """Raises Invalid when there is no such queue."""
    if name is None:
        return None
    try:
        found = request.app[DIRECTORY].queue_named(name)
    except NotFound as error:
        raise Invalid(str(error), field=field) from None
    if active and not found.active:
        raise Invalid(f"The queue {name} is no longer in use.", field=field)
    return found.id


def user_id(request: web.Request, name: str | None, *, field: str, active: bool = False) -> int | None:
    """Raises Invalid when there is no such user."""
    if name is None:
        return None
    try:
        found = request.app[DIRECTORY].user_named(name)
    except NotFound as error:
        raise Invalid(str(error), field=field) from None
    if active and not found.active:
        raise Invalid(f"{name} no longer works here.", field=field)
    return found.id
