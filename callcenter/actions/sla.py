"""Promises to customers: clocks that follow what happens to a ticket, and the sweep that warns and escalates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from callcenter.domain import sla as rules
from callcenter.domain.agent import Role
from callcenter.domain.sla import LATE, Clock, Moment, Pause
from callcenter.domain.ticket import Priority, TicketState
from callcenter.errors import NotFound
from callcenter.store import sla as store
from callcenter.store import tickets
from callcenter.store.directory import Directory, User
from callcenter.store.log import ContactLog, Entry, Transaction
from callcenter.store.sla import SQL, Promises, Record
from callcenter.store.tickets import Ticket

_WORKED_ON = (TicketState.NEW, TicketState.OPEN)


async def follow(
    tx: Transaction,
    before: Ticket | None,
    after: Ticket,
    *,
    actor: int | None,
    now: datetime,
    asked_at: datetime | None = None,
    answered_at: datetime | None = None,
) -> None:
    """Part of each action on a ticket, behind its own event: its clocks as of then. `before` None: just opened."""
    promised = await store.promises(tx.connection)
    record = (await store.load(tx.connection, [after.id]))[after.id]
    if asked_at is not None:
        record.facts = rules.asked(record.facts, asked_at)
    if answered_at is not None:
        record.facts = rules.answered(record.facts, answered_at)
    _note(record, before.state if before is not None else TicketState.NEW, after, now)
    moved = _settle(record, promised, now)
    await store.save(tx.connection, [record], revision=promised.revision)
    if moved:
        await tx.append_all([_entry(kind, after, _said(clock), actor, now) for kind, clock in moved])


def _note(record: Record, state: TicketState, after: Ticket, now: datetime) -> None:
    """Owner and state of a ticket that was in `state`: facts, and the ledger of pauses."""
    record.facts = rules.changed(record.facts, owner=after.owner, state=after.state, now=now)
    if state is after.state:
        return
    if record.pauses and record.pauses[-1].end is None:
        # A clock that was set back must not end a pause before it began.
        ended = replace(record.pauses[-1], end=max(now, record.pauses[-1].begin))
        record.pauses[-1] = ended
        record.new_pauses.append(ended)
    if after.state not in _WORKED_ON:
        record.pauses.append(Pause(now, None, after.state))
        record.new_pauses.append(record.pauses[-1])


def _settle(record: Record, promised: Promises, now: datetime) -> list[tuple[str, Clock]]:
    """Brings the clocks up to `now`; answers what the log is to say of it."""
    policy = rules.choose(promised.policies, record.case)
    before = record.clocks
    record.clocks = rules.recompute(policy, record.facts, record.pauses, before, now)
    record.changed_clocks |= {name for name, clock in record.clocks.items() if clock != before.get(name)}
    record.policy = policy.name if policy is not None else None
    levels = rules.moments(policy, record.clocks, record.pauses, record.fired)
    if not before:
        # Nothing was promised until now: a ticket is not escalated for what came before the promise.
        for moment in [moment for moment in levels if moment.at <= now]:
            _mark(record, moment, now)
            levels.remove(moment)
    record.levels = levels
    record.next_at = rules.next_moment(record.clocks, levels)
    return list(rules.told(before, record.clocks))


def _mark(record: Record, moment: Moment, now: datetime) -> None:
    clock, at = moment.level.clock, moment.level.at
    record.fired.add((clock, moment.round, at))
    record.new_levels.append((clock, moment.round, at, moment.at, now))


def _said(clock: Clock) -> dict[str, Any]:
    return {
        "clock": clock.clock,
        "round": clock.round,
        "due_at": clock.due_at,
        "difference_seconds": None if clock.difference is None else clock.difference.total_seconds(),
    }


def _entry(kind: str, ticket: Ticket, data: Mapping[str, Any], actor: int | None, now: datetime) -> Entry:
    return Entry(
        kind=kind,
        at=now,
        ticket=ticket.id,
        customer=ticket.customer,
        agent=ticket.owner,
        queue=ticket.queue,
        actor=actor,
        version=ticket.version,
        data={**ticket.image(), **data},
    )


# -- the sweep


async def sweep(log: ContactLog, directory: Directory, *, now: datetime, limit: int = 100) -> int:
    """Breaches, warns and escalates what is due, at most so many tickets; how many were looked at.

    Any number of sweeps may run at once: each ticket is locked, looked at again, and left as done.
    """
    async with log.transaction() as tx:
        promised = await store.promises(tx.connection)
        found = [row["ticket_id"] for row in await tx.connection.fetch(SQL.due, now, limit)]
        if len(found) < limit:
            rows = await tx.connection.fetch(SQL.outdated, promised.revision, limit - len(found))
            found += [row["ticket_id"] for row in rows if row["ticket_id"] not in found]
        if not found:
            return 0
        records = await store.load(tx.connection, found)
        held = await tickets.many(tx.connection, found)
        runs = [_Run(held[ident], records[ident], promised, directory, now) for ident in found if ident in records]
        runs = [run for run in runs if run.is_due]
        for run in runs:
            run.catch_up()
        await _write(tx, runs, promised, now)
    return len(runs)


async def _write(tx: Transaction, runs: Sequence["_Run"], promised: Promises, now: datetime) -> None:
    await store.save(tx.connection, [run.record for run in runs], revision=promised.revision)
    if changed := [tickets.change_row(ticket, now) for run in runs for ticket in run.written]:
        await tx.connection.executemany(tickets.SQL.change, changed)
    if notices := [notice for run in runs for notice in run.notices]:
        await tx.connection.executemany(SQL.add_notice, notices)
    if entries := [entry for run in runs for entry in run.entries]:
        await tx.append_all(entries)


@dataclass(slots=True)
class _Run:
    """One ticket in the hands of a sweep: what it becomes, and what is to be written of that."""

    ticket: Ticket
    record: Record
    promised: Promises
    directory: Directory
    now: datetime
    written: list[Ticket] = field(default_factory=list)
    notices: list[tuple[int, int, str, datetime, datetime]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @property
    def is_due(self) -> bool:
        """False when another sweep was here between our question and our lock."""
        due = self.record.next_at is not None and self.record.next_at <= self.now
        return due or self.record.revision < self.promised.revision

    def catch_up(self) -> None:
        """Moment by moment up to now, so that what was missed happens once and in its order."""
        behind: datetime | None = None  # a moment at which nothing was left to do; each is looked at once
        while True:
            due = self.record.next_at
            step = self.now if due is None or (behind is not None and due <= behind) else min(due, self.now)
            for kind, clock in _settle(self.record, self.promised, step):
                self._say(kind, {**_said(clock), **self._lateness(clock.breached_at)})
            if self.record.levels and self.record.levels[0].at <= step:
                self._fire(self.record.levels[0])
            elif step == self.now:
                return
            else:
                behind = step

    def _fire(self, moment: Moment) -> None:
        level, clock = moment.level, self.record.clocks[moment.level.clock]
        _mark(self.record, moment, self.now)
        said = {"clock": level.clock, "round": moment.round, "level": level.number, "at": level.at, "due_at": moment.at}
        said |= self._lateness(moment.at)
        if level.used(clock.target) < clock.target:
            self._say("sla.warned", said)
        before = self.ticket
        told: dict[int, None] = {}
        for action in level.actions:
            told |= dict.fromkeys(self._act(action.verb, action.value))
        self.notices += [(user, before.id, level.clock, clock.due_at or moment.at, self.now) for user in told]
        changes = [name for name in ("state", "priority", "queue", "owner") if _differs(before, self.ticket, name)]
        if changes:
            self.ticket = replace(self.ticket, version=before.version + 1)
            self.written.append(self.ticket)
            _note(self.record, before.state, self.ticket, self.now)
            queue = self.directory.queues.get(self.ticket.queue or 0)
            moved = {"priority": self.ticket.priority, "queue": queue.name if queue is not None else None}
            self.record.case = {**self.record.case, **moved}
        said |= {"actions": [{action.verb: action.value} for action in level.actions], "notified": list(told)}
        if "owner" in changes:
            said["before_owner"] = before.owner
        self._say("ticket.escalated", {**said, "changed": changes})

    def _act(self, verb: str, what: str) -> Sequence[int]:
        """Does it, and answers who is to be told."""
        if verb == "priority":
            self.ticket = replace(self.ticket, priority=rules.raised(self.ticket.priority, Priority(what)))
            return ()
        kind, _, name = what.partition(":")
        if verb == "notify":
            return [user.id for user in self._people(kind, name)] or self._somebody()
        if kind == "queue":
            try:
                queue = self.directory.queue_named(name)
            except NotFound:
                return self._somebody()
            # Whoever had it could not do it in time; in the new queue anybody may take it.
            self.ticket = replace(self.ticket, queue=queue.id, owner=None)
            return ()
        heirs = self._people(kind, name)
        if not heirs:
            return self._somebody()
        state = TicketState.OPEN if self.ticket.state is TicketState.NEW else self.ticket.state
        self.ticket = replace(self.ticket, owner=heirs[0].id, state=state)
        return (heirs[0].id,)

    def _people(self, kind: str, name: str) -> list[User]:
        match kind:
            case "owner":
                found = [self.directory.users.get(self.ticket.owner or 0)]
            case "manager":
                line = list(self._managers())[: int(name or 1)]
                found = [line[-1]] if line else []
            case "role":
                found = [user for user in self.directory.users.values() if user.role == name]
            case _:
                found = [user for user in self.directory.users.values() if user.name == name]
        return [user for user in found if user is not None and user.active]

    def _managers(self) -> Iterator[User]:
        """Up the line from the owner; who has left is passed over."""
        users, seen = self.directory.users, set()
        user = users.get(self.ticket.owner or 0)
        while user is not None and user.manager is not None and user.manager not in seen:
            seen.add(user.manager)
            user = users.get(user.manager)
            if user is not None and user.active:
                yield user

    def _somebody(self) -> list[int]:
        """Nobody is where it leads: then all supervisors are told, rather than nobody."""
        for role in (Role.SUPERVISOR, Role.ADMINISTRATOR):
            if found := self._people("role", role):
                return [user.id for user in found]
        return []

    def _lateness(self, at: datetime | None) -> dict[str, bool]:
        return {"late": at is not None and self.now - at > LATE}

    def _say(self, kind: str, data: Mapping[str, Any]) -> None:
        self.entries.append(_entry(kind, self.ticket, data, None, self.now))


def _differs(before: Ticket, after: Ticket, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


async def see(log: ContactLog, notice: int | None, *, user: int, now: datetime) -> None:
    """A user has seen a notice (None: all of theirs). A second time changes nothing; somebody else's is not found."""
    async with log.transaction() as tx:
        seen = [row["id"] for row in await tx.connection.fetch(SQL.see_notices, user, notice, now)]
        if seen:
            await tx.append("notice.seen", agent=user, actor=user, data={"notices": seen}, now=now)
        elif notice is not None and not await tx.connection.fetchval(SQL.is_notice_of, notice, user):
            raise NotFound("There is no such notice.")
