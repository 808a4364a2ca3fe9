"""Letters on their way out: rows in, rows out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from callcenter.domain.outbox import Thread
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter that was taken for attempt number `attempt`: by `template` and `data`, or by `subject` and `text`.

    `message_id` is without its angle brackets.
    """

    id: int
    message_id: str
    recipient: str
    recipient_name: str | None
    language: str | None
    template: str | None
    data: Mapping[str, Any]
    subject: str | None
    text: str | None
    interaction: int | None
    ticket: int | None
    customer: int | None
    queue: int | None
    attempt: int
    expires_at: datetime
    thread: Thread


def outgoing(row: asyncpg.Record) -> Outgoing:
    fields: list[Any] = [*row]
    fields[-1] = Thread(**fields[-1])
    return Outgoing(*fields)
