"""People who are called back: asked for, put off while nobody is there, tried again, given up."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from callcenter.actions import tickets
from callcenter.domain.callback import next_try, number_to_call, opening, planned
from callcenter.domain.hours import Hours
from callcenter.domain.interaction import Outcome, State
from callcenter.domain.phone import NumberKind, parse_number
from callcenter.domain.ticket import Priority
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.ports import Letters
from callcenter.store.callbacks import SQL
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog, Transaction

# What the ticket says about somebody whom nobody reached.
GIVEN_UP = "callback_given_up"
_UNSERVED = frozenset([State.NEW, State.QUEUED, State.OFFERED])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who is to be called back. `at` None: as soon as it is their turn.

    `instead_of`: the call, chat or form that leaves its queue; the callback stands where it stood.
    """

    number: str
    queue: int
    at: datetime | None = None
    name: str | None = None
    text: str | None = None
    customer: int | None = None
    language: str | None = None
    instead_of: int | None = None
    external_id: str | None = None
    actor: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """`due_at` None: it waits in its queue. `new`: false when this number was to be called back already."""

    interaction: int
    due_at: datetime | None
    new: bool


async def ask(log: ContactLog, directory: Directory, wish: Wish, *, now: datetime, node: int | None = None) -> Asked:
    """`node`: only while that node holds the call whose place it takes.

    Raises Invalid for a number that is not called and for a moment that cannot be, NotFound for a queue, customer or
    interaction that there is not, Conflict when the one whose place it takes is served already.
    """
    queue = directory.queue(wish.queue)
    if not queue.active:
        raise Invalid(f"The queue {queue.name} is retired.", field="queue")
    rules = directory.callback_rules
    number = number_to_call(wish.number, region=directory.organisation.region, rules=rules)
    due = planned(wish.at, queue.hours, rules=rules, now=now)
    try:
        async with log.transaction() as tx:
            await tx.connection.execute(SQL.tidy, number)
            if await tx.connection.fetchval(SQL.is_forbidden, number):
                raise Invalid("Whoever has this number does not want to be called.", field="number")
            origin = None if wish.instead_of is None else await _leave(tx, wish.instead_of, node=node, now=now)
            ident = await _put(tx, wish, number, due, origin, now=now)
    except asyncpg.UniqueViolationError:
        return await _known(log, wish, number, node=node, now=now)
    except asyncpg.ForeignKeyViolationError:
        raise Invalid(f"There is no customer {wish.customer}.", field="customer") from None
    return Asked(ident, due, True)


async def _put(
    tx: Transaction, wish: Wish, number: str, due: datetime | None, origin: asyncpg.Record | None, *, now: datetime
) -> int:
    def of_origin(column: str) -> object:
        return None if origin is None else origin[column]

    text = (wish.text or "").strip()
    events = await tx.verb(
        "ask_callback",
        wish.external_id,
        wish.customer or of_origin("customer_id"),
        number,
        wish.name,
        text.split("\n", 1)[0][:200] or None,
        wish.queue,
        of_origin("queued_at"),
        due,
        wish.instead_of,
        1,
        of_origin("ticket_id"),
        wish.language or of_origin("language"),
        wish.actor,
        now,
    )
    ident = events[0].interaction
    assert ident is not None
    if text:
        await tx.connection.execute(SQL.add_text, ident, None, "inbound", text, now)
    return ident


async def _leave(tx: Transaction, interaction: int, *, node: int | None, now: datetime) -> asyncpg.Record:
    """Whoever waits waits on in the callback. One who talks already, or has left, has no place to keep."""
    await tx.lock_interaction(interaction)
    found = await tx.connection.fetchrow(SQL.origin, interaction)
    if found is None:
        raise NotFound(f"There is no interaction {interaction}.")
    if found["state"] in _UNSERVED:
        left = await tx.verb("leave_unserved", interaction, Outcome.FLOW_OUT, "callback", node, now)
        if not left:
            raise Conflict("Somebody is there already.")
    return found


async def _known(log: ContactLog, wish: Wish, number: str, *, node: int | None, now: datetime) -> Asked:
    """Asked for twice, it is done once; who waited meanwhile need not wait on."""
    if wish.instead_of is not None:
        async with log.transaction() as tx:
            await _leave(tx, wish.instead_of, node=node, now=now)
    row = await log.pool.fetchrow(SQL.open_of, number, wish.external_id)
    if row is None:
        raise Conflict("This was being called at that moment: ask again.")
    return Asked(row["id"], row["due_at"], False)


