"""Calls of PBXs that are not ours: told in any order and twice, each is one interaction, popped where it rings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.actions import interactions
from callcenter.domain.interaction import TIME_BOX_DISPOSITION, Outcome, ReservationState, State
from callcenter.domain.phone import NumberKind, PhoneNumber, parse_number
from callcenter.ports import Pops
from callcenter.store.cti import SQL
from callcenter.store.directory import Directory, Queue, User
from callcenter.store.log import ContactLog

# What a PBX says of a call that nobody took, where the callers did not give up themselves.
_MISSED = frozenset(["noanswer", "busy", "congestion", "notfound", "userbusy", "nouserresponding"])
_FORWARDED = "forwarded"
# Two that are told at once may each have moved it first.
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one message says of a call; texts are empty where it says nothing. `users`: whom it rings, or who calls."""

    call: str
    direction: str
    caller: str = ""
    called: str = ""
    users: tuple[str, ...] = ()
    answering: str = ""
    cause: str = ""
    queue: str = ""
    diversion: str = ""


async def ring(log: ContactLog, directory: Directory, pops: Pops, told: Told, *, source: int, now: datetime) -> int:
    """A call has begun: popped at whom it rings, or who places it; one that rings several, when it is answered."""
    row = await _interaction(log, directory, told, source=source, now=now)
    agents = list(_agents(directory, told))
    if len(agents) == 1 and row["state"] == State.NEW:
        await _hand(log, row["id"], agents[0], told, now=now)
    return int(row["id"])


async def answer(log: ContactLog, directory: Directory, pops: Pops, told: Told, *, source: int, now: datetime) -> int:
    """Somebody has picked up: an agent of ours, or somebody whom we do not know."""
    ident = 0
    for _ in range(_TRIES):
        row = await _interaction(log, directory, told, source=source, now=now)
        ident = row["id"]
        if row["state"] not in (State.NEW, State.OFFERED):
            break
        agent = next(_agents(directory, told), None)
        if row["reservation"] is not None and agent is not None and row["holder"] != agent.id:
            await interactions.return_to_queue(
                log, row["reservation"], state=ReservationState.CANCELLED, reason="answered_elsewhere", now=now
            )
            row = await _interaction(log, directory, told, source=source, now=now)
        reservation = row["reservation"]
        if reservation is None and agent is not None:
            reservation = await _hand(log, ident, agent, told, now=now)
            if reservation is not None:
                await pops.written(reservation, agent.id)  # a conversation is not popped any more
        if reservation is None:
            who = None if agent is None else agent.id
            moved = await log.write("connect_call", ident, who, told.answering or None, now)
        else:
            moved = await log.write("answer", reservation, None, now)
        if moved:
            break
    return int(ident)


async def hang_up(log: ContactLog, directory: Directory, pops: Pops, told: Told, *, source: int, now: datetime) -> int:
    """It is over: a conversation is wrapped up, one that nobody took was missed, or the caller gave up."""
    row = await _interaction(log, directory, told, source=source, now=now)
    ident, cause = row["id"], told.cause or "normalClearing"
    if row["state"] == State.ACTIVE:
        await interactions.end_interaction(log, ident, cause=cause, now=now)
    elif row["state"] in (State.NEW, State.OFFERED):
        outcome = _outcome(told, row["arrived_at"], now)
        await interactions.leave_unserved(log, ident, outcome=outcome, cause=cause, node=None, now=now)
    return int(ident)


def _outcome(told: Told, began: datetime, now: datetime) -> Outcome:
    cause = told.cause.lower()
    if told.direction == "outbound":
        return Outcome.FAILED
    if cause == _FORWARDED:
        return Outcome.FLOW_OUT
    return Outcome.MISSED if cause in _MISSED else interactions.abandon_outcome(began, now)


async def _interaction(
    log: ContactLog, directory: Directory, told: Told, *, source: int, now: datetime
) -> asyncpg.Record:
    """The one of this call, opened by whatever is told first; what that left out is added."""
    key = f"cti:{source}/{told.call}"
    number = _number(told.caller if told.direction == "inbound" else told.called, directory.organisation.region)
    kind = "phone" if number.identifies else None
    queue = _queue(directory, told)
    # Of a call that goes out the number that is called is the customer's own.
    dialled = told.called or None if told.direction == "inbound" else None
    facts = "phone", told.direction, key, None, None, kind, number.value or None, None, dialled, None
    await log.write("arrive", *facts, None if queue is None else queue.id, 0, State.NEW, None, now)
    row = await log.pool.fetchrow(SQL.known, key)
    assert row is not None
    if row["address"] is None and number.value:
        await log.write("complete_call", row["id"], kind, number.value, dialled, now)
    return row


def _number(raw: str, region: str) -> PhoneNumber:
    """Many PBXs send all numbers in full and without a plus."""
    found = parse_number(raw, region)
    if found.kind is NumberKind.MALFORMED and raw.isdecimal():
        full = parse_number(f"+{raw}", region)
        return full if full.identifies else found
    return found


def _queue(directory: Directory, told: Told) -> Queue | None:
    """For its figures alone: nothing waits there."""
    region = directory.organisation.region
    for called in (told.called, told.diversion):
        value = _number(called, region).value
        for queue in directory.queues.values():
            named = told.queue and queue.name == told.queue
            if queue.active and (named or (value and value in [_number(each, region).value for each in queue.numbers])):
                return queue
    return None


def _agents(directory: Directory, told: Told) -> Iterator[User]:
    """By the number of their phone, or by name; whoever answers before those whom it rings. Each once."""
    ringing = told.called if told.direction == "inbound" else told.caller
    found: set[int] = set()
    for names in ([told.answering], told.users, [ringing]):
        wanted = {name.casefold() for name in names if name} | {_digits(name) for name in names} - {""}
        for user in directory.users.values():
            numbers = {_digits((user.endpoint or "").partition("/")[2]), _digits(user.phone or "")}
            if (
                user.active
                and user.id not in found
                and wanted & {user.name.casefold(), user.full_name.casefold(), *numbers}
            ):
                found.add(user.id)
                yield user


def _digits(text: str) -> str:
    """1001 of 1001, +1001 and 1001@pbx; empty where it is no number."""
    bare = text.partition("@")[0].lstrip("+")
    return bare if bare.isdecimal() else ""


async def _hand(log: ContactLog, interaction: int, agent: User, told: Told, *, now: datetime) -> int | None:
    """The agent's reservation. None where they have no desk open to pop at, or no room.

    Who takes the next call has finished with the one before, as far as their PBX is concerned.
    """
    for row in await log.pool.fetch(SQL.unfinished, agent.id):
        await log.write("wrap_up", row["id"], TIME_BOX_DISPOSITION, None, "time", now)
    if not await log.pool.fetchval(SQL.has_desk, agent.id):
        return None
    reason = "outbound" if told.direction == "outbound" else "pbx"
    events = await log.write("give_to_agent", interaction, agent.id, reason, now)
    if not events:
        return None
    reservation = int(events[0].data["reservation"])
    await log.write("offer", reservation, None, now)
    return reservation
