"""What an organisation file says of forms, and what is made of it: a change is a new version, the old ones stay."""

from collections.abc import Sequence
from datetime import datetime

from callcenter.domain.form import TABLES, FormEntry, FormKind
from callcenter.domain.organisation import Organisation
from callcenter.domain.plan import Plan
from callcenter.store import applications
from callcenter.store.applications import Via
from callcenter.store.forms import SQL
from callcenter.store.log import Connection, ContactLog


def _of(entries: Sequence[FormEntry], kind: FormKind) -> list[FormEntry]:
    return [entry for entry in entries if entry.kind is kind]


def pairs(before: Organisation, wanted: Organisation) -> list[tuple[str, Sequence[FormEntry], Sequence[FormEntry]]]:
    """What there was and is to be, by what a plan calls it."""
    return [(kind.value, _of(before.forms, kind), _of(wanted.forms, kind)) for kind in FormKind]


def names(before: Organisation, wanted: Organisation, *, prune: bool) -> dict[str, set[str]]:
    """What there will be, by the table of the file."""
    there = wanted.forms if prune else (*before.forms, *wanted.forms)
    return {table: {entry.name for entry in _of(there, kind)} for kind, table in TABLES.items()}


async def write(
    connection: Connection,
    before: Sequence[FormEntry],
    wanted: Sequence[FormEntry],
    *,
    prune: bool,
    now: datetime,
) -> None:
    new = [entry for entry in wanted if entry not in before]
    gone = [entry for entry in before if prune and (entry.kind, entry.name) not in {(e.kind, e.name) for e in wanted}]
    for entry in (*new, *gone):
        await connection.execute(SQL.retire, entry.kind, entry.name)
    for entry in new:
        await connection.execute(SQL.add, entry.kind, entry.name, dict(entry.definition), now)


async def put(log: ContactLog, entry: FormEntry, *, actor: int, now: datetime) -> None:
    """One form by hand; nothing happens when it says this already."""
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.lock)
        if await tx.connection.fetchval(SQL.definition, entry.kind, entry.name) == entry.definition:
            return
        there = await tx.connection.fetchval(SQL.definition, entry.kind, entry.name) is not None
        await write(tx.connection, (), [entry], prune=False, now=now)
        line = (f"{entry.kind} {entry.name}",)
        plan = Plan(() if there else line, line if there else (), (), ())
        await applications.add(tx.connection, plan, via=Via.API, actor=actor, now=now)
        await tx.append("organisation.applied", actor=actor, data={"form": entry.kind, "name": entry.name}, now=now)
