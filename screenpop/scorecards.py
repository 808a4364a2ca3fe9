"""The page on which scorecards are written, in the words of the organisation file."""

from aiohttp import web

from callcenter import toml
from callcenter.actions import forms
from callcenter.domain.agent import Role
from callcenter.domain.form import FormEntry, FormKind
from callcenter.domain.organisation import Organisation
from callcenter.domain.organisation_file import understand
from callcenter.domain.organisation_text import to_toml
from callcenter.errors import Invalid
from callcenter.store.forms import read_forms
from callcenter.toml import BadFile
from callcenter.web.auth import require
from callcenter.web.body import read_form
from callcenter.web.keys import CLOCK, LOG, POOL
from screenpop.page import draw, person_context

_EXAMPLE = """[[scorecards]]
name = "phone"
pass_mark = 80                      # per cent
sections = [
  { name = "opening", text = { en = "Opening", zh_CN = "开场" }, questions = [
    { name = "greeting", text = "Did they greet and give their name?", weight = 2 },
    { name = "identity", text = "Was the caller identified?", critical = "all" },     # or "section"
  ] },
  { name = "talk", text = "Conversation", questions = [
    { name = "tone", text = "Friendly and clear", kind = "scale", highest = 5, weight = 3 },
    { name = "solution", text = "Was the solution right?", weight = 4, na = true },   # may not apply
  ] },
]
"""


async def _kept(request: web.Request) -> list[FormEntry]:
    async with request.app[POOL].acquire() as connection:
        return [each for each in await read_forms(connection) if each.kind is FormKind.SCORECARD]


def _page(
    request: web.Request, text: str, *, done: bool = False, problems: list[str] | None = None, status: int = 200
) -> web.Response:
    context = {
        **person_context(request, require(request, Role.SUPERVISOR), at="quality"),
        "source": text,
        "done": done,
        "problems": problems or [],
    }
    return draw(request, "scorecards.html", context, status=status)


async def get_scorecards(request: web.Request) -> web.StreamResponse:
    require(request, Role.SUPERVISOR)
    found = await _kept(request)
    text = to_toml(Organisation(forms=tuple(found))) if found else _EXAMPLE
    return _page(request, text, done="done" in request.query)


async def post_scorecards(request: web.Request) -> web.StreamResponse:
    """What is not named stays; each that changed becomes a new version."""
    who = require(request, Role.SUPERVISOR)
    text = str((await read_form(request)).get("source", "")).replace("\r\n", "\n")
    try:
        said = understand(toml.parse(text, "scorecards"), {}).organisation
        if said != Organisation(forms=said.forms) or any(e.kind is not FormKind.SCORECARD for e in said.forms):
            raise Invalid("Only [[scorecards]] are written here.")
    except BadFile as error:
        return _page(request, text, problems=[str(each) for each in error.problems], status=422)
    except Invalid as error:
        return _page(request, text, problems=[str(error)], status=422)
    for entry in said.forms:
        await forms.put(request.app[LOG], entry, actor=who.user_id, now=request.app[CLOCK]())
    raise web.HTTPSeeOther("/quality/scorecards?done")


def routes() -> list[web.RouteDef]:
    return [web.get("/quality/scorecards", get_scorecards), web.post("/quality/scorecards", post_scorecards)]
