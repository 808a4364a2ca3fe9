"""Writing to the contact log: one verb or one transaction at a time, and telling this process what was committed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import asyncpg

from callcenter.domain.events import Event
from callcenter.store.pool import Pool

Listener = Callable[[Sequence[Event]], None]
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

# xid8 has no binary codec in asyncpg; as bigint it keeps its order for the next 292,000 years of 1,000,000 tx/s.
COLUMNS = (
    "seq, xid::text::bigint as xid, epoch, at, kind, interaction_id, customer_id, agent_id, queue_id, ticket_id, "
    "actor_id, version, data"
)
_WIDTH = COLUMNS.count(",") + 1
_APPEND = f"""
insert into contact_log
    (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version, data)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning {COLUMNS}
"""  # noqa: S608
# The same for each place of ten arrays, in their order.
_APPEND_ALL = f"""
with given as (
    select * from unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::integer[], $10::jsonb[]) with ordinality
        as g (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version, data, place)
)
insert into contact_log (kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version, data)
select kind, at, interaction_id, customer_id, agent_id, queue_id, ticket_id, actor_id, version, data
from given order by place
returning {COLUMNS}
"""  # noqa: S608
_CALLS: dict[tuple[str, int], str] = {}


def event_of(row: asyncpg.Record) -> Event:
    """A row selected with COLUMNS (and perhaps more behind them)."""
    return Event(*row[:_WIDTH])


def verb_call(verb: str, arguments: int) -> str:
    """The statement that runs a verb of functions/*.sql."""
    key = verb, arguments
    if key not in _CALLS:
        places = ", ".join(f"${n}" for n in range(1, arguments + 1))
        _CALLS[key] = f"select {COLUMNS} from {verb}({places})"  # noqa: S608
    return _CALLS[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the log that is to be appended."""

    kind: str
    at: datetime
    interaction: int | None = None
    customer: int | None = None
    agent: int | None = None
    queue: int | None = None
    ticket: int | None = None
    actor: int | None = None
    version: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> tuple[object, ...]:
        return (
            self.kind, self.at, self.interaction, self.customer, self.agent, self.queue, self.ticket, self.actor,
            self.version, dict(self.data),
        )  # fmt: skip


class Transaction:
    """A cold action of several statements. Lock first, in the order of the methods below, then write, then append."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.events: list[Event] = []
        # Tickets that are promised something else from then on, of which the log need not say anything.
        self.promised: dict[int, datetime] = {}
        self._rule: str | None = None

    @contextmanager
    def by_rule(self, name: str) -> Iterator[None]:
        """What is appended within says that a rule did it: `rule` of its data."""
        before, self._rule = self._rule, name
        try:
            yield
        finally:
            self._rule = before

    def said(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """What the log says, with the rule that did it."""
        return dict(data) if self._rule is None else {**data, "rule": self._rule}

    def _said(self, entry: Entry) -> Entry:
        return entry if self._rule is None else replace(entry, data=self.said(entry.data))

    @asynccontextmanager
    async def transaction(self) -> "AsyncIterator[Transaction]":
        """Itself, so that an action may be a part of another one; its locks come after those that are held already."""
        yield self

    async def lock_interaction(self, ident: int) -> None:
        if any(event.interaction == ident and event.kind == "interaction.arrived" for event in self.events):
            return  # it is this transaction's own, which nobody else can see yet
        await self.connection.execute("select lock_interaction($1)", ident)

    async def lock_agent(self, ident: int) -> None:
        await self.connection.execute("select lock_agent($1)", ident)

    async def lock_ticket(self, ident: int) -> None:
        await self.connection.execute("select lock_ticket($1)", ident)

    async def lock_customer(self, ident: int) -> None:
        await self.connection.execute("select lock_customer($1)", ident)

    async def verb(self, name: str, *args: object) -> list[Event]:
        """Runs a verb of functions/*.sql inside this transaction."""
        rows = await self.connection.fetch(verb_call(name, len(args)), *args)
        events = [event_of(row) for row in rows]
        self.events += events
        return events

    async def run(self, query: str, *args: object) -> list[tuple[Event, tuple[Any, ...]]]:
        """A query that answers rows of the log it wrote: each with what stands behind COLUMNS."""
        found = [(event_of(row), tuple(row[_WIDTH:])) for row in await self.connection.fetch(query, *args)]
        self.events += [event for event, _ in found]
        return found

    def arrival(self, interaction: int) -> Event | None:
        """Of an interaction that came within this transaction, to which nothing else has happened yet."""
        own = [event for event in self.events if event.interaction == interaction]
        if own and all(event.kind in ("interaction.arrived", "interaction.queued") for event in own):
            return own[0]
        return None

    async def append(
        self,
        kind: str,
        *,
        now: datetime,
        interaction: int | None = None,
        customer: int | None = None,
        agent: int | None = None,
        queue: int | None = None,
        ticket: int | None = None,
        actor: int | None = None,
        version: int | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Event:
        entry = Entry(
            kind=kind,
            at=now,
            interaction=interaction,
            customer=customer,
            agent=agent,
            queue=queue,
            ticket=ticket,
            actor=actor,
            version=version,
            data=data or {},
        )
        row = await self.connection.fetchrow(_APPEND, *self._said(entry).row())
        assert row is not None
        event = event_of(row)
        self.events.append(event)
        return event

    async def append_all(self, entries: Sequence[Entry]) -> list[Event]:
        """Many rows in one round trip, in their order."""
        if not entries:
            return []
        columns = zip(*[self._said(entry).row() for entry in entries], strict=True)
        rows = await self.connection.fetch(_APPEND_ALL, *map(list, columns))
        events = [event_of(row) for row in rows]
        self.events += events
        return events


class ContactLog:
    """The only door through which facts enter the database."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._listeners: list[Listener] = []
        # What a transaction sets going, within it: the organisation's rules (callcenter.actions.reactions).
        self.before_commit: Callable[[Transaction], Awaitable[None]] | None = None

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Events of this process, right after their commit, in no order between actions.

        For the router, the call's task and the pop; all others read the ordered log (callcenter.feed).
        """
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    async def write(self, verb: str, *args: object) -> tuple[Event, ...]:
        """Runs one verb: one round trip, one transaction. Nothing written means that the move was not possible."""
        rows = await self.pool.fetch(verb_call(verb, len(args)), *args)
        events = tuple([event_of(row) for row in rows])
        self.publish(events)
        return events

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self.pool.acquire() as connection, connection.transaction():
            moves = Transaction(connection)
            yield moves
            if self.before_commit is not None and (moves.events or moves.promised):
                await self.before_commit(moves)
        self.publish(moves.events)

    def publish(self, events: Sequence[Event]) -> None:
        if events:
            for listener in tuple(self._listeners):
                listener(events)
