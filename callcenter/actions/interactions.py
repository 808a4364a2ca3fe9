"""What can happen to an interaction, from its arrival to its end."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from callcenter.actions import tickets
from callcenter.domain.events import Event
from callcenter.domain.interaction import (
    TIME_BOX_DISPOSITION,
    Arrival,
    Outcome,
    Proposal,
    ReservationState,
    State,
    WrapUpMode,
)
from callcenter.domain.overflow import Treatment
from callcenter.errors import Conflict, Invalid
from callcenter.store.directory import Queue, lacks_phone
from callcenter.store.log import ContactLog

Events = tuple[Event, ...]
# A busy or unreachable phone is left alone for this long, doubled with each failure in a row, up to a minute.
BACKOFF = timedelta(seconds=5)
# How long a reserved agent may wait for the dial to go out; the offer sets the ring's own limit.
RESERVED_FOR = timedelta(seconds=10)
# Whoever gives up sooner than this was never really waiting (domain.md: short abandon).
SHORT_ABANDON = timedelta(seconds=5)


async def arrive(
    log: ContactLog,
    arrival: Arrival,
    *,
    queue: int | None,
    queued: bool,
    node: int | None,
    now: datetime,
    proposal: Proposal | None = None,
) -> Events:
    """Opens the interaction and, when `queued`, puts it into the queue. Empty when its external id is known already.

    With a `proposal` that agent is reserved in the same breath; when they have moved meanwhile it waits like any other.
    """
    facts = (
        arrival.channel,
        arrival.direction,
        arrival.external_id,
        arrival.pbx,
        arrival.leg,
        arrival.address_kind,
        arrival.address,
        arrival.address_name,
        arrival.called,
        arrival.subject,
        queue,
        arrival.priority,
        State.QUEUED if queued else State.NEW,
        node,
        now,
    )
    if proposal is None:
        return await log.write("arrive", *facts, arrival.asks)
    who = (proposal.agent, proposal.agent_version, proposal.reason, proposal.why, now + RESERVED_FOR)
    return await log.write("arrive", *facts, arrival.asks, *who, proposal.revision)


async def enqueue(log: ContactLog, interaction: int, *, queue: int, now: datetime) -> Events:
    return _moved(await log.write("enqueue", interaction, queue, now), "It has left already, or waits already.")


async def adopt(log: ContactLog, interaction: int, *, node: int, leg: str | None, now: datetime) -> Events:
    """A waiting call came back to this node; it keeps its place."""
    return _moved(await log.write("adopt", interaction, node, leg, now), "It no longer waits.")


async def move(
    log: ContactLog, interaction: int, *, queue: int | None, priority: int | None, actor: int, now: datetime
) -> Events:
    """Waiting work goes into another queue, or forward or back in line by `priority` (minutes); its time stays."""
    events = await log.write("move", interaction, queue, priority, actor, now, None, {})
    return _moved(events, "It is not waiting in a queue.")


async def overflow(log: ContactLog, interaction: int, *, queue: int, to: int, rule: str, now: datetime) -> Events:
    """Work that waits too long goes on in another queue. Empty when it waits in `queue` no longer."""
    why = {"reason": "overflow", "rule": rule}
    return await log.write("move", interaction, to, None, None, now, queue, why)


async def treat(
    log: ContactLog, interaction: int, *, queue: int, treatment: Treatment, rule: str, now: datetime
) -> Events:
    """Its channel is to treat it so. Empty when that was said already, or it waits in `queue` no longer."""
    return await log.write("give_treatment", interaction, queue, treatment, rule, now)


async def reserve(
    log: ContactLog,
    interaction: int,
    *,
    agent: int,
    agent_version: int | None,
    reason: str,
    decision: Mapping[str, Any] | None,
    due: datetime,
    now: datetime,
    actor: int | None = None,
) -> Events:
    """Empty when the interaction left, or the agent moved, in the meantime: the caller decides anew."""
    return await log.write("reserve", interaction, None, agent, agent_version, reason, decision, due, now, None, actor)


async def reserve_all(
    log: ContactLog, proposals: Mapping[int, Proposal], *, due: datetime, now: datetime, revision: int | None = None
) -> Events:
    """By interaction. What has left, or whose agent moved, in the meantime is missing from the events.

    All of them when another organisation is in force than the one of this `revision`, by which they were decided.
    """
    chosen = proposals.values()
    return await log.write(
        "reserve_all",
        list(proposals),
        [proposal.queue for proposal in chosen],
        [proposal.agent for proposal in chosen],
        [proposal.agent_version for proposal in chosen],
        [proposal.reason for proposal in chosen],
        [proposal.why for proposal in chosen],
        due,
        now,
        revision,
    )


async def assign(log: ContactLog, interaction: int, *, agent: int, by: str, actor: int, now: datetime) -> Events:
    """A person chooses who is asked: `actor`, whose name is `by`.

    Raises Conflict when it does not wait, or the agent cannot take it.
    """
    if await lacks_phone(log.pool, interaction, agent):
        raise Conflict("The agent has no phone to take a call with.")
    decision = {"reason": "assigned", "by": by}
    events = await reserve(
        log,
        interaction,
        agent=agent,
        agent_version=None,
        reason="assigned",
        decision=decision,
        due=now + RESERVED_FOR,
        now=now,
        actor=actor,
    )
    return _moved(
        events, "It is not waiting in a queue, or the agent has another offer, too much in hand for it, or takes none."
    )


async def offer(log: ContactLog, reservation: int, *, due: datetime, now: datetime) -> Events:
    """Empty when the reservation ended in the meantime."""
    return await log.write("offer", reservation, due, now)


async def show_offer(log: ContactLog, reservation: int, *, now: datetime) -> Events:
    """Its card has gone out to the agent's desk. Empty when that was told before, or it ended in the meantime."""
    return await log.write("show_offer", reservation, now)


