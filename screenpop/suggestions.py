"""Solutions beside a case: suggested from its text, put into an answer with one key, said to have solved it.

`GET /desk/solutions?ticket=…` or `?interaction=…` is a panel that any page with solutions.js and .css may load.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from callcenter.actions import solutions
from callcenter.domain.markdown import plain_of
from callcenter.domain.solution import ShownAt, SolutionState, Use
from callcenter.errors import Invalid, NotFound
from callcenter.store import solutions as store
from callcenter.store.solutions import STAFF, Found
from callcenter.web import markdown
from callcenter.web.auth import host, identity, is_https
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.rights import readable
from callcenter.web.solutions import first_day
from screenpop.page import draw, language_of

_SHOWN = 5
_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket or an interaction."""

    ticket: int | None
    interaction: int | None

    @property
    def name(self) -> str:
        """For the id of its panel."""
        return f"t{self.ticket}" if self.ticket is not None else f"i{self.interaction}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A solution that may fit, in words. `solved`: said to have solved this case; `inserted`: used in it."""

    id: int
    language: str
    title: str
    excerpt: str
    public: bool
    solved: bool
    inserted: bool


def excerpt(text: str, longest: int = _EXCERPT) -> str:
    """The beginning of an article on one line."""
    plain = " ".join(plain_of(text[: longest * 10]).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1].rstrip()}…"


def _hit(found: Found, used: Mapping[int, set[str]]) -> Hit:
    how = used.get(found.id, set())
    return Hit(
        found.id, found.language, found.title, excerpt(found.text), found.public, Use.SOLVED in how, Use.INSERTED in how
    )


async def _case(request: web.Request, fields: Mapping[str, str]) -> Case:
    """Raises Invalid, and Forbidden for the work of somebody else."""
    chosen = []
    for name in ("ticket", "interaction"):
        text = fields.get(name, "")
        if text and (not text.isascii() or not text.isdigit() or len(text) > 18):
            raise Invalid("That is no id.", field=name)
        chosen.append(int(text) if text else None)
    case = Case(*chosen)
    if (case.ticket is None) == (case.interaction is None):
        raise Invalid("Name a ticket or an interaction.", field="ticket")
    if case.interaction is not None:
        await readable(request, case.interaction)
    return case


async def _panel(request: web.Request, case: Case, *, asked: str, template: str) -> web.Response:
    pool, who, language = request.app[POOL], identity(request), language_of(request)
    if asked:
        found = await store.search(pool, asked, readers=STAFF, language=language.code, limit=_SHOWN)
    else:
        about = await store.about(pool, ticket=case.ticket, interaction=case.interaction, reader=who.user_id)
        found = await store.suggest(pool, about, readers=STAFF, language=language.code, limit=_SHOWN)
    used = await store.uses(pool, ticket=case.ticket, interaction=case.interaction)
    context = {"case": case, "asked": asked, "hits": [_hit(each, used) for each in found]}
    return draw(request, template, context)


async def get_panel(request: web.Request) -> web.StreamResponse:
    """All of it, or with `part=list` what was found alone. `q`: what somebody looks for instead."""
    case = await _case(request, request.query)
    asked = " ".join(request.query.get("q", "")[:200].replace("\x00", "").split())
    whole = request.query.get("part") != "list"
    return await _panel(request, case, asked=asked, template=f"solutions/{'_panel' if whole else '_hits'}.html")


async def post_insert(request: web.Request) -> web.StreamResponse:
    """What is put into the box: the link of a public article, the text of another one; that it was used is counted."""
    fields = {name: value for name, value in (await read_form(request)).items() if isinstance(value, str)}
    case, ident = await _case(request, fields), path_id(request)
    found = await store.get(request.app[POOL], ident)
    if found.state is not SolutionState.PUBLISHED:
        raise NotFound("This solution is not published.")
    shown = found.variant(fields.get("language"), language_of(request).code)
    if found.public and fields.get("as") != "text":
        site = f"{'https' if is_https(request) else 'http'}://{host(request)}"
        text = f"{shown.title}: {site}/help/{ident}?language={shown.language}"
    else:
        text = await markdown.plain_of(shown.text)
    await solutions.use(
        request.app[LOG], ident, ticket=case.ticket, interaction=case.interaction, how=Use.INSERTED,
        actor=identity(request).user_id, now=request.app[CLOCK](),
    )  # fmt: skip
    await solutions.note_shown(request.app[POOL], ident, place=ShownAt.DESK, day=first_day(request, 1))
    return web.Response(text=text, content_type="text/plain")


async def post_solved(request: web.Request) -> web.StreamResponse:
    """This was it, or it was not after all."""
    fields = {name: value for name, value in (await read_form(request)).items() if isinstance(value, str)}
    case, ident, who = await _case(request, fields), path_id(request), identity(request)
    act = solutions.take_back if fields.get("not") else solutions.use
    await act(
        request.app[LOG], ident, ticket=case.ticket, interaction=case.interaction, how=Use.SOLVED, actor=who.user_id,
        now=request.app[CLOCK](),
    )  # fmt: skip
    return await _panel(request, case, asked=fields.get("q", "")[:200], template="solutions/_hits.html")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/desk/solutions", get_panel),
        web.post(f"/desk/solutions/{ID}/insert", post_insert),
        web.post(f"/desk/solutions/{ID}/solved", post_solved),
    ]
