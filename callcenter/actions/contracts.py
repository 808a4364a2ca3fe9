"""Service contracts: made, changed and ended by people; begun, reminded of, visited for and ended by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.actions import tasks, ticket_values, tickets
from callcenter.domain.contract import Duty, DutyKind, Quota, check_targets, state_of, term
from callcenter.domain.sla import LATE, ClockName
from callcenter.domain.ticket import Priority
from callcenter.errors import Conflict, Invalid, NotFound, Outdated
from callcenter.store import contracts as store
from callcenter.store.contracts import SQL, Contract
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.rules import TaskPlan
from callcenter.store.tickets import Ticket

LONGEST_NAME = 200
LONGEST_NOTE = 10_000
_MOST_WORDS = 50
_WORDS = ("queues", "categories", "products")
# What a notice says that it is about, where others name a clock.
NOTICE = "contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContract:
    """`kind` by name, customer and owner by id; what is None of targets, quota and scope is as the kind has it.

    `record`: which of the records that were merged into the customer was named, where another system named one.
    """

    customer: int
    kind: str
    starts_on: date
    ends_on: date | None = None
    name: str = ""
    external_id: str | None = None
    owner: int | None = None
    note: str | None = None
    targets: Mapping[ClockName, timedelta] | None = None
    quota: Quota | None = None
    queues: Sequence[str] | None = None
    categories: Sequence[str] | None = None
    products: Sequence[str] | None = None
    record: int | None = None


CHANGEABLE = tuple(
    name for name in NewContract.__dataclass_fields__ if name not in ("customer", "external_id", "record")
)


def _checked(field: str, value: Any) -> Any:
    match field:
        case "name":
            text = str(value).strip()
            if len(text) > LONGEST_NAME or (text and not text.isprintable()):
                raise Invalid(f"One line of at most {LONGEST_NAME} characters.", field="name")
            return text
        case "note":
            text = (value or "").strip()
            if len(text) > LONGEST_NOTE or "\x00" in text:
                raise Invalid(f"At most {LONGEST_NOTE} characters, and no NUL.", field="note")
            return text or None
        case "targets":
            if value is not None:
                check_targets(value)
            return value or None
        case "queues" | "categories" | "products":
            return None if value is None else _words(field, value)
        case _:
            return value


def _words(field: str, given: Sequence[str]) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(each.strip() for each in given if each.strip()))
    if len(words) > _MOST_WORDS or any(len(each) > 100 or not each.isprintable() for each in words):
        raise Invalid(f"At most {_MOST_WORDS} names of at most 100 characters.", field=field)
    return words


def check(given: NewContract, zone: ZoneInfo) -> NewContract:
    """As it will be kept. Raises Invalid for what could not be."""
    term(given.starts_on, given.ends_on, zone)
    values = {name: _checked(name, getattr(given, name)) for name in CHANGEABLE}
    return replace(given, **values)


async def create(
    log: ContactLog | Transaction, given: NewContract, *, zone: ZoneInfo, actor: int | None, now: datetime
) -> int:
    """The new contract's id. Raises Invalid, and Conflict when the external id is another contract's."""
    given = check(given, zone)
    async with log.transaction() as tx:
        await _check_kind(tx, given.kind)
        if not await tx.connection.fetchval(SQL.is_customer, given.customer):
            raise Invalid(f"There is no customer {given.customer}.", field="customer")
        starts_at, ends_at = term(given.starts_on, given.ends_on, zone)
        # Due at once: what follows by itself is worked out there, and the contract begun if it is its time.
        ident: int | None = await tx.connection.fetchval(
            SQL.add, given.external_id or None, given.customer, given.kind, given.name, given.owner, given.note,
            given.starts_on, given.ends_on, starts_at, ends_at, *_terms(given), now, now, given.record,
        )  # fmt: skip
        if ident is None:
            raise Conflict(f"There is a contract with the external id {given.external_id} already.")
        await _tell(tx, "contract.made", await store.get(tx.connection, ident), actor=actor, now=now)
        await tx.connection.execute(SQL.ask_review, [given.customer])
    return ident


async def change(
    log: ContactLog | Transaction,
    contract: int,
    *,
    changes: Mapping[str, Any],
    version: int | None,
    zone: ZoneInfo,
    actor: int | None,
    now: datetime,
) -> bool:
    """Changes what `CHANGEABLE` names; whether anything changed. A later end brings a contract that is over to life.

    Raises Invalid, NotFound, Outdated for another version, and Conflict when it was cancelled.
    """
    if unknown := changes.keys() - set(CHANGEABLE):
        raise Invalid(f"A contract has no {', '.join(sorted(unknown))} to change.", field=min(unknown))
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.lock, contract)
        before = await store.get(tx.connection, contract)
        _check_version(before, version)
        if before.cancelled_at is not None:
            raise Conflict("The contract was cancelled; make a new one.")
        values = {name: _checked(name, value) for name, value in changes.items()}
        values = {name: value for name, value in values.items() if value != getattr(before, name)}
        if not values:
            return False
        if "kind" in values:
            await _check_kind(tx, values["kind"])
        after = replace(before, **values)
        starts_at, ends_at = term(after.starts_on, after.ends_on, zone)
        after = replace(
            after,
            starts_at=starts_at,
            ends_at=ends_at,
            begun_at=after.begun_at if starts_at <= now else None,
            ended_at=after.ended_at if ends_at is not None and ends_at <= now else None,
            next_at=now,
        )
        await _write(tx, after, "contract.changed", changed=list(values), actor=actor, now=now)
    return True


async def cancel(log: ContactLog, contract: int, *, version: int | None, actor: int | None, now: datetime) -> None:
    """It covers nothing from now on; what was counted stays. A second time changes nothing.

    Raises NotFound, Outdated for another version, and Conflict when it is over.
    """
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.lock, contract)
        before = await store.get(tx.connection, contract)
        if before.cancelled_at is not None:
            return
        _check_version(before, version)
        if before.ends_at is not None and before.ends_at <= now:
            raise Conflict("The contract is over already.")
        # One that has not begun covers nothing at all.
        ends_at = max(now, before.starts_at)
        after = replace(before, cancelled_at=now, ends_at=ends_at, ended_at=now, next_at=None)
        await _write(tx, after, "contract.cancelled", changed=["state"], actor=actor, now=now)


def _check_version(contract: Contract, version: int | None) -> None:
    if version is not None and version != contract.version:
        raise Outdated(f"The contract was changed meanwhile; it is at version {contract.version} now.")


async def _check_kind(tx: Transaction, name: str) -> None:
    if await tx.connection.fetchval(SQL.kind, name) is None:
        raise Invalid(f"There is no kind of contract named {name}.", field="kind")


def _terms(given: NewContract) -> tuple[object, ...]:
    return store.terms_row(given.targets, given.quota, (given.queues, given.categories, given.products))


async def _write(
    tx: Transaction, after: Contract, kind: str, *, changed: list[str], actor: int | None, now: datetime
) -> None:
    await tx.connection.execute(
        SQL.change, after.id, after.kind, after.name, after.owner, after.note, after.starts_on, after.ends_on,
        after.starts_at, after.ends_at,
        *store.terms_row(after.targets, after.quota, (after.queues, after.categories, after.products)),
        after.begun_at, after.ended_at, after.cancelled_at, after.next_at,
    )  # fmt: skip
    await _tell(tx, kind, replace(after, version=after.version + 1), actor=actor, now=now, changed=changed)
    await tx.connection.execute(SQL.ask_review, [after.customer])


async def _tell(
    tx: Transaction, kind: str, contract: Contract, *, actor: int | None, now: datetime, ticket: int | None = None,
    **more: Any,
) -> None:  # fmt: skip
    state = state_of(contract.starts_at, contract.ends_at, contract.cancelled_at, now)
    await tx.append(
        kind,
        customer=contract.customer,
        ticket=ticket,
        actor=actor,
        version=contract.version,
        data={"contract": contract.id, "kind": contract.kind, "state": state, **more},
        now=now,
    )


# -- by itself


async def perform_due(log: ContactLog, directory: Directory, *, now: datetime, limit: int = 20) -> int:
    """Begins and ends contracts, plans visits and reminds of renewals, at most so many contracts; how many there were.

    Any number of servers may do it at once. What was missed is done once, in its order, and marked late.
    """
    zone = ZoneInfo(directory.organisation.timezone)
    async with log.transaction() as tx:
        due = [row["id"] for row in await tx.connection.fetch(SQL.due, now, limit)]
        for ident in due:
            await _perform(tx, await store.get(tx.connection, ident), directory, zone, now)
    return len(due)


async def _perform(tx: Transaction, contract: Contract, directory: Directory, zone: ZoneInfo, now: datetime) -> None:
    if contract.next_at is None or contract.next_at > now:
        return  # another server was here between our question and our lock
    done = await tx.connection.fetchrow(SQL.done, contract.id, contract.ends_on or contract.starts_on)
    assert done is not None
    duties = contract.duties(planned_to=done["planned_to"], reminded=done["reminded"]).moments(zone, now)
    for duty in duties:
        if duty.at <= now:
            contract = await _do(tx, contract, duty, directory, now)
    next_at = next((duty.at for duty in duties if duty.at > now), None)
    await tx.connection.execute(SQL.progress, contract.id, contract.begun_at, contract.ended_at, next_at)


async def _do(tx: Transaction, contract: Contract, duty: Duty, directory: Directory, now: datetime) -> Contract:
    late = now - duty.at > LATE
    match duty.kind:
        case DutyKind.BEGIN:
            await _tell(tx, "contract.began", contract, actor=None, now=now, late=late)
            await tx.connection.execute(SQL.ask_review, [contract.customer])
            return replace(contract, begun_at=now)
        case DutyKind.END:
            await _tell(tx, "contract.ended", contract, actor=None, now=now, late=late)
            await tx.connection.execute(SQL.ask_review, [contract.customer])
            return replace(contract, ended_at=now)
        case DutyKind.VISIT | DutyKind.RENEWAL:
            if await tx.connection.fetchval(SQL.add_duty, contract.id, duty.kind, duty.day, now, late) is not None:
                ticket = await _open(tx, contract, duty, directory, now)
                await tx.connection.execute(SQL.set_duty_ticket, contract.id, duty.kind, duty.day, ticket)
                said = {"day": duty.day, "late": late}
                kind = "contract.visit_planned" if duty.kind is DutyKind.VISIT else "contract.renewal_due"
                await _tell(tx, kind, contract, actor=None, now=now, ticket=ticket, **said)
    return contract


@dataclass(frozen=True, slots=True)
class _Job:
    subject: str
    queue: str | None
    category: str | None = None
    priority: str = Priority.NORMAL
    told: Sequence[int] = field(default=())


async def _open(tx: Transaction, contract: Contract, duty: Duty, directory: Directory, now: datetime) -> int:
    """The ticket of a visit or a renewal, for the contract's owner if there is one who still works here."""
    told: list[int] = await tx.connection.fetchval(SQL.told_of_renewal, contract.owner, contract.customer)
    owner = directory.users.get(contract.owner or 0)
    if duty.kind is DutyKind.VISIT:
        visits = contract.visits
        assert visits is not None
        job = _Job(visits.subject, visits.queue, visits.category, visits.priority)
    else:
        renewal = contract.renewal
        assert renewal is not None
        job = _Job(renewal.subject, renewal.queue, told=told)

    async def open_as(category: str | None) -> Ticket:
        return await tickets.open_ticket(
            tx,
            subject=f"{job.subject}: {contract.name or contract.title} ({duty.day})"[: ticket_values.LONGEST_SUBJECT],
            customer=contract.customer,
            interaction=None,
            queue=_queue(directory, job.queue),
            owner=owner.id if owner is not None and owner.active else None,
            priority=job.priority,
            category=category,
            text=None,
            actor=None,
            now=now,
        )

    try:
        ticket = await open_as(job.category)
    except Invalid:
        # The tree of categories has changed since: a visit without one is better than none.
        ticket = await open_as(None)
    # Whose the ticket is hears of it by their task.
    told = [user for user in job.told if user != ticket.owner]
    if notices := [(user, ticket.id, NOTICE, contract.ends_at, now) for user in told]:
        await tx.connection.executemany(SQL.add_notice, notices)
    await _open_task(tx, contract.kind, duty, directory, ticket, subject=job.subject, now=now)
    return ticket.id