async def answer(log: ContactLog, reservation: int, *, now: datetime, leg: str | None = None) -> Events:
    return _moved(await log.write("answer", reservation, leg, now), "This offer is no longer open.")


async def return_to_queue(
    log: ContactLog, reservation: int, *, state: ReservationState, reason: str, now: datetime
) -> Events:
    """The offer came to nothing: who declined or let it ring is not responding, a failing phone is left out a while.

    Empty when the reservation had ended already.
    """
    missed = state in (ReservationState.REJECTED, ReservationState.TIMED_OUT)
    backoff = BACKOFF if state is ReservationState.FAILED else None
    return await log.write("return_to_queue", reservation, state, reason, missed, backoff, now)


async def leave_unserved(
    log: ContactLog, interaction: int, *, outcome: Outcome, cause: str, node: int | None, now: datetime
) -> Events:
    """Empty when it was answered or closed already, or another node holds it."""
    return await log.write("leave_unserved", interaction, outcome, cause, node, now)


async def take_out(log: ContactLog, interaction: int, *, reason: str | None, actor: int, now: datetime) -> Events:
    """A supervisor removes waiting work from its queue; an offer of it is cancelled. The reason becomes its note."""
    return _moved(await log.write("take_out", interaction, reason, actor, now), "It is not waiting in a queue.")


def abandon_outcome(queued_at: datetime | None, now: datetime) -> Outcome:
    """Abandoned, or too soon to count as such."""
    return Outcome.SHORT_ABANDONED if queued_at is not None and now - queued_at < SHORT_ABANDON else Outcome.ABANDONED


async def end_interaction(
    log: ContactLog,
    interaction: int,
    *,
    cause: str,
    now: datetime,
    outcome: Outcome = Outcome.HANDLED,
    node: int | None = None,
) -> Events:
    """The customer is gone after a conversation. Empty when it was not active, or another node holds it."""
    return await log.write("end_interaction", interaction, cause, outcome, node, now)


async def release(log: ContactLog, reservation: int, *, cause: str, now: datetime) -> Events:
    """One agent left; the conversation goes on without them."""
    return await log.write("release", reservation, cause, now)


async def transfer(
    log: ContactLog,
    interaction: int,
    *,
    agent: int | None,
    endpoint: str,
    leg: str | None,
    kind: str,
    now: datetime,
) -> Events:
    """A new leg took the customer over; a known agent who has room for it gets pop and wrap-up as with an offer."""
    return await log.write("transfer", interaction, agent, endpoint, leg, kind, now)


async def hold(log: ContactLog, interaction: int, *, held: bool, now: datetime) -> Events:
    return await log.write("hold", interaction, held, now)


async def wrap_up(
    log: ContactLog,
    reservation: int,
    *,
    queue: Queue | None,
    disposition: str | None,
    note: str | None,
    now: datetime,
    released_at: datetime | None = None,
) -> Events:
    """The agent's word on it. Raises Invalid without a disposition the queue asks for, Conflict before a fixed time."""
    if queue is not None:
        if disposition is None and queue.dispositions and queue.wrap_up_mode is not WrapUpMode.OPTIONAL:
            raise Invalid("Choose what came of it.", field="disposition")
        if disposition is not None and queue.dispositions and disposition not in queue.dispositions:
            raise Invalid(f"{disposition!r} is not among {', '.join(queue.dispositions)}.", field="disposition")
        fixed = queue.wrap_up_mode is WrapUpMode.TIME_BOXED_FIXED
        if fixed and queue.wrap_up_limit and released_at and now < released_at + queue.wrap_up_limit:
            raise Conflict("This queue's wrap-up lasts until its time is over.")
    events = await log.write("wrap_up", reservation, disposition, note, "agent", now)
    return _moved(events, "There is nothing to wrap up.")


async def close_time_box(log: ContactLog, reservation: int, *, note: str | None, now: datetime) -> Events:
    """The wrap-up's time is over; what the agent had typed is kept."""
    return await log.write("wrap_up", reservation, TIME_BOX_DISPOSITION, note, "time", now)


async def identify(log: ContactLog, interaction: int, *, customer: int | None, actor: int, now: datetime) -> Events:
    """A person says who this is: the address is remembered for the next time, and the ticket knows its customer.

    Raises Invalid for nobody's id.
    """
    try:
        async with log.transaction() as tx:
            _moved(tuple(await tx.verb("identify", interaction, customer, actor, now)), "There is no such interaction.")
            ticket = tx.events[-1].ticket
            if ticket is not None and customer is not None:
                await tickets.join(tx, ticket, customer=customer, actor=actor, now=now)
    except asyncpg.ForeignKeyViolationError:
        raise Invalid(f"There is no customer {customer}.", field="customer") from None
    return tuple(tx.events)


def _moved(events: Events, otherwise: str) -> Events:
    if not events:
        raise Conflict(otherwise)
    return events
