"""Tasks and checklists over REST."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from callcenter.actions import tasks
from callcenter.domain.task import TaskState
from callcenter.errors import Invalid
from callcenter.store import tasks as store
from callcenter.store import tickets
from callcenter.store.directory import Directory
from callcenter.store.rules import TaskPlan
from callcenter.store.tasks import Task
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, Name, answer, path_id, read_body, read_query
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.versions import etag, expected_version

Seconds = Annotated[float, Field(ge=0, le=366 * 86_400)]
_YEARS = 1970, 2999


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskItem:
    """`assignee`: agent:NAME or queue:NAME. `place`: its place in the checklist, from 0. `rule`: what opened it."""

    id: int
    ticket: int | None
    title: str
    state: TaskState
    assignee: str | None
    checklist: str | None
    place: int
    required: bool
    due_at: datetime | None
    remind_before_seconds: float | None
    overdue: bool
    rule: str | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """`assignee`: agent:NAME, queue:NAME or me; `due`: before this moment (RFC 3339), or `overdue`."""

    __pydantic_config__ = STRICT
    assignee: Line | None = None
    state: TaskState | None = None
    due: Line | None = None
    ticket: Id | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """Due at a moment, or after so many seconds of `hours` (without: of day and night)."""

    __pydantic_config__ = STRICT
    title: Name
    assignee: Line | None = None
    due_at: datetime | None = None
    due_after_seconds: Seconds | None = None
    hours: Line | None = None
    remind_before_seconds: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTaskAnywhere(NewTask):
    ticket: Id | None = None


class TaskChanges(TypedDict, total=False):
    """What is left out stays; null empties. `assignee`: agent:NAME or queue:NAME."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    title: Name
    state: TaskState
    assignee: Line | None
    due_at: datetime | None
    remind_before_seconds: Seconds | None


@dataclass(frozen=True, slots=True)
class ChosenChecklist:
    __pydantic_config__ = STRICT
    checklist: Line


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    name: str
    title: str
    in_order: bool
    required: bool
    steps: list[str]


@dataclass(frozen=True, slots=True)
class Tasks:
    items: list[TaskItem]


@dataclass(frozen=True, slots=True)
class Checklists:
    items: list[ChecklistItem]


def task_item(task: Task, directory: Directory) -> TaskItem:
    user, queue = directory.users.get(task.user or 0), directory.queues.get(task.queue or 0)
    who = f"agent:{user.name}" if user else f"queue:{queue.name}" if queue else None
    ended_by = directory.users.get(task.ended_by or 0)
    return TaskItem(
        id=task.id,
        ticket=task.ticket,
        title=task.title,
        state=task.state,
        assignee=who,
        checklist=task.checklist,
        place=task.place,
        required=task.required,
        due_at=task.due_at,
        remind_before_seconds=None if task.remind_before is None else task.remind_before.total_seconds(),
        overdue=task.overdue,
        rule=task.rule,
        created_at=task.created_at,
        updated_at=task.updated_at,
        ended_at=task.ended_at,
        ended_by=ended_by.name if ended_by else None,
        version=task.version,
    )


def _moment(request: web.Request, text: str | None) -> datetime | None:
    if text is None:
        return None
    if text == "overdue":
        return request.app[CLOCK]()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(f"{text!r} is no moment like 2026-03-10T18:00:00Z, and not overdue.", field="due")
    return found