async def _open_task(
    tx: Transaction, kind: str, duty: Duty, directory: Directory, ticket: Ticket, *, subject: str, now: datetime
) -> None:
    """What is to be done until the day is over, by the ticket's owner or else its queue."""
    zone = ZoneInfo(directory.organisation.timezone)
    due_at = datetime.combine(duty.day + timedelta(days=1), time(), zone)
    await tasks.open_task(
        tx,
        directory,
        plan=TaskPlan(subject[: tasks.LONGEST_TITLE], "owner"),
        ticket=ticket.id,
        due_at=due_at,
        rule=f"contract:{kind}",
        actor=None,
        now=now,
    )


def _queue(directory: Directory, name: str | None) -> int | None:
    """None when it is gone: a visit without a queue is better than none."""
    try:
        queue = directory.queue_named(name) if name is not None else None
    except NotFound:
        return None
    return queue.id if queue is not None and queue.active else None


# -- what tickets and the router hear of it


async def review(log: ContactLog, *, now: datetime, limit: int = 500) -> int:
    """Lets tickets and waiting work of customers whose tier, language or contracts changed be looked at anew.

    How many tickets that were; -1 when nobody asks for it.
    """
    if not await log.pool.fetchval(SQL.asks_review):
        return -1
    await log.pool.execute(SQL.note_reviews, limit)
    due = [row["id"] for row in await log.pool.fetch(SQL.reviews_due, limit)]
    for row in await log.pool.fetch(SQL.revalued, due):
        await log.write("revalue_waiting", row["id"], now)
    touched: int = await log.pool.fetchval(SQL.review, limit, due)
    return touched
