"""What can be done to a task: open, change, finish, cancel; and the checklists that open several."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from callcenter.actions.people import followers_of_work
from callcenter.domain.machine import step
from callcenter.domain.task import LIVE, TRANSITIONS, VERBS, Call, TaskState, TaskVerb
from callcenter.errors import Conflict, Invalid, NotFound, Outdated
from callcenter.store import tasks as store
from callcenter.store import tickets
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.rules import Checklist, Rulebook, TaskPlan
from callcenter.store.tasks import SQL, Task
from callcenter.store.tickets import Ticket


class Unfinished(Conflict):
    """A ticket's tasks must be done before it is resolved; the sentence names them."""


LONGEST_TITLE = 200
_CHANGEABLE = frozenset({"title", "state", "user", "queue", "due_at", "remind_before"})


async def open_task(
    log: ContactLog | Transaction,
    directory: Directory,
    *,
    plan: TaskPlan,
    ticket: int | None,
    actor: int | None,
    now: datetime,
    due_at: datetime | None = None,
    rule: str | None = None,
) -> Task:
    """`due_at` wins over what the plan says. Raises Invalid for a title or an assignee, NotFound for the ticket."""
    async with log.transaction() as tx:
        case = await _locked(tx, ticket)
        user, queue = assignee(directory, plan.assignee, case)
        ident = await _add(
            tx, directory.rules, plan, case, user=user, queue=queue, due_at=due_at, rule=rule, actor=actor, now=now
        )
        task = await store.get(tx.connection, ident)
        await _tell(tx, "task.opened", task, case, directory, actor=actor, now=now)
    return task


async def apply_checklist(
    log: ContactLog | Transaction,
    directory: Directory,
    *,
    checklist: str,
    ticket: int,
    actor: int | None,
    now: datetime,
    rule: str | None = None,
) -> Sequence[Task]:
    """Opens its steps. Raises NotFound, Conflict for a ticket that has this checklist and is not done with it."""
    try:
        template = directory.rules.checklists[checklist]
    except KeyError:
        raise NotFound(f"There is no checklist named {checklist}.") from None
    async with log.transaction() as tx:
        case = await _locked(tx, ticket)
        if await tx.connection.fetchval(SQL.has_list, ticket, checklist):
            raise Conflict(f"The ticket has the checklist {checklist} already, and is not done with it.")
        first: int | None = None
        for place, plan in enumerate(template.steps):
            user, queue = assignee(directory, plan.assignee, case)
            ident = await _add(
                tx, directory.rules, plan, case, user=user, queue=queue, rule=rule, actor=actor, now=now,
                template=template, first=first, place=place,
            )  # fmt: skip
            first = first or ident
            task = await store.get(tx.connection, ident)
            await _tell(tx, "task.opened", task, case, directory, actor=actor, now=now)
        found = await store.of_ticket(tx.connection, ticket)
    return [task for task in found if task.list == first]


async def _locked(tx: Transaction, ticket: int | None) -> Ticket | None:
    if ticket is None:
        return None
    await tx.lock_ticket(ticket)
    return await tickets.get(tx.connection, ticket)


def assignee(directory: Directory, who: str | None, ticket: Ticket | None) -> tuple[int | None, int | None]:
    """User and queue. Raises Invalid for those that there are not, or not any more."""
    kind, _, name = (who or "").partition(":")
    try:
        match kind:
            case "":
                return None, None
            case "owner":
                return (ticket.owner, None if ticket.owner is not None else ticket.queue) if ticket else (None, None)
            case "agent" if directory.user_named(name).active:
                return directory.user_named(name).id, None
            case "queue" if directory.queue_named(name).active:
                return None, directory.queue_named(name).id
    except NotFound as error:
        raise Invalid(str(error), field="assignee") from None
    raise Invalid(f"{who!r} takes no tasks; expected agent:NAME, queue:NAME or owner.", field="assignee")


