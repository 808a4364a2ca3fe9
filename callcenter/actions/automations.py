"""Rules that wait for a moment: when their turn comes on each ticket, and the sweep that carries them out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.actions.rules import Case, carry_out, load_cases
from callcenter.domain.rules import Due, schedule
from callcenter.domain.ticket import TicketState
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.rules import SQL

# Tickets whose turns are worked out in one transaction after the automations changed.
_WALK = 200
# Tickets whose turns are carried out in one transaction: all of them stay locked until its end.
_AT_ONCE = 5
_STAYS = frozenset(TicketState) - {TicketState.NEW, TicketState.OPEN}


@dataclass(frozen=True, slots=True)
class _Turns:
    """`due`: the turns to come on a ticket, the earliest first."""

    case: Case
    touched_at: datetime
    due: Sequence[Due]


async def _turns(
    tx: Transaction, directory: Directory, touched: Mapping[int, datetime | None], *, now: datetime
) -> dict[int, _Turns]:
    """By ticket; `touched`: when people changed it last, None for what is known of that."""
    cases = await load_cases(tx, directory, list(touched), now=now)
    found = {}
    for row in await tx.connection.fetch(SQL.moments, list(cases)):
        case = cases[row["id"]]
        ticket = case.ticket
        touched_at = touched[ticket.id] or row["touched_at"] or ticket.updated_at
        moments = {"created": ticket.created_at, "updated": touched_at}
        if ticket.state in _STAYS:
            moments[ticket.state.value] = row["began_at"] or touched_at
        if row["due_at"] is not None:
            moments["due"] = row["due_at"]
        done = set(zip(row["names"], row["sinces"], strict=True))
        found[ticket.id] = _Turns(case, touched_at, schedule(directory.rules.automations, moments, done, case.view))
    return found


async def set_timers(
    tx: Transaction, directory: Directory, touched: Mapping[int, datetime | None], *, now: datetime
) -> None:
    """When the next automation's turn comes on each of these tickets, as they are now. They are locked."""
    turns = await _turns(tx, directory, touched, now=now)
    await _save(tx, turns.values())


async def _save(tx: Transaction, turns: Iterable[_Turns]) -> None:
    rows = [(each.case.ticket.id, each.touched_at, each.due[0].at if each.due else None) for each in turns]
    await tx.connection.executemany(SQL.put_timer, rows)


async def sweep(log: ContactLog, directory: Directory, *, now: datetime, limit: int = _AT_ONCE) -> int:
    """Carries out what has its turn, at most on so many tickets; how many were looked at.

    Any number of sweeps may run at once: each ticket is locked, looked at again, and each turn is had once.
    """
    async with log.transaction() as tx:
        found = [row["ticket_id"] for row in await tx.connection.fetch(SQL.due, now, limit)]
        for ident in found:
            await _carry_out(tx, directory, ident, now=now)
    return len(found)


async def _carry_out(tx: Transaction, directory: Directory, ident: int, *, now: datetime) -> None:
    had: set[str] = set()
    while True:
        # What one automation did to the ticket may be another one's turn, or the end of it.
        turns = (await _turns(tx, directory, {ident: None}, now=now))[ident]
        due = next((due for due in turns.due if due.at <= now and due.automation.name not in had), None)
        if due is None:
            await _save(tx, [turns])
            return
        had.add(due.automation.name)
        if await tx.connection.fetchval(SQL.add_turn, ident, due.automation.name, due.since, now) is not None:
            rule = f"automation:{due.automation.name}"
            await carry_out(tx, directory, turns.case, rule, due.automation.then, actor=None, now=now)


async def walk(log: ContactLog, directory: Directory, *, now: datetime) -> int:
    """After the automations changed: works out the turns on the next tickets, old ones too; how many."""
    async with log.transaction() as tx:
        behind = await tx.connection.fetchval(SQL.walk, now)
        if behind is None:
            return 0
        got = []
        for row in await tx.connection.fetch(SQL.following, behind, _WALK):
            if not row["got"]:
                break  # somebody is at it; the walk goes on from here
            got.append(row["id"])
        if got and directory.rules.automations:
            await set_timers(tx, directory, dict.fromkeys(got), now=now)
        elif got:
            await tx.connection.execute(SQL.drop_timers, got)
        over = not got and await tx.connection.fetchval(SQL.is_behind, behind) is None
        await tx.connection.execute(SQL.walked, None if over else got[-1] if got else behind)
    return len(got)
