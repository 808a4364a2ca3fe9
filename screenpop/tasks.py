"""Tasks on the glass: one's own on the desk, and those of a ticket as a panel that any page may include."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from aiohttp import web

from callcenter.domain.task import LIVE, TaskState
from callcenter.store import tasks as store
from callcenter.store.directory import Directory
from callcenter.store.tasks import SQL, Task
from callcenter.web.auth import Identity
from callcenter.web.keys import CLOCK, DIRECTORY, POOL
from screenpop import words
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.page import language_of
from screenpop.pop import cut
from screenpop.promise import OwedClock, PromiseView, promise_view

_LISTED = 8


def task_promise(task: Task, language: Language, *, now: datetime, zone: tzinfo) -> PromiseView | None:
    """A task's due moment, counted down to like a promise; None without one, and when it is over."""
    if task.due_at is None or task.state is not TaskState.OPEN:
        return None
    risk = None if task.remind_before is None else (task.due_at - task.remind_before).isoformat()
    owed = OwedClock(
        clock="task", state="running", due_at=task.due_at.isoformat(), risk_at=risk, breached_at=None,
        remaining_seconds=None,
    )  # fmt: skip
    return promise_view([owed], language, now=now, zone=zone)


async def my_tasks(request: web.Request, who: Identity, *, now: datetime, zone: tzinfo) -> dict[str, object]:
    """For `tasks/_mine.html`: what a user has to do, and what their queues have, what is due first."""
    directory, language = request.app[DIRECTORY], language_of(request)
    queues = [queue.id for queue in directory.queues.values() if who.user_id in queue.members]
    rows = await request.app[POOL].fetch(SQL.mine, who.user_id, queues)
    found = [(store.task_of(row), row) for row in rows]
    return {
        "my_tasks": [
            {
                "id": task.id,
                "title": cut(task.title),
                "state": task.state.value,
                "number": row["number"],
                "customer": row["customer_id"],
                "department": _who(task, directory) if task.user is None else "",
                "promise": task_promise(task, language, now=now, zone=zone),
            }
            for task, row in found[:_LISTED]
        ],
        "my_tasks_count": len(found),
    }


async def ticket_tasks(request: web.Request, ticket: int) -> dict[str, object]:
    """For `tasks/_ticket.html`: the tasks of a ticket, who may do another one, and the checklists to choose from."""
    directory, language = request.app[DIRECTORY], language_of(request)
    now, zone = request.app[CLOCK](), zone_of(directory)
    found = await store.of_ticket(request.app[POOL], ticket)
    titles = {name: checklist.title for name, checklist in directory.rules.checklists.items()}
    return {
        "task_ticket": ticket,
        "tasks": [
            {
                "id": task.id,
                "title": cut(task.title),
                "state": task.state.value,
                "state_name": language.label(words.TASK, task.state),
                "over": task.state not in LIVE,
                "who": _who(task, directory),
                "list": titles.get(task.checklist or "", task.checklist or ""),
                "required": task.required,
                "promise": task_promise(task, language, now=now, zone=zone),
            }
            for task in found
        ],
        "tasks_done": sum(task.state not in LIVE for task in found),
        "assignees": _assignees(directory),
        "checklists": list(titles.items()),
    }


def _who(task: Task, directory: Directory) -> str:
    user, queue = directory.users.get(task.user or 0), directory.queues.get(task.queue or 0)
    return cut(user.full_name, 40) if user else queue.name if queue else ""


def _assignees(directory: Directory) -> Sequence[tuple[str, str]]:
    """Departments first, then people."""
    queues = sorted(queue.name for queue in directory.queues.values() if queue.active)
    people = sorted((user.full_name, user.name) for user in directory.users.values() if user.active)
    return [
        *((f"queue:{name}", name) for name in queues),
        *((f"agent:{name}", cut(full_name, 40)) for full_name, name in people),
    ]
