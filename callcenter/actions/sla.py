"""Promises to customers: clocks that follow what happens to a ticket, and the sweep that warns and escalates."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from callcenter.actions import deliveries, tasks
from callcenter.actions.notices import NewNotice
from callcenter.actions.notices import put as put_notices
from callcenter.actions.recipients import Recipients, ways
from callcenter.domain import contract as contracts
from callcenter.domain import sla as rules
from callcenter.domain.notice import Way
from callcenter.domain.sla import LATE, Action, Clock, Moment, Pause
from callcenter.domain.ticket import OVER, Priority, TicketState
from callcenter.domain.ticket_rules import MOST_TAGS
from callcenter.errors import Invalid, NotFound
from callcenter.store import sla as store
from callcenter.store import tickets
from callcenter.store.directory import Directory, User
from callcenter.store.log import ContactLog, Entry, Transaction
from callcenter.store.rules import TaskPlan, task_plan
from callcenter.store.sla import SQL, Promises, Record
from callcenter.store.tickets import Ticket

# What escalations change of a ticket.
_MOVED = ("state", "priority", "queue", "owner", "tags")
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
    channel: str | None = None,
) -> None:
    """Part of each action on a ticket, behind its own event: its clocks as of then.

    `before` None: just opened, from an interaction of this `channel`.
    """
    if before is None:
        promised, record = await store.begin(tx.connection, after, channel)
    else:
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


async def unanswer(
    tx: Transaction, ticket: Ticket, *, at: datetime, other: datetime | None, actor: int, now: datetime
) -> None:
    """The answer at `at` was taken back: what it had stopped runs on as if it had never been. `other`: the next one."""
    promised = await store.promises(tx.connection)
    asked_at = None if other is not None else await tx.connection.fetchval(SQL.unmeet, ticket.id, at)
    record = (await store.load(tx.connection, [ticket.id]))[ticket.id]
    record.facts = rules.unanswered(record.facts, at, other=other, asked_at=asked_at)
    moved = _settle(record, promised, now)
    await store.save(tx.connection, [record], revision=promised.revision)
    await tx.append_all([_entry(kind, ticket, _said(clock), actor, now) for kind, clock in moved])


async def owed_since(tx: Transaction, ticket: Ticket) -> datetime | None:
    """Since when the customer of a ticket waits for an answer; None: they do not."""
    facts = (await store.load(tx.connection, [ticket.id]))[ticket.id].facts
    if ticket.state in OVER:
        return None
    if facts.answered_at is None:
        return facts.created_at
    return facts.asked_at if facts.replied_at is None else None


async def end(tx: Transaction, before: Ticket, after: Ticket, *, actor: int | None, now: datetime) -> None:
    """Its case goes on in another ticket: nothing is owed here from now on, and nothing will be worked out again."""
    promised = await store.promises(tx.connection)
    record = (await store.load(tx.connection, [after.id]))[after.id]
    _note(record, before.state, after, now)
    clocks, record.clocks = record.clocks, rules.voided(record.clocks, now)
    record.changed_clocks |= {name for name, clock in record.clocks.items() if clock != clocks[name]}
    record.next_at = None
    await store.save(tx.connection, [record], revision=promised.revision)


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
    cover = contracts.in_force(record.covers, record.case, now)
    case = {**record.case, "contract": cover.kind if cover is not None else None}
    policy = contracts.promised(rules.choose(promised.policies, case), cover)
    if cover is not None and record.contract is None and cover.starts_at <= record.facts.created_at:
        record.contract = record.case_of = cover.id
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
    if record.covers and record.facts.over_at is None and (change := contracts.next_change(record.covers, now)):
        record.next_at = min(change, record.next_at or change)
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


async def sweep(
    log: ContactLog,
    directory: Directory,
    *,
    now: datetime,
    limit: int = 100,
    able: Collection[Way] = tuple(Way),
) -> int:
    """Breaches, warns and escalates what is due, at most so many tickets; how many were looked at.

    `able`: the ways in which notices leave this house, besides the console.

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
        runs = [
            _Run(held[ident], records[ident], promised, directory, now, able) for ident in found if ident in records
        ]
        runs = [run for run in runs if run.is_due]
        for run in runs:
            run.catch_up()
        await _write(tx, runs, promised, now)
        tx.promised |= {run.ticket.id: now for run in runs if run.was_outdated}
    return len(runs)


