"""What can be done to a letter: put it into the outbox, take it for an attempt, and say what came of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.outbox import Enclosure, LetterState
from callcenter.store.answers import SQL as ANSWERS
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.outbox import SQL, Outgoing, outgoing

# Mail servers go on trying for days (RFC 5321, 4.5.4.1); what reaches people later than this confuses them.
GOOD_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLetter:
    """By `template` and `data` (states and ids; it is written when it is sent), or by `subject` and `text`."""

    recipient: str
    recipient_name: str | None = None
    language: str | None = None
    template: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    text: str | None = None
    interaction: int | None = None
    ticket: int | None = None
    customer: int | None = None
    queue: int | None = None
    # `in_reply_to`, `references`, `reply_to`, `auto`: see callcenter.domain.outbox.Thread.
    thread: Mapping[str, Any] = field(default_factory=dict)


async def put(
    tx: Transaction, letter: NewLetter, *, now: datetime, due: datetime | None = None, until: datetime | None = None
) -> int:
    """Goes out once the transaction is committed and it is due, and not after `until`; the letter's id."""
    at = due or now
    expires = at + GOOD_FOR if until is None else min(at + GOOD_FOR, until)
    ident: int = await tx.connection.fetchval(
        SQL.put,
        letter.recipient,
        letter.recipient_name,
        letter.language,
        letter.template,
        dict(letter.data),
        letter.subject,
        letter.text,
        letter.interaction,
        letter.ticket,
        letter.customer,
        letter.queue,
        dict(letter.thread),
        now,
        at,
        expires,
    )
    return ident


async def withhold(tx: Transaction, letter: NewLetter, *, why: str, now: datetime) -> int:
    """It is not sent, and everybody can see that: a failed letter with `why` in place of a mail server's words."""
    ident = await put(tx, letter, now=now)
    await tx.connection.fetchval(SQL.give_up, ident, 0, why, now)
    data = {
        "letter": ident,
        "state": LetterState.FAILED,
        "template": letter.template,
        "attempt": 0,
        "reason": "withheld",
    }
    await tx.append(
        "message.failed",
        interaction=letter.interaction,
        ticket=letter.ticket,
        customer=letter.customer,
        queue=letter.queue,
        data=data,
        now=now,
    )
    return ident


async def put_all(tx: Transaction, letters: Sequence[tuple[NewLetter, datetime]], *, now: datetime) -> None:
    """Many letters by template, each with the moment from which on it may go out."""
    new = [letter for letter, _ in letters]
    await tx.connection.execute(
        SQL.put_all,
        [letter.recipient for letter in new],
        [letter.recipient_name for letter in new],
        [letter.language for letter in new],
        [letter.template for letter in new],
        [dict(letter.data) for letter in new],
        [letter.ticket for letter in new],
        [letter.queue for letter in new],
        now,
        [due for _, due in letters],
        [due + GOOD_FOR for _, due in letters],
    )


async def take(log: ContactLog, *, domain: str, lease: timedelta, now: datetime) -> Outgoing | None:
    """The next letter that is due, for one attempt that ends within `lease`; None when there is none."""
    await log.pool.execute(SQL.drop_moot, now)
    row = await log.pool.fetchrow(SQL.take, domain, now + lease, now)
    return None if row is None else outgoing(row)


async def files(log: ContactLog, letter: Outgoing) -> Sequence[Enclosure]:
    """What goes with it."""
    return [Enclosure(*row) for row in await log.pool.fetch(ANSWERS.files, letter.id)]


async def sent(log: ContactLog, letter: Outgoing, *, now: datetime) -> None:
    """The mail server took it. Nothing happens when the lease was over and somebody else has it."""
    async with log.transaction() as tx:
        if await tx.connection.fetchval(SQL.sent, letter.id, letter.attempt, now):
            await _tell(tx, "message.sent", letter, LetterState.SENT, now=now)


async def put_off(log: ContactLog, letter: Outgoing, *, error: str, due: datetime, now: datetime) -> None:
    """It did not go out this time; it is given up when it would be due too late."""
    if due >= letter.expires_at:
        await give_up(log, letter, error=error, reason="expired", now=now)
    else:
        await log.pool.execute(SQL.put_off, letter.id, letter.attempt, error, due)


async def give_up(log: ContactLog, letter: Outgoing, *, error: str, reason: str, now: datetime) -> None:
    """`reason`: refused or expired. The server's words stay in the row, since they may name the recipient."""
    async with log.transaction() as tx:
        if await tx.connection.fetchval(SQL.give_up, letter.id, letter.attempt, error, now):
            await _tell(tx, "message.failed", letter, LetterState.FAILED, reason=reason, now=now)


async def _tell(
    tx: Transaction, kind: str, letter: Outgoing, state: LetterState, *, now: datetime, reason: str | None = None
) -> None:
    data = {"letter": letter.id, "state": state, "template": letter.template, "attempt": letter.attempt}
    await tx.append(
        kind,
        interaction=letter.interaction,
        ticket=letter.ticket,
        customer=letter.customer,
        queue=letter.queue,
        data=data if reason is None else {**data, "reason": reason},
        now=now,
    )
