"""A ticket or a task on the stage of a desk, offered or taken: what it is about, and the way to its page."""

from aiohttp import web

from callcenter.errors import NotFound
from callcenter.store import tasks
from callcenter.store.queries import Queries
from callcenter.web.auth import identity
from callcenter.web.body import ID, path_id
from callcenter.web.keys import CLOCK, DIRECTORY, POOL
from screenpop import words
from screenpop.desk import zone_of
from screenpop.page import draw, language_of
from screenpop.tasks import task_promise

_SQL = Queries.beside(__file__)


async def get_about(request: web.Request) -> web.StreamResponse:
    language, now, zone = language_of(request), request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    row = await request.app[POOL].fetchrow(_SQL.about, path_id(request), identity(request).user_id)
    if row is None:
        raise NotFound("You do not have this contact in hand.")
    about = dict(row)
    if row["number"] is not None:
        about["priority_name"] = language.label(words.PRIORITY, row["priority"])
        about["when"] = language.when(row["created_at"], now, zone)
    if row["task"] is not None:
        task = await tasks.get(request.app[POOL], row["task"])
        about |= {"task_state": task.state, "promise": task_promise(task, language, now=now, zone=zone)}
    return draw(request, "desk/_offered_work.html", {"about": about})


def routes() -> list[web.RouteDef]:
    return [web.get(f"/desk/interactions/{ID}/about", get_about)]
