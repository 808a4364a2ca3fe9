"""Notices to people who work here: written on their console, and put on their way by mail, by phone and to webhooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from callcenter.actions import outbox
from callcenter.actions.outbox import NewLetter
from callcenter.domain.notice import Way
from callcenter.errors import NotFound
from callcenter.store.directory import User
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.notices import SQL

TEMPLATE = "escalation"
# A call hours later than the trouble helps nobody who was out of reach: the notice stands on the console.
_CALL_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """`clock` and `due_at`: None where a rule tells them. `disturb_at`: when it may go out by `ways`; `data`: of its
    letter, states and ids.
    """

    user: User
    ticket: int
    number: int
    queue: int | None
    clock: str | None
    due_at: datetime | None
    ways: tuple[Way, ...]
    disturb_at: datetime
    data: Mapping[str, Any]


async def put(tx: Transaction, notices: Sequence[NewNotice], *, now: datetime) -> None:
    """Everything that they need goes with the transaction of what they tell of."""
    rows = await tx.connection.fetch(
        SQL.add,
        [notice.user.id for notice in notices],
        [notice.ticket for notice in notices],
        [notice.clock for notice in notices],
        [notice.due_at for notice in notices],
        now,
    )
    letters = [notice for notice in notices if Way.EMAIL in notice.ways]
    if letters:
        await outbox.put_all(tx, [(_letter(notice), notice.disturb_at) for notice in letters], now=now)
    calls = [
        (row["id"], notice.user.phone or notice.user.endpoint, notice.number, notice.disturb_at)
        for row, notice in zip(rows, notices, strict=True)
        if Way.PHONE in notice.ways
    ]
    for ident, endpoint, number, at in calls:
        await tx.connection.execute(SQL.add_call, ident, endpoint, number, at, at + _CALL_WITHIN)


def _letter(notice: NewNotice) -> NewLetter:
    assert notice.user.email is not None
    return NewLetter(
        recipient=notice.user.email,
        recipient_name=notice.user.full_name,
        language=notice.user.language,
        template=TEMPLATE,
        data=notice.data,
        ticket=notice.ticket,
        queue=notice.queue,
    )


async def see(log: ContactLog, notice: int | None, *, user: int, now: datetime) -> None:
    """A user has seen a notice (None: all of theirs). A second time changes nothing; somebody else's is not found."""
    async with log.transaction() as tx:
        seen = [row["id"] for row in await tx.connection.fetch(SQL.see, user, notice, now)]
        if seen:
            await tx.append("notice.seen", agent=user, actor=user, data={"notices": seen}, now=now)
        elif notice is not None and not await tx.connection.fetchval(SQL.is_of, notice, user):
            raise NotFound("There is no such notice.")
