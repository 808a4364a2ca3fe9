"""The same change to many tickets: each in a transaction of its own, with what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.actions import tickets
from callcenter.actions.tickets import Stale
from callcenter.errors import CallcenterError, Invalid
from callcenter.store.log import ContactLog
from callcenter.store.ticket_lists import SQL

MOST = 200
CHANGEABLE = frozenset({"state", "owner", "queue", "priority"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one ticket. `why`: the refusal in words; `changed`: what others had changed since it was seen."""

    ticket: int
    number: int | None
    done: bool
    version: int | None = None
    why: str | None = None
    changed: tuple[str, ...] = ()


async def change_all(
    log: ContactLog,
    wanted: Sequence[tuple[int, int | None]],
    *,
    changes: Mapping[str, Any],
    actor: int,
    now: datetime,
) -> list[Outcome]:
    """`wanted`: ids, each with the version that was seen (None: whatever it is). In that order, each once.

    Raises Invalid for too many and for what is not changed in bulk; what one ticket refuses stops no other.
    """
    if not changes:
        raise Invalid("Say what is to be changed.", field="changes")
    if unknown := changes.keys() - CHANGEABLE:
        raise Invalid(f"Of many tickets at once are changed: {', '.join(sorted(CHANGEABLE))}.", field=min(unknown))
    seen = dict(wanted)
    if not 0 < len(seen) <= MOST:
        raise Invalid(f"Choose 1 to {MOST} tickets.", field="tickets")
    numbers = {row["id"]: row["number"] for row in await log.pool.fetch(SQL.numbers, list(seen))}
    return [
        await _one(log, ident, numbers.get(ident), version, changes=changes, actor=actor, now=now)
        for ident, version in seen.items()
    ]


async def _one(
    log: ContactLog,
    ident: int,
    number: int | None,
    version: int | None,
    *,
    changes: Mapping[str, Any],
    actor: int,
    now: datetime,
) -> Outcome:
    try:
        after = await tickets.change(log, ident, changes=changes, version=version, actor=actor, now=now)
    except Stale as error:
        return Outcome(
            ident, number, False, error.ticket.version, str(error), tuple(each.field for each in error.changes)
        )
    except CallcenterError as error:
        return Outcome(ident, number, False, why=str(error))
    return Outcome(ident, number, True, after.version)