async def _add(
    tx: Transaction,
    book: Rulebook,
    plan: TaskPlan,
    ticket: Ticket | None,
    *,
    user: int | None,
    queue: int | None,
    rule: str | None,
    actor: int | None,
    now: datetime,
    due_at: datetime | None = None,
    template: Checklist | None = None,
    first: int | None = None,
    place: int = 0,
) -> int:
    waits = template is not None and template.in_order and first is not None
    if due_at is None and plan.due is not None and not waits:
        due_at = book.calendar(plan.hours).after(now, plan.due)
    task = Task(
        id=0,
        ticket=ticket.id if ticket is not None else None,
        title=checked_title(plan.title),
        state=TaskState.WAITING if waits else TaskState.OPEN,
        user=user,
        queue=queue,
        checklist=template.name if template is not None else None,
        list=first,
        place=place,
        required=template is not None and template.required,
        due_in=plan.due,
        hours=plan.hours,
        due_at=due_at,
        remind_before=plan.remind,
        reminded=False,
        overdue=False,
        rule=rule,
        created_at=now,
        updated_at=now,
        ended_at=None,
        ended_by=None,
        version=1,
    )
    ident: int = await tx.connection.fetchval(
        SQL.add, task.ticket, task.title, task.state, user, queue, task.checklist, first, place, task.required,
        task.due_in, task.hours, due_at, task.remind_before, task.next_at, rule, actor, now,
    )  # fmt: skip
    if template is not None and first is None:
        await tx.connection.execute(SQL.begin_list, ident)
    return ident


def checked_title(title: str) -> str:
    found = title.strip()
    if not found or len(found) > LONGEST_TITLE or not found.isprintable():
        raise Invalid(f"A task has a title of one line, at most {LONGEST_TITLE} characters.", field="title")
    return found


async def change(
    log: ContactLog | Transaction,
    directory: Directory,
    task: int,
    *,
    changes: Mapping[str, Any],
    version: int | None,
    actor: int | None,
    now: datetime,
) -> Task:
    """Changes title, state, user, queue, due_at or remind_before; `version` None: whatever it is.

    A user and a queue take the task from each other. Raises Outdated when somebody else changed it since that version,
    IllegalTransition, Invalid, NotFound.
    """
    if unknown := changes.keys() - _CHANGEABLE:
        raise Invalid(f"A task has no {', '.join(sorted(unknown))} to change.", field=min(unknown))
    async with log.transaction() as tx:
        before, case = await _held(tx, task)
        if version is not None and version != before.version:
            raise Outdated(f"The task is at version {before.version} now, not {version}: look at it again.")
        after = _changed(before, changes, actor=actor, now=now)
        if after == before:
            return before
        await _write(tx, after, now=now)
        found = await store.get(tx.connection, task)
        data = {"before_user": before.user} if before.user not in (None, after.user) else {}
        await _tell(tx, _kind(before, after), found, case, directory, actor=actor, now=now, data=data)
        if before.state in LIVE and after.state not in LIVE:
            await _go_on(tx, directory, found, case, actor=actor, now=now)
    return found


async def _held(tx: Transaction, ident: int) -> tuple[Task, Ticket | None]:
    """Locked: a task of a ticket by its ticket. Which one that is may have changed before the lock was there."""
    while True:
        seen = await store.get(tx.connection, ident)
        case = await _locked(tx, seen.ticket)
        if case is None:
            await tx.connection.execute(SQL.lock, ident)
        task = await store.get(tx.connection, ident)
        if task.ticket == seen.ticket:
            return task, case


def _changed(before: Task, changes: Mapping[str, Any], *, actor: int | None, now: datetime) -> Task:
    given = {key: value for key, value in changes.items() if value != getattr(before, key)}
    if "title" in given:
        given["title"] = checked_title(given["title"])
    if given.get("user") is not None:
        given.setdefault("queue", None)
    elif given.get("queue") is not None:
        given.setdefault("user", None)
    if given.get("user") is not None and given.get("queue") is not None:
        raise Invalid("A task is a person's or a queue's, not both.", field="queue")
    if "state" in given:
        state = _member(given["state"])
        given["state"] = step(TRANSITIONS, before.state, VERBS[state])
        over = state not in LIVE
        given |= {"ended_at": now if over else None, "ended_by": actor if over else None}
    if {"due_at", "remind_before"} & given.keys():
        given |= {"reminded": False, "overdue": False}
    after = replace(before, **given)
    if after.remind_before is not None and after.due_at is None:
        raise Invalid("Nobody can be reminded of a task that is never due.", field="remind_before")
    return after


def _member(value: Any) -> TaskState:
    if value not in VERBS:
        raise Invalid(f"{value!r} is no state to put a task into; expected open, done or cancelled.", field="state")
    return TaskState(value)


