"""Letters of ours that came back: which one a report is about, and what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from callcenter.domain.mail import Bounce, Mail
from callcenter.domain.thread import number_of
from callcenter.store.log import Transaction
from callcenter.store.mail_in import SQL

# Mail servers go on trying for as long (RFC 5321, 4.5.4.1).
_WITHIN = timedelta(days=6)
_LOOKED_AT = 20_000  # characters of a report, for the token


@dataclass(frozen=True, slots=True)
class Back:
    """A letter of the outbox. `named`: the report has its id or its ticket's token, as only who got it can."""

    letter: asyncpg.Record
    named: bool


async def back(tx: Transaction, key: bytes, mail: Mail, recipients: tuple[str, ...], *, now: datetime) -> Back | None:
    """What of ours a bounce is about; of one that names no letter, the latest one to its recipient."""
    bounce = mail.bounce
    if bounce is None:
        return None
    if bounce.message_ids:
        found = await tx.connection.fetchrow(SQL.bounced_letter, list(bounce.message_ids))
        if found is not None:
            return Back(found, named=True)
    if not bounce.recipients:
        return None
    found = await tx.connection.fetchrow(SQL.letter_to, list(bounce.recipients), now - _WITHIN)
    if found is None:
        return None
    number = number_of(key, recipients=recipients, subject=f"{mail.subject}\n{mail.text[:_LOOKED_AT]}")
    named = number is not None and await tx.connection.fetchval(SQL.ticket_of_number, number) == found["ticket_id"]
    return Back(found, named=named)


async def note(tx: Transaction, came: Back, bounce: Bounce, *, now: datetime) -> None:
    """The words of the mail server stay in the rows, since they may name people."""
    letter = came.letter
    if not bounce.permanent:
        return
    # Only the one to whom we wrote: a report may name anybody, and one that names no letter may come from anybody, also
    # before the true one.
    if came.named:
        await tx.connection.execute(SQL.mark_address, [letter["recipient"].lower()], now, bounce.words)
    if not await tx.connection.fetchval(SQL.mark_bounced, letter["id"], now, bounce.words):
        return
    data: Mapping[str, Any] = {
        "letter": letter["id"], "state": "sent", "template": letter["template"], "attempt": letter["attempts"],
        "reason": "bounced",
    }  # fmt: skip
    await tx.append(
        "message.failed",
        interaction=letter["interaction_id"],
        ticket=letter["ticket_id"],
        customer=letter["customer_id"],
        queue=letter["queue_id"],
        data=data,
        now=now,
    )