async def _write(tx: Transaction, runs: Sequence["_Run"], promised: Promises, now: datetime) -> None:
    await store.save(tx.connection, [run.record for run in runs], revision=promised.revision)
    if changed := [tickets.change_row(ticket, now) for run in runs for ticket in run.written]:
        await tx.connection.executemany(tickets.SQL.change, changed)
    if notices := [notice for run in runs for notice in run.notices]:
        await put_notices(tx, notices, now=now)
    events = iter(await tx.append_all([entry for run in runs for entry in run.entries]))
    hooked = []
    for run in runs:
        own = [next(events) for _ in run.entries]
        hooked += [(webhook, own[place]) for place, webhook in run.webhooks]
    for run in runs:
        for policy, plan in run.tasks:
            await tasks.open_task(
                tx, run.directory, plan=plan, ticket=run.ticket.id, rule=f"policy:{policy}", actor=None, now=now
            )
    if hooked:
        await deliveries.put(tx, hooked, directory=runs[0].directory, now=now)


@dataclass(slots=True)
class _Run:
    """One ticket in the hands of a sweep: what it becomes, and what is to be written of that."""

    ticket: Ticket
    record: Record
    promised: Promises
    directory: Directory
    now: datetime
    able: Collection[Way]
    written: list[Ticket] = field(default_factory=list)
    notices: list[NewNotice] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    webhooks: list[tuple[int, str]] = field(default_factory=list)  # (which of the entries, webhook)
    tasks: list[tuple[str | None, TaskPlan]] = field(default_factory=list)  # (policy, task to be opened)

    @property
    def is_due(self) -> bool:
        """False when another sweep was here between our question and our lock."""
        due = self.record.next_at is not None and self.record.next_at <= self.now
        return due or self.was_outdated

    @property
    def was_outdated(self) -> bool:
        """Worked out under other promises, or for a customer of another tier or contract."""
        return self.record.revision < self.promised.revision

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
        if not level.fits(self._conditions()):
            return
        said = {"clock": level.clock, "round": moment.round, "level": level.number, "at": level.at, "due_at": moment.at}
        said |= self._lateness(moment.at)
        if level.used(clock.target) < clock.target:
            self._say("sla.warned", said)
        before = self.ticket
        told: dict[int, list[Action]] = {}
        for action in level.actions:
            for user in self._act(action):
                told.setdefault(user.id, []).append(action)
        notices = [action for action in level.actions if action.verb == "notify"]
        if notices and not told:
            # Nobody follows it.
            told = {user.id: notices for user in Recipients(self.directory, self.ticket).somebody()}
        self.notices += [self._notice(self.directory.users[user], actions, said) for user, actions in told.items()]
        changes = [name for name in _MOVED if _differs(before, self.ticket, name)]
        if changes:
            self.ticket = replace(self.ticket, version=before.version + 1)
            self.written.append(self.ticket)
            _note(self.record, before.state, self.ticket, self.now)
            queue = self.directory.queues.get(self.ticket.queue or 0)
            moved = {"priority": self.ticket.priority, "queue": queue.name if queue is not None else None}
            self.record.case = {**self.record.case, **moved}
        said |= {"policy": self.record.policy}
        said |= {"actions": [{action.verb: action.value} for action in level.actions], "notified": list(told)}
        hooks = [action.value for action in level.actions if action.verb == "webhook"]
        if "owner" in changes:
            said["before_owner"] = before.owner
        self._say("ticket.escalated", {**said, "changed": changes})
        self.webhooks += [(len(self.entries) - 1, hook) for hook in hooks]

    def _conditions(self) -> dict[str, str | None]:
        ticket = self.ticket
        queue, owner = self.directory.queues.get(ticket.queue or 0), self.directory.users.get(ticket.owner or 0)
        return {
            "priority": ticket.priority,
            "state": ticket.state,
            "queue": None if queue is None else queue.name,
            "owner": None if owner is None else owner.name,
        }

    def _act(self, action: Action) -> Sequence[User]:
        """Does it, and answers who is to be told."""
        whom = Recipients(self.directory, self.ticket)
        kind, _, name = action.value.partition(":")
        match action.verb:
            case "priority":
                self.ticket = replace(self.ticket, priority=rules.raised(self.ticket.priority, Priority(action.value)))
                return ()
            case "tag":
                self._tag(action.value)
                return ()
            case "task":
                return self._plan(task_plan(action.task or {}))
            case "webhook":
                return ()  # told what was done, when all is done
            case "notify" if action.value == "followers":
                return whom.of(kind)  # that nobody follows a ticket is no fault: the level may tell others
            case "notify":
                return whom.of(kind, name) or whom.somebody()
        if kind == "queue":
            try:
                queue = self.directory.queue_named(name)
            except NotFound:
                return whom.somebody()
            # Whoever had it could not do it in time; in the new queue anybody may take it.
            self.ticket = replace(self.ticket, queue=queue.id, owner=None)
            return ()
        heirs = whom.of(kind, name)
        if not heirs:
            return whom.somebody()
        state = TicketState.OPEN if self.ticket.state is TicketState.NEW else self.ticket.state
        self.ticket = replace(self.ticket, owner=heirs[0].id, state=state)
        return heirs[:1]

    def _tag(self, tag: str) -> None:
        tags = tuple(sorted({*self.ticket.tags, tag}))
        if len(tags) <= MOST_TAGS:
            self.ticket = replace(self.ticket, tags=tags)

    def _plan(self, plan: TaskPlan) -> Sequence[User]:
        """Where whoever should do it has left it is nobody's yet, and supervisors are told."""
        lost = False
        try:
            tasks.assignee(self.directory, plan.assignee, self.ticket)
        except Invalid:
            plan, lost = replace(plan, assignee=None), True
        self.tasks.append((self.record.policy, plan))
        return Recipients(self.directory, self.ticket).somebody() if lost else ()

    def _notice(self, user: User, actions: Sequence[Action], said: Mapping[str, Any]) -> NewNotice:
        """One for each who is told, however many of the level's actions tell them."""
        wanted = {way for action in actions for way in ways(user, action.by)}
        # Where one of the actions may wake them, they are woken.
        waits = all(action.respect_hours for action in actions)
        whom = Recipients(self.directory, self.ticket)
        clock = self.record.clocks[said["clock"]]
        queue = self.directory.queues.get(self.ticket.queue or 0)
        data = {
            "number": self.ticket.number,
            "clock": said["clock"],
            "due_at": (clock.due_at or said["due_at"]).isoformat(),
        }
        data |= {"priority": self.ticket.priority, "queue": queue.name if queue is not None else None}
        return NewNotice(
            user=user,
            ticket=self.ticket.id,
            number=self.ticket.number,
            queue=self.ticket.queue,
            clock=said["clock"],
            due_at=clock.due_at or said["due_at"],
            ways=tuple(way for way in Way if way in wanted and way in self.able),
            disturb_at=whom.opening(user, self.now) if waits else self.now,
            data=data,
        )

    def _lateness(self, at: datetime | None) -> dict[str, bool]:
        return {"late": at is not None and self.now - at > LATE}

    def _say(self, kind: str, data: Mapping[str, Any]) -> None:
        self.entries.append(_entry(kind, self.ticket, data, None, self.now))


def _differs(before: Ticket, after: Ticket, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))
