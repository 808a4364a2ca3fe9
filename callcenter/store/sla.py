"""Promises and what clocks are worked out from: rows in, rows out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import asyncpg
import orjson

from callcenter.domain.business import Calendar
from callcenter.domain.contract import Cover
from callcenter.domain.duration import parse_duration
from callcenter.domain.hours import Hours
from callcenter.domain.sla import Action, Clock, ClockName, ClockState, Facts, Level, Moment, Pause, Policy
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.store.tickets import Ticket

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class Promises:
    """The policies in force, in order; `revision` counts their changes."""

    revision: int
    policies: tuple[Policy, ...]


@dataclass(slots=True)
class Record:
    """All that is kept of one ticket. `known` False: from before there were promises.

    `fired`: levels that were carried out, as (clock, round, at). `case`: what policies choose by, besides the ticket.
    """

    ticket: int
    known: bool
    revision: int
    next_at: datetime | None
    facts: Facts
    pauses: list[Pause]
    fired: set[tuple[str, int, str]]
    clocks: dict[ClockName, Clock]
    case: Mapping[str, str | None]
    covers: Sequence[Cover] = ()  # the customer's contracts
    contract: int | None = None  # whose case it is
    policy: str | None = None
    levels: Sequence[Moment] = ()  # those to come, the earliest first
    # What must be written besides the facts.
    new_pauses: list[Pause] = field(default_factory=list)
    new_levels: list[tuple[str, int, str, datetime, datetime]] = field(default_factory=list)
    changed_clocks: set[ClockName] = field(default_factory=set)
    case_of: int | None = None  # the contract as whose case it is to be counted


async def promises(connection: Connection) -> Promises:
    row = await connection.fetchrow(SQL.promises)
    assert row is not None
    return Promises(row["revision"], _policies(row["policies"]))


@lru_cache(maxsize=8)
def _policies(text: str) -> tuple[Policy, ...]:
    # Kept with their calendars, of which the first deadline of a year costs some milliseconds.
    return tuple(_policy(kept) for kept in orjson.loads(text))


def _policy(kept: Mapping[str, Any]) -> Policy:
    levels, numbers = [], dict.fromkeys(ClockName, 0)
    for level in kept["escalations"]:
        clock = ClockName(level["clock"])
        numbers[clock] += 1
        actions = tuple(Action.read(action) for action in level["actions"])
        levels.append(Level(clock, numbers[clock], level["at"], actions, level.get("when", {})))
    return Policy(
        name=kept["name"],
        when=kept["when"],
        calendar=Calendar(_hours(kept["hours"]) if kept["hours"] else None),
        targets={ClockName(clock): parse_duration(target) for clock, target in kept["targets"].items()},
        pauses=frozenset(kept["pauses"]),
        levels=tuple(levels),
    )


def _hours(kept: Mapping[str, Any]) -> Hours:
    return Hours.parse(
        timezone=kept["timezone"],
        weekly=kept["weekly"],
        holidays=kept["holidays"],
        closed=map(date.fromisoformat, kept["closed"]),
        opened=kept["open"],
    )


async def load(connection: Connection, tickets: Sequence[int]) -> dict[int, Record]:
    rows = await connection.fetch(SQL.of_tickets, tickets)
    found = {row["ticket_id"]: _record(row) for row in rows}
    for row in await connection.fetch(SQL.clocks, tickets):
        clock = clock_of(row)
        found[row["ticket_id"]].clocks[clock.clock] = clock
    return found


async def begin(connection: Connection, ticket: Ticket, channel: str | None) -> tuple[Promises, Record]:
    """Of a ticket that was just opened, from an interaction of this channel."""
    row = await connection.fetchrow(SQL.beginning, ticket.customer, ticket.queue)
    assert row is not None
    owned_at = None if ticket.owner is None else ticket.created_at
    record = Record(
        ticket=ticket.id,
        known=False,
        revision=0,
        next_at=None,
        facts=Facts(ticket.created_at, owned_at=owned_at),
        pauses=[],
        fired=set(),
        clocks={},
        case={
            "tier": row["tier"], "stage": row["stage"], "queue": row["queue"], "channel": channel,
            "priority": ticket.priority, "category": ticket.category,
        },
        covers=_covers(row["covers"]) if row["covers"] else (),
    )  # fmt: skip
    return Promises(row["revision"], _policies(row["policies"])), record


def _record(row: asyncpg.Record) -> Record:
    return Record(
        ticket=row["ticket_id"],
        known=row["known"],
        revision=row["revision"],
        next_at=row["next_at"],
        facts=Facts(
            created_at=row["created_at"],
            owned_at=row["owned_at"],
            answered_at=row["answered_at"],
            asked_at=row["asked_at"],
            replied_at=row["replied_at"],
            over_at=row["over_at"],
            round=row["round"],
        ),
        pauses=[Pause(*each) for each in zip(row["begins"], row["ends"], row["reasons"], strict=True)],
        fired=set(zip(row["clocks"], row["rounds"], row["ats"], strict=True)),
        clocks={},
        case={key: row[key] for key in ("tier", "stage", "queue", "channel", "priority", "category")},
        covers=_covers(row["covers"]) if row["covers"] else (),
        contract=row["contract_id"],
    )


@lru_cache(maxsize=1024)
def _covers(text: str) -> tuple[Cover, ...]:
    # Kept for their calendars, as those of the policies are.
    return tuple(_cover(kept) for kept in orjson.loads(text))


def _cover(kept: Mapping[str, Any]) -> Cover:
    targets = kept["targets"]
    return Cover(
        id=kept["id"],
        kind=kept["kind"],
        starts_at=datetime.fromisoformat(kept["starts_at"]),
        ends_at=None if kept["ends_at"] is None else datetime.fromisoformat(kept["ends_at"]),
        queues=tuple(kept["queues"]),
        categories=tuple(kept["categories"]),
        targets=targets and {ClockName(clock): parse_duration(target) for clock, target in targets.items()},
        calendar=_contract_calendar(orjson.dumps(kept["hours"])) if kept["hours"] else None,
    )


@lru_cache(maxsize=64)
def _contract_calendar(text: bytes) -> Calendar:
    return Calendar(_hours(orjson.loads(text)))


def clock_of(row: asyncpg.Record) -> Clock:
    return Clock(
        clock=ClockName(row["clock"]),
        round=row["round"],
        state=ClockState(row["state"]),
        target=row["target"],
        started_at=row["started_at"],
        due_at=row["due_at"],
        risk_at=row["risk_at"],
        remaining=row["remaining"],
        met_at=row["met_at"],
        ended_at=row["ended_at"],
        breached_at=row["breached_at"],
        difference=row["difference"],
    )


async def save(connection: Connection, records: Iterable[Record], *, revision: int) -> None:
    """Writes what changed, of all of them in a few round trips. Their tickets are locked."""
    records = list(records)
    facts = [each.facts for each in records]
    await connection.execute(
        SQL.put_facts,
        [each.ticket for each in records],
        [each.policy for each in records],
        revision,
        [each.owned_at for each in facts],
        [each.answered_at for each in facts],
        [each.asked_at for each in facts],
        [each.replied_at for each in facts],
        [each.over_at for each in facts],
        [each.round for each in facts],
        [each.next_at for each in records],
        [_owed_at(each) for each in records],
    )
    cases = [(each.ticket, each.case_of) for each in records if each.case_of is not None]
    if cases:
        await connection.executemany(SQL.count_case, cases)
    clocks = [(each.ticket, each.clocks[name]) for each in records for name in each.changed_clocks]
    if clocks:
        rows = [_clock_row(ticket, clock) for ticket, clock in clocks]
        await connection.execute(SQL.put_clocks, *map(list, zip(*rows, strict=True)))
    pauses = [(each.ticket, pause.begin, pause.end, pause.reason) for each in records for pause in each.new_pauses]
    if pauses:
        await connection.executemany(SQL.put_pause, pauses)
    levels = [(each.ticket, *level) for each in records for level in each.new_levels]
    if levels:
        await connection.execute(SQL.put_escalations, *map(list, zip(*levels, strict=True)))


def _owed_at(record: Record) -> datetime | None:
    dues = (clock.due_at for clock in record.clocks.values() if clock.ended_at is None)
    return min((due for due in dues if due is not None), default=None)


def _clock_row(ticket: int, clock: Clock) -> tuple[object, ...]:
    return (
        ticket, clock.clock, clock.round, clock.state, clock.target, clock.started_at, clock.due_at, clock.risk_at,
        clock.remaining, clock.met_at, clock.ended_at, clock.breached_at, clock.difference,
    )  # fmt: skip


async def clocks_of(pool: Pool, tickets: Sequence[int]) -> dict[int, list[Clock]]:
    """By ticket, in the order of the clocks; only tickets that have some."""
    found: dict[int, list[Clock]] = {}
    for row in await pool.fetch(SQL.clocks, tickets):
        found.setdefault(row["ticket_id"], []).append(clock_of(row))
    order = tuple(ClockName)
    for clocks in found.values():
        clocks.sort(key=lambda clock: order.index(clock.clock))
    return found