def _kind(before: Task, after: Task) -> str:
    if before.state is after.state:
        return "task.changed"
    return {TaskState.DONE: "task.done", TaskState.CANCELLED: "task.cancelled"}.get(after.state, "task.reopened")


async def _write(tx: Transaction, task: Task, *, now: datetime) -> None:
    await tx.connection.execute(SQL.change, *store.change_row(task, now))


async def _go_on(
    tx: Transaction, directory: Directory, over: Task, case: Ticket | None, *, actor: int | None, now: datetime
) -> None:
    """The next step's turn, which it is due from."""
    if over.list is None:
        return
    ident = await tx.connection.fetchval(SQL.following, over.list)
    if ident is None:
        return
    task = await store.get(tx.connection, ident)
    due_at = None if task.due_in is None else directory.rules.calendar(task.hours).after(now, task.due_in)
    state = step(TRANSITIONS, task.state, TaskVerb.BEGIN)
    await _write(tx, replace(task, state=state, due_at=due_at), now=now)
    found = await store.get(tx.connection, ident)
    await _tell(tx, "task.begun", found, case, directory, actor=actor, now=now)


async def _tell(
    tx: Transaction,
    kind: str,
    task: Task,
    case: Ticket | None,
    directory: Directory,
    *,
    actor: int | None,
    now: datetime,
    data: Mapping[str, Any] | None = None,
) -> None:
    """The log, and a notice to whoever has it in hand now and did not take it themselves."""
    said = {**task.image(), **(data or {})}
    if kind in ("task.done", "task.cancelled") and task.ticket is not None:
        said["left"] = await tx.connection.fetchval(SQL.left, task.ticket)
    assigned = kind in ("task.opened", "task.begun", "task.changed") and task.state is TaskState.OPEN
    if assigned and task.user not in (None, actor) and (kind != "task.changed" or "before_user" in said):
        await notify(tx, [task.user or 0], task, "task_assigned", now=now)
        said["notified"] = [task.user]
    elif kind in ("task.opened", "task.begun") and task.queue is not None and task.state is TaskState.OPEN:
        # A department sees it in its members' lists; nobody in particular is told.
        said["notified"] = [user.id for user in followers_of_work(directory, None, task.queue)]
    await tx.append(
        kind,
        ticket=task.ticket,
        customer=case.customer if case is not None else None,
        agent=task.user,
        queue=task.queue,
        actor=actor,
        version=task.version,
        data=said,
        now=now,
    )


async def notify(tx: Transaction, users: Sequence[int], task: Task, kind: str, *, now: datetime) -> None:
    rows = [(user, task.ticket, task.id, kind, task.due_at, now) for user in users]
    await tx.connection.executemany(SQL.add_notice, rows)


async def refuse_unfinished(tx: Transaction, ticket: int) -> None:
    """Raises Unfinished when something must be done before the ticket is resolved."""
    titles = [row["title"] for row in await tx.connection.fetch(SQL.blocking, ticket)]
    if titles:
        raise Unfinished(f"These tasks must be done first: {', '.join(titles)}.")


# -- the sweep


async def sweep(log: ContactLog, directory: Directory, *, now: datetime, limit: int = 100) -> int:
    """Reminds of what is due soon, and says what is overdue, once each; how many were looked at."""
    async with log.transaction() as tx:
        found = await tx.connection.fetch(SQL.due, now, limit)
        for row in found:
            # Behind the lock: another sweep may have done it meanwhile.
            task = await store.get(tx.connection, row["id"])
            if task.ticket != row["ticket_id"]:
                continue  # its ticket was merged meanwhile, and that one is not locked: the next sweep has it
            for call in task.reminders.due_calls(task.state, now):
                await _call(tx, directory, task, call, now=now)
    return len(found)


async def _call(tx: Transaction, directory: Directory, task: Task, call: Call, *, now: datetime) -> None:
    people = [user.id for user in followers_of_work(directory, task.user, task.queue)]
    done = replace(task, reminded=True, overdue=task.overdue or call is Call.OVERDUE)
    await _write(tx, done, now=task.updated_at)
    await notify(tx, people, task, f"task_{call}", now=now)
    await tx.append(
        f"task.{call}",
        ticket=task.ticket,
        agent=task.user,
        queue=task.queue,
        version=task.version + 1,
        data={**task.image(), "notified": people},
        now=now,
    )
