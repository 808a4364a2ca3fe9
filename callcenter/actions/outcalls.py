"""Calls that a PBX places for us: the agent's phone first, then the customer's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.actions import callbacks, interactions
from callcenter.domain.callback import number_to_call
from callcenter.domain.interaction import Outcome, ReservationState, State
from callcenter.errors import Conflict, Invalid
from callcenter.ports import Letters
from callcenter.store.callbacks import SQL
from callcenter.store.directory import Directory, User
from callcenter.store.log import ContactLog

# The offer outlives the ring by so much: who rings the phone tells its end first.
_GRACE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Outcall:
    """Legs are Uniqueids; the customer's is there once they have answered."""

    id: int
    interaction: int
    reservation: int
    pbx: str
    agent_leg: str
    customer_leg: str | None
    answered_at: datetime | None
    ended_at: datetime | None
    state: State
    number: str
    queue: int | None
    queued_at: datetime | None
    agent: int


async def begin(
    log: ContactLog,
    directory: Directory,
    interaction: int,
    *,
    reservation: int,
    pbx: str,
    leg: str,
    ring: timedelta,
    now: datetime,
) -> int:
    """The call's id. Raises Conflict when it is placed already, may not be placed now, or is no longer offered."""
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        row = await tx.connection.fetchrow(SQL.to_call, interaction)
        if row is None or row["state"] != State.OFFERED:
            raise Conflict("This offer is no longer open.")
        await tx.connection.execute(SQL.close_ended, now)
        queue = directory.queues.get(row["queue_id"] or 0)
        if queue is not None and queue.hours is not None and not queue.hours.is_open(now):
            raise Conflict("Nobody is called outside the opening hours.")
        if await tx.connection.fetchval(SQL.is_forbidden, row["address"]):
            raise Conflict("Whoever has this number does not want to be called.")
        ident = await tx.connection.fetchval(SQL.begin, interaction, reservation, pbx, leg, now)
        if ident is None:
            raise Conflict("This is being called already.")
        if not await tx.verb("offer", reservation, now + ring + _GRACE, now):
            raise Conflict("This offer is no longer open.")
        await tx.connection.execute(SQL.set_pbx, interaction, pbx)
    return int(ident)


async def place(
    log: ContactLog, directory: Directory, agent: User, *, to: str, queue: int | None, actor: int, now: datetime
) -> tuple[int, int]:
    """A call that an agent places: the interaction, and the reservation that they have of it.

    Raises Invalid for a number that is not called, Conflict when the agent has something else in hand.
    """
    number = number_to_call(to, region=directory.organisation.region, rules=directory.callback_rules)
    if agent.endpoint is None:
        raise Conflict(f"{agent.full_name} has no phone to call with.")
    async with log.transaction() as tx:
        if await tx.connection.fetchval(SQL.is_forbidden, number):
            raise Invalid("Whoever has this number does not want to be called.", field="to")
        facts = "phone", "outbound", None, None, None, "phone", number, None, None, None, queue, 0, State.NEW, None, now
        events = await tx.verb("arrive", *facts)
        ident = events[0].interaction
        assert ident is not None
        handed = await tx.verb("give_to_agent", ident, agent.id, "outbound", now)
        if not handed:
            raise Conflict(f"{agent.full_name} has something else in hand.")
    return ident, int(handed[0].data["reservation"])


async def queue_of(log: ContactLog, interaction: int) -> int:
    """0: it has none."""
    row = await log.pool.fetchrow(SQL.to_call, interaction)
    return 0 if row is None else row["queue_id"] or 0


async def get(log: ContactLog, ident: int) -> Outcall | None:
    """None when there is none of this id."""
    row = await log.pool.fetchrow(SQL.outcall, ident)
    if row is None:
        return None
    return Outcall(
        row["id"],
        row["interaction_id"],
        row["reservation_id"],
        row["pbx"],
        row["agent_leg"],
        row["customer_leg"],
        row["answered_at"],
        row["ended_at"],
        State(row["state"]),
        row["address"],
        row["queue_id"],
        row["queued_at"],
        row["agent_id"],
    )


async def unanswered(log: ContactLog, call: Outcall, *, state: ReservationState, reason: str, now: datetime) -> None:
    """The agent's own phone did not answer: what was offered goes back; a call of theirs is over."""
    await log.pool.execute(SQL.close, call.id, now)
    await interactions.return_to_queue(log, call.reservation, state=state, reason=reason, now=now)
    if call.queued_at is None:
        await interactions.leave_unserved(
            log, call.interaction, outcome=Outcome.FAILED, cause=reason, node=None, now=now
        )


async def reached(log: ContactLog, call: Outcall, *, leg: str, now: datetime) -> bool:
    """The customer has answered, in this call for the first time."""
    async with log.transaction() as tx:
        found = await tx.connection.fetchval(SQL.reached, call.id, now, leg)
        if found is not None:
            data = {"reservation": call.reservation, "call": call.id}
            await tx.append("interaction.reached", interaction=call.interaction, agent=call.agent, data=data, now=now)
    return found is not None


async def not_reached(
    log: ContactLog, directory: Directory, letters: Letters, call: Outcall, *, cause: str, now: datetime
) -> None:
    """The agent answered and the customer did not: tried again later, or given up, as the queue's rules say."""
    await log.pool.execute(SQL.close, call.id, now)
    await callbacks.missed(log, directory, letters, call.interaction, cause=cause, now=now)


async def over(log: ContactLog, call: Outcall, *, cause: str, now: datetime) -> None:
    """The conversation has ended."""
    await log.pool.execute(SQL.close, call.id, now)
    await interactions.end_interaction(log, call.interaction, cause=cause, now=now)
    await log.pool.execute(SQL.tidy, None)


async def underway(log: ContactLog, pbx: str, *, before: datetime, now: datetime) -> list[Outcall]:
    """Calls in the hand of a PBX for a while; what ended otherwise is no longer among them."""
    await log.pool.execute(SQL.close_ended, now)
    found = [await get(log, row["id"]) for row in await log.pool.fetch(SQL.underway, pbx, before)]
    return [call for call in found if call is not None]
