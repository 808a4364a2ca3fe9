"""Tasks: rows in, rows out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from callcenter.domain.task import Reminders, TaskState
from callcenter.errors import NotFound
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`user`, `queue`: whose it is, by id. `list`: the first step of its checklist; `place`: its place there, from 0.
    `due_in`: how long after its turn came it is due, in the time of `hours`."""

    id: int
    ticket: int | None
    title: str
    state: TaskState
    user: int | None
    queue: int | None
    checklist: str | None
    list: int | None
    place: int
    required: bool
    due_in: timedelta | None
    hours: str | None
    due_at: datetime | None
    remind_before: timedelta | None
    reminded: bool
    overdue: bool
    rule: str | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    ended_by: int | None
    version: int

    @property
    def reminders(self) -> Reminders:
        return Reminders(self.due_at, self.remind_before, reminded=self.reminded, overdue=self.overdue)

    @property
    def next_at(self) -> datetime | None:
        following = self.reminders.next(self.state)
        return None if following is None else following[1]

    def image(self) -> dict[str, Any]:
        """States and ids, for the log."""
        return {"task": self.id, "state": self.state, "due_at": self.due_at, "checklist": self.checklist}


@dataclass(frozen=True, slots=True)
class Filter:
    """None leaves a condition out."""

    user: int | None = None
    queue: int | None = None
    state: str | None = None
    due_before: datetime | None = None
    ticket: int | None = None


_NAMES = {"ticket": "ticket_id", "user": "user_id", "queue": "queue_id"}
_COLUMNS = tuple((each.name, _NAMES.get(each.name, each.name)) for each in fields(Task))


def task_of(row: asyncpg.Record) -> Task:
    values = {name: row[column] for name, column in _COLUMNS}
    return Task(**{**values, "state": TaskState(values["state"])})


async def get(connection: Connection | Pool, ident: int) -> Task:
    """Raises NotFound."""
    row = await connection.fetchrow(SQL.task, ident)
    if row is None:
        raise NotFound(f"There is no task {ident}.")
    return task_of(row)


async def of_ticket(connection: Connection | Pool, ticket: int) -> Sequence[Task]:
    """In the order in which they are to be done."""
    return [task_of(row) for row in await connection.fetch(SQL.of_ticket, ticket)]


async def find(pool: Pool, wanted: Filter, *, behind: int, limit: int) -> Sequence[Task]:
    """By rising id, those behind one."""
    rows = await pool.fetch(
        SQL.list_tasks, behind, wanted.user, wanted.queue, wanted.state, wanted.due_before, wanted.ticket, limit
    )
    return [task_of(row) for row in rows]


def change_row(task: Task, now: datetime) -> tuple[object, ...]:
    """The arguments of the query `change`; `task` has the version that is expected."""
    return (
        task.id, task.version, task.title, task.state, task.user, task.queue, task.due_at, task.remind_before,
        task.reminded, task.overdue, task.next_at, now, task.ended_at, task.ended_by,
    )  # fmt: skip