async def cancel(log: ContactLog, interaction: int, *, actor: int, now: datetime) -> None:
    """Nobody is to be called any more. Raises Conflict when it is over, or somebody calls."""
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        state = await tx.connection.fetchval(SQL.callback_state, interaction)
        if state is None:
            raise NotFound(f"There is no callback {interaction}.")
        if state not in (State.NEW, State.QUEUED):
            raise Conflict("Somebody has it in hand, or it is over.")
        await tx.verb("leave_unserved", interaction, Outcome.FLOW_OUT, "cancelled", None, now, actor)
        await tx.connection.execute(SQL.take_number, interaction)


async def run_due(log: ContactLog, directory: Directory, *, now: datetime) -> None:
    """Those whose time has come enter their queues; those whose queue has closed leave it until it opens."""
    if not await log.pool.fetchval(SQL.some):
        return
    await log.pool.execute(SQL.tidy, None)
    for row in await log.pool.fetch(SQL.due, now):
        hours = _hours(directory, row["queue_id"])
        if hours is None or hours.is_open(now):
            await log.write("queue_callback", row["interaction_id"], now)
        else:  # the hours were changed meanwhile
            await log.pool.execute(SQL.postpone, row["interaction_id"], opening(hours, now))
    for row in await log.pool.fetch(SQL.waiting):
        hours = _hours(directory, row["queue_id"])
        if hours is not None and not hours.is_open(now):
            await log.write("put_off", row["id"], opening(hours, now), now)


def _hours(directory: Directory, queue: int | None) -> Hours | None:
    found = directory.queues.get(queue or 0)
    return None if found is None else found.hours


async def missed(
    log: ContactLog, directory: Directory, letters: Letters, interaction: int, *, cause: str, now: datetime
) -> None:
    """Nobody was reached: the agent wraps up, and it is tried again, or given up with a ticket."""
    rules = directory.callback_rules
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        row = await tx.connection.fetchrow(SQL.take_number, interaction)
        last = row is not None and row["attempt"] >= rules.attempts
        outcome = Outcome.FAILED if last else Outcome.MISSED
        if not await tx.verb("end_interaction", interaction, cause, outcome, None, now):
            return
        if row is None:
            return  # nobody was promised anything
        if last:
            await _give_up(tx, letters, interaction, row, now=now)
            return
        due = next_try(_hours(directory, row["queue_id"]), rules=rules, now=now)
        again = row["number"], row["address_name"], row["subject"], row["queue_id"], None, due, interaction
        more = row["attempt"] + 1, row["ticket_id"], row["language"], None, now
        await tx.verb("ask_callback", None, row["customer_id"], *again, *more)


async def _give_up(tx: Transaction, letters: Letters, interaction: int, row: asyncpg.Record, *, now: datetime) -> None:
    words = letters.write(GIVEN_UP, None, {"attempts": row["attempt"], "subject": row["subject"]})
    ticket = row["ticket_id"]
    if ticket is not None:
        await tickets.reply(tx, ticket, text=words.text, public=False, actor=None, now=now)
        return
    await tickets.open_ticket(
        tx,
        subject=words.subject,
        customer=row["customer_id"],
        interaction=interaction,
        queue=row["queue_id"],
        priority=Priority.NORMAL,
        text=words.text,
        actor=None,
        now=now,
    )


# -- whom nobody calls


async def forbid(
    log: ContactLog, directory: Directory, number: str, *, reason: str | None, actor: int, now: datetime
) -> str:
    """The number in E.164, which is not called from now on. Raises Invalid for what is none."""
    value = _plain(directory, number)
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.forbid, value, reason, actor, now)
        await tx.append("customer.do_not_call", actor=actor, data={"forbidden": True}, now=now)
    return value


async def allow(log: ContactLog, directory: Directory, number: str, *, actor: int, now: datetime) -> None:
    """Raises NotFound for a number that may be called."""
    async with log.transaction() as tx:
        if await tx.connection.fetchval(SQL.allow, _plain(directory, number)) is None:
            raise NotFound("This number is not on the list.")
        await tx.append("customer.do_not_call", actor=actor, data={"forbidden": False}, now=now)


def _plain(directory: Directory, number: str) -> str:
    found = parse_number(number, directory.organisation.region)
    if found.kind is not NumberKind.VALID:
        raise Invalid("That is no telephone number.", field="number")
    return found.value