@operation("GET", "/tasks", summary="Find tasks", tag="tasks", query=TaskFilter, answer=Page[TaskItem])
async def list_tasks(request: web.Request) -> web.StreamResponse:
    query, directory = read_query(request, TaskFilter), request.app[DIRECTORY]
    user, queue = tasks.assignee(directory, None if query.assignee == "me" else query.assignee, None)
    if query.assignee == "me":
        user = identity(request).user_id
    overdue = query.due == "overdue"
    wanted = store.Filter(
        user=user,
        queue=queue,
        state=TaskState.OPEN if overdue and query.state is None else query.state,
        due_before=_moment(request, query.due),
        ticket=query.ticket,
    )
    behind = read_place(query.after, start=0)
    found = await store.find(request.app[POOL], wanted, behind=behind, limit=query.limit + 1)
    items = [task_item(each, directory) for each in found[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


@operation("GET", f"/tasks/{ID}", summary="One task", tag="tasks", answer=TaskItem)
async def get_task(request: web.Request) -> web.StreamResponse:
    task = await store.get(request.app[POOL], path_id(request))
    return _say(request, task)


def _say(request: web.Request, task: Task, *, status: int = 200) -> web.StreamResponse:
    return answer(task_item(task, request.app[DIRECTORY]), status=status, headers=etag(task.version))


async def _open(request: web.Request, given: NewTask, ticket: int | None) -> web.StreamResponse:
    if given.due_at is not None and given.due_after_seconds is not None:
        raise Invalid("A task is due at a moment or after some time, not both.", field="due_at")
    if given.remind_before_seconds is not None and given.due_at is None and given.due_after_seconds is None:
        raise Invalid("Nobody can be reminded of a task that is never due.", field="remind_before_seconds")
    _check_due(given.due_at)
    if given.hours is not None and given.hours not in request.app[DIRECTORY].rules.calendars:
        raise Invalid(f"There are no hours named {given.hours}.", field="hours")
    plan = TaskPlan(
        given.title,
        given.assignee,
        due=_span(given.due_after_seconds),
        hours=given.hours,
        remind=_span(given.remind_before_seconds),
    )
    task = await tasks.open_task(
        request.app[LOG],
        request.app[DIRECTORY],
        plan=plan,
        ticket=ticket,
        due_at=given.due_at,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return _say(request, task, status=201)


def _check_due(at: datetime | None) -> None:
    """Raises Invalid for no moment of one time zone, and for one that reminders cannot be counted from."""
    if at is None:
        return
    if at.tzinfo is None:
        raise Invalid("A moment has a time zone, as in 2026-03-10T18:00:00Z.", field="due_at")
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise Invalid(f"A task is due from {_YEARS[0]} to {_YEARS[1]}.", field="due_at")


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


@operation("POST", "/tasks", summary="Open a task", tag="tasks", body=NewTaskAnywhere, answer=TaskItem, status=201)
async def post_task(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, NewTaskAnywhere)
    return await _open(request, given, given.ticket)


@operation(
    "PATCH", f"/tasks/{ID}", summary="Change a task; If-Match names the version that was seen", tag="tasks",
    body=TaskChanges, answer=TaskItem, refusals=(409, 412),
)  # fmt: skip
async def patch_task(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, TaskChanges)
    changes: dict[str, Any] = {key: given[key] for key in ("title", "state", "due_at") if key in given}
    if "assignee" in given:
        user, queue = tasks.assignee(request.app[DIRECTORY], given["assignee"], None)
        changes |= {"user": user, "queue": queue}
    if "remind_before_seconds" in given:
        changes["remind_before"] = _span(given["remind_before_seconds"])
    _check_due(changes.get("due_at"))
    task = await tasks.change(
        request.app[LOG],
        request.app[DIRECTORY],
        path_id(request),
        changes=changes,
        version=expected_version(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return _say(request, task)


@operation("GET", f"/tickets/{ID}/tasks", summary="What is to be done for a ticket", tag="tasks", answer=Tasks)
async def get_ticket_tasks(request: web.Request) -> web.StreamResponse:
    await tickets.get(request.app[POOL], path_id(request))
    return await _of_ticket(request)


async def _of_ticket(request: web.Request, *, status: int = 200) -> web.StreamResponse:
    found = await store.of_ticket(request.app[POOL], path_id(request))
    return answer(Tasks([task_item(each, request.app[DIRECTORY]) for each in found]), status=status)


@operation(
    "POST", f"/tickets/{ID}/tasks", summary="Open a task of a ticket", tag="tasks", body=NewTask, answer=TaskItem,
    status=201,
)  # fmt: skip
async def post_ticket_task(request: web.Request) -> web.StreamResponse:
    return await _open(request, await read_body(request, NewTask), path_id(request))


@operation("GET", "/checklists", summary="The checklists that there are", tag="tasks", answer=Checklists)
async def list_checklists(request: web.Request) -> web.StreamResponse:
    lists = request.app[DIRECTORY].rules.checklists.values()
    return answer(
        Checklists(
            [
                ChecklistItem(each.name, each.title, each.in_order, each.required, [step.title for step in each.steps])
                for each in lists
            ]
        )
    )


@operation(
    "POST", f"/tickets/{ID}/checklist", summary="Open the tasks of a checklist", tag="tasks", body=ChosenChecklist,
    answer=Tasks, status=201, acts=True,
)  # fmt: skip
async def post_checklist(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, ChosenChecklist)
    await tasks.apply_checklist(
        request.app[LOG],
        request.app[DIRECTORY],
        checklist=given.checklist,
        ticket=path_id(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _of_ticket(request, status=201)


def routes() -> list[web.RouteDef]:
    reads = (list_tasks, get_task, get_ticket_tasks, list_checklists)
    writes = (post_task, patch_task, post_ticket_task, post_checklist)
    return [each.route() for each in (*reads, *writes)]
