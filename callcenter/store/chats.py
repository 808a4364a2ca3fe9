"""Chats, their lines and the widgets they come from: rows in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.domain.chat import Identity, Line, token_hash
from callcenter.domain.interaction import Outcome, State
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Widget:
    """`greeting` by language; `ask`: name, email, both or neither before the first line; `callback`: to offer calls."""

    id: int
    key: str
    queue: int
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    greeting: Mapping[str, str]
    ask: tuple[str, ...]
    form: str | None
    callback: bool
    secret: str | None


@dataclass(frozen=True, slots=True)
class Chat:
    """With what its interaction says of it. `last`: the number of its last line; each side has read up to one."""

    interaction: int
    widget: int
    identity: Identity
    language: str
    page: str | None
    page_title: str | None
    last: int
    visitor_read: int
    agent_read: int
    gone_at: datetime | None
    state: State
    outcome: Outcome | None
    queue: int | None
    agent: int | None
    customer: int | None
    ticket: int | None
    name: str | None
    queued_at: datetime | None
    ended_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether the visitor may say more."""
        return self.state in (State.NEW, State.QUEUED, State.OFFERED, State.ACTIVE)


async def widget(connection: Connection | Pool, key: str) -> Widget:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.widget, key)
    if row is None:
        raise NotFound("There is no widget with this key.")
    ident, key, queue, sites, languages, greeting, ask, form, callback, secret = row
    return Widget(ident, key, queue, tuple(sites), tuple(languages), greeting, tuple(ask), form, callback, secret)


async def get(connection: Connection | Pool, interaction: int) -> Chat:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.by_id, interaction)
    if row is None:
        raise NotFound("There is no such chat.")
    return _chat(row)


async def get_all(connection: Connection | Pool, interactions: Sequence[int]) -> list[Chat]:
    return [_chat(row) for row in await connection.fetch(SQL.by_ids, interactions)]


async def of_token(connection: Connection | Pool, token: str) -> Chat | None:
    row = await connection.fetchrow(SQL.by_token, token_hash(token))
    return None if row is None else _chat(row)


async def lines(
    connection: Connection | Pool, interaction: int, *, after: int = 0, limit: int = 500
) -> tuple[Line, ...]:
    """In their order."""
    return tuple(Line(*row) for row in await connection.fetch(SQL.lines, interaction, after, limit))


async def line(connection: Connection | Pool, interaction: int, *, by_visitor: bool, client_id: str) -> Line | None:
    row = await connection.fetchrow(SQL.line, interaction, by_visitor, client_id)
    return None if row is None else Line(*row)


def _chat(row: asyncpg.Record) -> Chat:
    return Chat(
        interaction=row["interaction_id"],
        widget=row["widget_id"],
        identity=Identity(row["identity"]),
        language=row["language"],
        page=row["page"],
        page_title=row["page_title"],
        last=row["last"],
        visitor_read=row["visitor_read"],
        agent_read=row["agent_read"],
        gone_at=row["gone_at"],
        state=State(row["state"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        queue=row["queue_id"],
        agent=row["agent_id"],
        customer=row["customer_id"],
        ticket=row["ticket_id"],
        name=row["address_name"],
        queued_at=row["queued_at"],
        ended_at=row["ended_at"],
    )
