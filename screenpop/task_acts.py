"""What is done to tasks on the consoles: each a form that calls one action and answers with the list it stood in."""

from aiohttp import web

from callcenter.actions import tasks
from callcenter.store import tickets
from callcenter.store.rules import TaskPlan
from callcenter.store.tasks import get
from callcenter.web.auth import identity
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from screenpop.console import desk_part, selection_of
from screenpop.page import draw
from screenpop.tasks import ticket_tasks


async def _fields(request: web.Request) -> dict[str, str]:
    return {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}


async def _panel(request: web.Request, ticket: int) -> web.StreamResponse:
    return draw(request, "tasks/_ticket.html", await ticket_tasks(request, ticket))


async def get_tasks(request: web.Request) -> web.StreamResponse:
    """The panel of a ticket's tasks."""
    identity(request)
    ticket = await tickets.get(request.app[POOL], path_id(request))
    return await _panel(request, ticket.id)


async def post_task(request: web.Request) -> web.StreamResponse:
    fields, ticket = await _fields(request), path_id(request)
    await tasks.open_task(
        request.app[LOG],
        request.app[DIRECTORY],
        plan=TaskPlan(fields.get("title", ""), fields.get("assignee") or None),
        ticket=ticket,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _panel(request, ticket)


async def post_checklist(request: web.Request) -> web.StreamResponse:
    fields, ticket = await _fields(request), path_id(request)
    await tasks.apply_checklist(
        request.app[LOG],
        request.app[DIRECTORY],
        checklist=fields.get("checklist", ""),
        ticket=ticket,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )
    return await _panel(request, ticket)


async def post_state(request: web.Request) -> web.StreamResponse:
    """Done, cancelled or open again. `of`: ticket for the panel of a ticket; else the desk."""
    who, ident = identity(request), path_id(request)
    await tasks.change(
        request.app[LOG],
        request.app[DIRECTORY],
        ident,
        changes={"state": (await _fields(request)).get("state", "")},
        version=None,
        actor=who.user_id,
        now=request.app[CLOCK](),
    )
    task = await get(request.app[POOL], ident)
    if request.query.get("of") == "ticket" and task.ticket is not None:
        return await _panel(request, task.ticket)
    return await desk_part(request, who, selection_of(request))


def routes() -> list[web.RouteDef]:
    return [
        web.get(f"/desk/tickets/{ID}/tasks", get_tasks),
        web.post(f"/desk/tickets/{ID}/tasks", post_task),
        web.post(f"/desk/tickets/{ID}/checklist", post_checklist),
        web.post(f"/desk/tasks/{ID}/state", post_state),
    ]
