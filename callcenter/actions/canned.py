"""An agent's own prepared answers. They are tools, not facts: the log does not have them."""

from datetime import datetime

from callcenter.domain.canned import check_name, check_text
from callcenter.errors import Conflict, NotFound
from callcenter.store.canned import SQL
from callcenter.store.log import ContactLog

_MOST = 500


async def keep(
    log: ContactLog, user: int, *, name: str, text: str, language: str | None, queue: int | None, now: datetime
) -> int:
    """Its id; one of the same name and language is replaced. Raises Invalid, Conflict for more than anybody needs."""
    facts = (user, check_name(name), check_text(text), language, queue, _MOST, now)
    ident: int | None = await log.pool.fetchval(SQL.keep, *facts)
    if ident is None:
        raise Conflict(f"You have {_MOST} prepared answers; delete some first.")
    return ident


async def drop(log: ContactLog, user: int, ident: int) -> None:
    """Raises NotFound for what is not one's own."""
    if await log.pool.fetchval(SQL.drop, ident, user) is None:
        raise NotFound("You have no such prepared answer.")
