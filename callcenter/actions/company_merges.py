"""Two records of one company become one, and two again."""

from datetime import datetime

from callcenter.actions.companies import check_standing
from callcenter.domain.company import LONGEST_NOTE
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import companies as store
from callcenter.store.companies import SQL
from callcenter.store.log import ContactLog, Transaction


async def _lock(tx: Transaction, one: int, other: int) -> None:
    for ident in sorted((one, other)):
        await tx.connection.execute(SQL.lock, ident)


async def merge(log: ContactLog, source: int, *, into: int, actor: int | None, now: datetime) -> int:
    """The merge's id. People, names and domains of the source become the other's; its note is written below that one's.

    Raises Invalid, NotFound, and Conflict where one of the two was merged already.
    """
    if source == into:
        raise Invalid("A company cannot be merged into itself.", field="source")
    async with log.transaction() as tx:
        await _lock(tx, source, into)
        for each in (source, into):
            check_standing(await store.get(tx.connection, each))
        row = await tx.connection.fetchrow(SQL.move, source, into, now, LONGEST_NOTE)
        assert row is not None
        people = await tx.connection.fetchval(SQL.move_people, source, into)
        ident: int = await tx.connection.fetchval(
            SQL.keep, source, into, now, actor, people, row["names"] or [], row["domains"]
        )
        data = {"company": source, "into": into, "merge": ident}
        await tx.append("company.merged", actor=actor, version=row["version"], data=data, now=now)
        return ident


async def undo(log: ContactLog, merge: int, *, into: int, actor: int | None, now: datetime) -> int:
    """The id of the company that is there again, with its names, domains and those of its people who are still here.

    Whoever came by its name since stays, and so does what was written of it in the note. Raises NotFound, and Conflict
    where it is undone already or the other was merged further.
    """
    async with log.transaction() as tx:
        row = await tx.connection.fetchrow(SQL.merge, merge)
        if row is None or row["target_id"] != into:
            raise NotFound(f"Nothing was merged into company {into} as number {merge}.")
        if row["undone_at"] is not None:
            raise Conflict("This merge is undone already.")
        source: int = row["source_id"]
        await _lock(tx, source, into)
        check_standing(await store.get(tx.connection, into))
        version = await tx.connection.fetchval(SQL.give_back, source, into, row["names"], row["domains"], now)
        await tx.connection.execute(SQL.give_people_back, source, into, row["people"])
        await tx.connection.execute(SQL.undone, merge, now, actor)
        data = {"company": source, "from": into, "merge": merge}
        await tx.append("company.unmerged", actor=actor, version=version, data=data, now=now)
        return source
