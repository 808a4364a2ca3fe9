"""A ticket as rules see it, and the steps of a rule carried out on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog

from callcenter.actions import notices, outbox, tasks, tickets
from callcenter.actions.notices import NewNotice
from callcenter.actions.outbox import NewLetter
from callcenter.actions.people import people
from callcenter.actions.recipients import Recipients, ways
from callcenter.domain.rule_keys import CONDITIONS_ONLY
from callcenter.domain.rule_text import fill
from callcenter.domain.rules import Step, View, changes
from callcenter.domain.ticket import OVER
from callcenter.errors import CallcenterError, NotFound, Outdated
from callcenter.store import tickets as ticket_store
from callcenter.store.directory import Directory, User
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.rules import SQL, task_plan
from callcenter.store.tasks import SQL as TASKS
from callcenter.store.tickets import Ticket

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Case:
    """`texts`: what the texts of rules may name."""

    ticket: Ticket
    view: View
    texts: Mapping[str, Mapping[str, Any]]


async def load_case(tx: Transaction, directory: Directory, ident: int, *, now: datetime) -> Case:
    """Raises NotFound."""
    try:
        return (await load_cases(tx, directory, [ident], now=now))[ident]
    except KeyError:
        raise NotFound(f"There is no ticket {ident}.") from None


async def load_cases(tx: Transaction, directory: Directory, idents: Sequence[int], *, now: datetime) -> dict[int, Case]:
    """By id; those that there are."""
    calendars = directory.rules.calendars.items()
    # Whoever is there at a moment is there for some time: hours count in minutes.
    at_work = frozenset(name for name, calendar in calendars if calendar.between(now, now + timedelta(seconds=1)))
    found = await ticket_store.many(tx.connection, idents)
    return {
        row["id"]: _case(found[row["id"]], row, directory, at_work)
        for row in await tx.connection.fetch(SQL.cases, idents)
        if row["id"] in found
    }


def _case(ticket: Ticket, row: asyncpg.Record, directory: Directory, at_work: frozenset[str]) -> Case:
    values = _values(ticket, directory) | {key: row[key] for key in CONDITIONS_ONLY}
    owner = directory.users.get(ticket.owner or 0)
    texts = {
        "ticket": values,
        "customer": {"name": row["customer"], "company": row["company"], "tier": row["tier"]},
        "owner": {"name": owner.name, "full_name": owner.full_name} if owner is not None else {},
        "organisation": {"name": directory.organisation.name},
    }
    return Case(ticket, View(values, open=at_work), texts)


def _values(ticket: Ticket, directory: Directory) -> dict[str, Any]:
    """All fields of a ticket by their names in the file; queue and owner by name."""
    found: dict[str, Any] = {}
    for each in fields(ticket):
        value = getattr(ticket, each.name)
        if each.name == "fields":
            found |= {f"fields.{key}": one for key, one in value.items()}
        else:
            found[each.name] = value
    queue, owner = directory.queues.get(ticket.queue or 0), directory.users.get(ticket.owner or 0)
    named = {"queue": queue.name if queue else None, "owner": owner.name if owner else None}
    return found | named


# -- carrying out


async def carry_out(
    tx: Transaction,
    directory: Directory,
    case: Case,
    rule: str,
    steps: Sequence[Step],
    *,
    actor: int | None,
    now: datetime,
) -> None:
    """All steps of one rule, or none: what cannot be done is noted in the log, and must not stop who set it off.

    With an `actor` (a macro) the refusal is theirs: raises what the action raises.
    """
    before = len(tx.events)
    try:
        async with tx.connection.transaction():
            with tx.by_rule(rule):
                await _Run(tx, directory, case, rule, actor, now).do(steps)
    except CallcenterError as error:
        if actor is not None:
            raise
        del tx.events[before:]
        log.warning("rule.failed", rule=rule, ticket=case.ticket.id, error=type(error).__name__)
        # What people called their tasks is no matter of the log.
        reason = "unfinished tasks" if isinstance(error, tasks.Unfinished) else str(error)
        data = {"rule": rule, "reason": reason}
        await tx.append("rule.failed", ticket=case.ticket.id, data=data, now=now)


@dataclass(slots=True)
class _Run:
    tx: Transaction
    directory: Directory
    case: Case
    rule: str
    actor: int | None
    now: datetime

    async def do(self, steps: Sequence[Step]) -> None:
        """In their order; all that is set is set in one change, where the first of it stands."""
        is_set = False
        for step in steps:
            match step.verb:
                case "note" | "reply":
                    await self._write(fill(step.what, self.case.texts), public=step.verb == "reply")
                case "notify":
                    await self._notify(step)
                case "mail":
                    await self._mail(step.what)
                case "task" | "checklist":
                    await self._task(step)
                case _ if not is_set:
                    is_set = True
                    await self._set(steps)

    async def _set(self, steps: Sequence[Step]) -> None:
        ident = self.case.ticket.id
        if changed := changes(steps, self.case.view.values, self._heirs):
            wanted = self._ids(changed)
            await tickets.change(self.tx, ident, changes=wanted, version=None, actor=self.actor, now=self.now)
            if changed.get("state") in OVER:
                await tasks.refuse_unfinished(self.tx, ident)
            # Texts tell how it is then.
            self.case = await load_case(self.tx, self.directory, ident, now=self.now)

    async def _write(self, text: str, *, public: bool) -> None:
        ident = self.case.ticket.id
        await tickets.reply(self.tx, ident, text=text, public=public, actor=self.actor, now=self.now)

    def _heirs(self, what: str) -> Mapping[str, Any]:
        if what.startswith("queue:"):
            # Whoever had it is done with it; in the new queue anybody may take it.
            return {"queue": what.removeprefix("queue:"), "owner": None}
        found = people(self.directory, what, owner=self.case.ticket.owner)
        if not found:
            raise NotFound(f"There is nobody to hand it to: {what}.")
        return {"owner": found[0].name}

    def _ids(self, changed: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        free: dict[str, Any] = {}
        for key, value in changed.items():
            if key.startswith("fields."):
                free[key.removeprefix("fields.")] = value
            elif key == "queue" and value is not None:
                found[key] = self.directory.queue_named(value).id
            elif key == "owner" and value is not None:
                found[key] = self.directory.user_named(value).id
            else:
                found[key] = value
        return found | ({"fields": free} if free else {})

    async def _notify(self, step: Step) -> None:
        ticket, whom = self.case.ticket, self._whom
        queue = self.directory.queues.get(ticket.queue or 0)
        letter = {
            "number": ticket.number,
            "clock": None,
            "due_at": None,
            "priority": ticket.priority,
            "queue": queue.name if queue is not None else None,
        }
        told = self._readers(step.what)
        given = [
            NewNotice(
                user=user,
                ticket=ticket.id,
                number=ticket.number,
                queue=ticket.queue,
                clock=None,
                due_at=None,
                ways=tuple(way for way in ways(user, step.by) if way in self.directory.able),
                disturb_at=whom.opening(user, self.now) if step.respect_hours else self.now,
                data=letter,
            )
            for user in told
        ]
        await notices.put(self.tx, given, now=self.now)
        data = {"notified": [user.id for user in told]}
        await self.tx.append("notice.given", ticket=ticket.id, data=data, now=self.now)

    @property
    def _whom(self) -> Recipients:
        return Recipients(self.directory, self.case.ticket)

    def _readers(self, what: str) -> list[User]:
        """All supervisors where it leads to nobody; that nobody follows a ticket is no fault."""
        kind, _, name = what.partition(":")
        return self._whom.of(kind, name) or ([] if kind == "followers" else self._whom.somebody())

    async def _mail(self, what: Mapping[str, str]) -> None:
        if "@" in what["to"]:
            readers: list[tuple[str, str | None, str | None]] = [(what["to"], None, None)]
        else:
            found = [user for user in self._readers(what["to"]) if user.email]
            readers = [(str(user.email), user.full_name, user.language) for user in found]
        for address, name, language in readers:
            letter = NewLetter(
                recipient=address,
                recipient_name=name,
                language=language,
                subject=" ".join(fill(what["subject"], self.case.texts).split())[:200],
                text=fill(what["text"], self.case.texts),
                ticket=self.case.ticket.id,
            )
            await outbox.put(self.tx, letter, now=self.now)

    async def _task(self, step: Step) -> None:
        given: dict[str, Any] = {"ticket": self.case.ticket.id, "actor": self.actor, "now": self.now, "rule": self.rule}
        if step.verb == "task":
            await tasks.open_task(self.tx, self.directory, plan=task_plan(step.what), **given)
            return
        if await self.tx.connection.fetchval(TASKS.has_list, self.case.ticket.id, step.what) and self.actor is None:
            return  # the ticket has it: a rule asks that it is there, not that it is there twice
        await tasks.apply_checklist(self.tx, self.directory, checklist=step.what, **given)


async def apply_macro(
    contact_log: ContactLog,
    directory: Directory,
    macro: str,
    *,
    ticket: int,
    version: int | None,
    actor: int,
    now: datetime,
) -> None:
    """All of its steps, or none. Raises NotFound for the macro or ticket, Outdated for another version, and as the
    actions do that its steps are made of."""
    found = directory.rules.macros.get(macro)
    if found is None:
        raise NotFound(f"There is no macro named {macro}.")
    async with contact_log.transaction() as tx:
        await tx.lock_ticket(ticket)
        case = await load_case(tx, directory, ticket, now=now)
        if version is not None and version != case.ticket.version:
            raise Outdated(f"The ticket is at version {case.ticket.version} now, not {version}: look at it again.")
        await carry_out(tx, directory, case, f"macro:{found.name}", found.then, actor=actor, now=now)
