"""Lists that people keep: saved, changed, shared and thrown away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from callcenter.domain.ticket_view import LONGEST_NAME, Builtin, Conditions, Order, View
from callcenter.errors import Conflict, Forbidden, Invalid, NotFound, Outdated
from callcenter.store import ticket_lists as store
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.ticket_lists import SQL

_MOST = 100


@dataclass(frozen=True, slots=True)
class Saved:
    """A list that somebody keeps; `owner` by id. `fault`: why it has no view: another version of ours wrote it."""

    id: int
    owner: int
    name: str
    shared: bool
    view: View | None
    version: int
    fault: str = ""

    def usable(self) -> View:
        """Raises Invalid, with the reason."""
        if self.view is None:
            raise Invalid(f"The list {self.name} cannot be read: {self.fault}", field="view")
        return self.view


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who saves it: everybody for themselves, and `shares` (supervisors) for all."""

    user: int
    shares: bool


async def saved(pool: Pool, user: int, *, ident: int | None = None) -> list[Saved]:
    """Their own and the shared ones; with `ident` that one alone, if it is among them."""
    return [saved_of(row) for row in await pool.fetch(SQL.views, user, ident)]


def saved_of(row: asyncpg.Record | Mapping[str, Any]) -> Saved:
    view, fault = None, ""
    try:
        view = View(Conditions.parse(row["conditions"]), Order(row["ordering"]))
    except (Invalid, ValueError) as error:  # the others are shown all the same
        fault = str(error)
    return Saved(row["id"], row["owner_id"], row["name"], row["shared"], view, row["version"], fault)


async def one(pool: Pool, user: int, ident: int) -> Saved:
    """Raises NotFound for a list of somebody else's that is not shared, too."""
    found = await saved(pool, user, ident=ident)
    if not found:
        raise NotFound("There is no such list.")
    return found[0]


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"A list has a name of at most {LONGEST_NAME} characters.", field="name")
    if name.isdecimal() or name in tuple(Builtin):
        raise Invalid("A list is not called by a number or by the name of a built-in one.", field="name")
    return name


def _may_share(keeper: Keeper, shared: bool) -> None:
    if shared and not keeper.shares:
        raise Forbidden("Only supervisors share lists with everybody.")


async def _answers(log: ContactLog, directory: Directory, view: View, keeper: Keeper, now: datetime) -> None:
    """A list that is too slow today is refused before anybody relies on it. Raises Invalid."""
    store.check_names(view.conditions, directory)
    await store.page(log.pool, view, directory, user=keeper.user, after=None, limit=201, now=now)


async def save(
    log: ContactLog, directory: Directory, *, name: str, view: View, shared: bool, keeper: Keeper, now: datetime
) -> Saved:
    """Raises Invalid for a name or a list that will not do, Forbidden, Conflict for a second one of this name."""
    title = _name(name)
    _may_share(keeper, shared)
    await _answers(log, directory, view, keeper, now)
    if await log.pool.fetchval(SQL.count_views, keeper.user) >= _MOST:
        raise Conflict(f"Nobody keeps more than {_MOST} lists.")
    async with log.transaction() as tx:
        try:
            ident = await tx.connection.fetchval(
                SQL.add_view, keeper.user, title, shared, view.conditions.dump(), view.order, now
            )
        except asyncpg.UniqueViolationError:
            raise Conflict("You have a list of this name.") from None
        await tx.append("view.saved", actor=keeper.user, version=1, data={"view": ident, "shared": shared}, now=now)
    return Saved(ident, keeper.user, title, shared, view, 1)


async def change(
    log: ContactLog,
    directory: Directory,
    ident: int,
    *,
    name: str | None = None,
    view: View | None = None,
    shared: bool | None = None,
    version: int | None,
    keeper: Keeper,
    now: datetime,
) -> Saved:
    """What is None stays; `version` None: whatever it is. Raises as `save`, NotFound, Outdated when it has moved on."""
    before = await _own(log.pool, ident, keeper)
    title = before.name if name is None else _name(name)
    after = before.usable() if view is None else view
    open_to_all = before.shared if shared is None else shared
    _may_share(keeper, open_to_all)
    if view is not None:
        await _answers(log, directory, view, keeper, now)
    seen = before.version if version is None else version
    async with log.transaction() as tx:
        try:
            moved = await tx.connection.fetchval(
                SQL.change_view, ident, seen, title, open_to_all, after.conditions.dump(), after.order, now
            )
        except asyncpg.UniqueViolationError:
            raise Conflict("You have a list of this name.") from None
        if moved is None:
            raise Outdated(f"The list is not at version {seen} any more.")
        data = {"view": ident, "shared": open_to_all}
        await tx.append("view.saved", actor=keeper.user, version=moved, data=data, now=now)
    return Saved(ident, before.owner, title, open_to_all, after, moved)


async def drop(log: ContactLog, ident: int, *, keeper: Keeper, now: datetime) -> None:
    """Raises NotFound, Forbidden."""
    await _own(log.pool, ident, keeper)
    async with log.transaction() as tx:
        if await tx.connection.fetchval(SQL.drop_view, ident) is not None:
            await tx.append("view.dropped", actor=keeper.user, data={"view": ident}, now=now)


async def _own(pool: Pool, ident: int, keeper: Keeper) -> Saved:
    """One's own; of those that are shared, supervisors change anybody's."""
    found = await one(pool, keeper.user, ident)
    if found.owner != keeper.user and not keeper.shares:
        raise Forbidden("This list is somebody else's.")
    return found
