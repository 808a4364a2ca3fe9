"""Calls to people who are to know of a ticket: taken for an attempt, acknowledged by a key, passed on up the line."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from callcenter.actions import notices
from callcenter.actions.notices import NewNotice
from callcenter.actions.recipients import ways
from callcenter.domain.callout import ATTEMPTS, EVERY, CalloutState
from callcenter.domain.notice import Way
from callcenter.store.callouts import SQL
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog


@dataclass(frozen=True, slots=True)
class Callout:
    """A call that was taken for attempt number `attempt`."""

    id: int
    endpoint: str
    attempt: int


async def take(log: ContactLog, *, now: datetime) -> Callout | None:
    """The next call that is due, for one attempt; None when there is none."""
    await log.pool.execute(SQL.drop_moot, now)
    row = await log.pool.fetchrow(SQL.take, now, now + EVERY, ATTEMPTS)
    return None if row is None else Callout(*row)


async def number_of(log: ContactLog, call: int) -> int | None:
    """The number of the ticket that a call is about; None where nobody needs to be told any more."""
    row = await log.pool.fetchrow(SQL.shown, call)
    return row["number"] if row is not None and row["state"] != CalloutState.ACKNOWLEDGED else None


async def acknowledge(log: ContactLog, call: int, *, now: datetime) -> None:
    """They pressed the key: the notice is seen, and nobody is called because of it any more. Twice is as once."""
    async with log.transaction() as tx:
        rows = await tx.connection.fetch(SQL.acknowledge, call, now)
        if rows:
            user, ticket = rows[0]["user_id"], rows[0]["ticket_id"]
            data = {"notices": [row["id"] for row in rows], "call": call}
            await tx.append("notice.seen", agent=user, actor=user, ticket=ticket, data=data, now=now)


async def failed(log: ContactLog, call: Callout, *, error: str) -> None:
    """The PBX refused; it is tried again when it is due."""
    await log.pool.execute(SQL.failed, call.id, error)


async def pass_on(log: ContactLog, directory: Directory, *, now: datetime, able: Collection[Way] = tuple(Way)) -> int:
    """Those who did not answer are given up, each once, and their managers are told and called instead; how many."""
    async with log.transaction() as tx:
        rows = await tx.connection.fetch(SQL.unanswered, now, ATTEMPTS)
        heirs = []
        for row in rows:
            user = directory.users.get(row["user_id"])
            manager = None if user is None else directory.users.get(user.manager or 0)
            asked: set[int] = set()  # a circle of people who have left leads to nobody
            while manager is not None and not manager.active:
                asked.add(manager.id)
                above = manager.manager or 0
                manager = None if above in asked else directory.users.get(above)
            data = {
                "notices": [row["notice"]],
                "call": row["id"],
                "notified": [manager.id] if manager is not None else [],
            }
            await tx.append("notice.unanswered", agent=row["user_id"], ticket=row["ticket_id"], data=data, now=now)
            if manager is None:
                continue
            queue = directory.queues.get(row["queue_id"] or 0)
            due_at = None if row["due_at"] is None else row["due_at"].isoformat()
            letter = {"number": row["number"], "clock": row["clock"], "due_at": due_at}
            letter |= {"priority": row["priority"], "queue": None if queue is None else queue.name}
            # They are called, whatever they prefer; and by mail where they do.
            instead = tuple(dict.fromkeys((*manager.notify, Way.PHONE)))
            heirs.append(
                NewNotice(
                    user=manager,
                    ticket=row["ticket_id"],
                    number=row["number"],
                    queue=row["queue_id"],
                    clock=row["clock"],
                    due_at=row["due_at"],
                    ways=tuple(way for way in ways(manager, instead) if way in able),
                    disturb_at=now,
                    data=letter,
                )
            )
        if heirs:
            await notices.put(tx, heirs, now=now)
    return len(rows)
