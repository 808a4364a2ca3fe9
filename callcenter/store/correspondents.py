"""Whoever an answer on a ticket goes to: rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.domain.interaction import Channel
from callcenter.domain.mail import Nature
from callcenter.domain.thread import bare_address
from callcenter.errors import Invalid, NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondent:
    """`contact`: the interaction that is answered, in whose thread a letter stands; None: they have not written.

    `mailbox`: where answers to the letter go. `stranger`: the ticket's customer has no such address.
    """

    contact: int | None
    channel: Channel
    address: str
    name: str | None
    customer: int | None
    subject: str | None
    message_id: str | None
    refs: Sequence[str]
    nature: Nature
    wrote_at: datetime
    language: str | None
    mailbox: str | None
    stranger: bool


async def answered(
    connection: Connection | Pool, ticket: int, *, contact: int | None = None, by_mail_only: bool = False
) -> Correspondent | None:
    """Of `contact`, as far as somebody can be written to there; else by the ticket's rule. None: nobody can be."""
    row = await connection.fetchrow(SQL.answered, ticket, contact, None, by_mail_only)
    return None if row is None else _correspondent(row)


async def at_address(connection: Connection, ticket: int, address: str) -> Correspondent:
    """`address` as addresses are kept; in the thread of whoever wrote from there. Raises Invalid for one of our own."""
    row = await connection.fetchrow(SQL.answered, ticket, None, address, True)
    if row is None:
        row = await connection.fetchrow(SQL.elsewhere, ticket, address, [address, bare_address(address)])
        if row is None:
            raise NotFound(f"There is no ticket {ticket}.")
        if row["ours"]:
            raise Invalid("This is a mailbox of our own.", field="to")
    return _correspondent(row)


def _correspondent(row: asyncpg.Record) -> Correspondent:
    fields = {name: value for name, value in row.items() if name != "ours"}
    return Correspondent(**{**fields, "channel": Channel(row["channel"]), "nature": Nature(row["nature"])})
