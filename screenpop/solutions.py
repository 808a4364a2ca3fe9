"""Solutions for those who write them: list, read, write, versions, and what they were good for. Plain forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from aiohttp import web
from markupsafe import Markup

from callcenter.actions import solutions
from callcenter.domain.agent import Role
from callcenter.domain.solution import LONGEST_TEXT, LONGEST_TITLE, ShownAt, Solution, SolutionState, may_publish
from callcenter.errors import CallcenterError, Forbidden, Invalid, Outdated
from callcenter.store import solutions as store
from callcenter.store.solutions import EDITORS, Filter
from callcenter.web import api_solution_figures
from callcenter.web.auth import Identity, identity, require
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.markdown import html_of
from callcenter.web.problem import problem_of
from callcenter.web.solutions import changeable, first_day, require_publisher
from screenpop.desk import zone_of
from screenpop.help_pages import language_names
from screenpop.i18n import NAMES, Language
from screenpop.page import draw, explain, language_of, person_context
from screenpop.pop import cut
from screenpop.words import SOLUTION_STATE

_PAGE = 50
_DAYS = 90


@dataclass(frozen=True, slots=True)
class Line:
    """An article in the list, in words."""

    id: int
    title: str
    language: str
    languages: str
    state: str
    state_name: str
    public: bool
    proposed: bool
    category: str
    owner: str
    when: str
    exactly: str


def _line(request: web.Request, found: Solution, language: Language) -> Line:
    directory, zone = request.app[DIRECTORY], zone_of(request.app[DIRECTORY])
    shown, owner = found.variant(language.code), directory.users.get(found.owner or 0)
    return Line(
        id=found.id,
        title=cut(shown.title),
        language=shown.language,
        languages=" · ".join(name for _, name in language_names([each.language for each in found.variants])),
        state=found.state,
        state_name=language.label(SOLUTION_STATE, found.state),
        public=found.public,
        proposed=found.state is not SolutionState.DRAFT and any(e.latest != e.live for e in found.variants),
        category=found.category or "",
        owner=owner.full_name if owner else "",
        when=language.when(found.updated_at, request.app[CLOCK](), zone),
        exactly=language.exactly(found.updated_at, zone),
    )


def _today(request: web.Request) -> date:
    return first_day(request, 1)


def _views(request: web.Request) -> Mapping[str, Filter]:
    return {
        "all": Filter(),
        "published": Filter(state=SolutionState.PUBLISHED),
        "draft": Filter(state=SolutionState.DRAFT),
        "proposed": Filter(state=SolutionState.PUBLISHED, proposed=True),
        "review": Filter(review_by=_today(request)),
        "retired": Filter(state=SolutionState.RETIRED),
    }


def _context(request: web.Request, who: Identity) -> dict[str, object]:
    return {**person_context(request, who, at="solutions"), "may_publish": may_publish(who.role), "refusal": ""}


async def get_list(request: web.Request) -> web.StreamResponse:
    who, pool, language = identity(request), request.app[POOL], language_of(request)
    asked = " ".join(request.query.get("q", "")[:200].replace("\x00", "").split())
    views = _views(request)
    view = request.query.get("view", "all")
    wanted = views.get(view, views["all"])
    category = request.query.get("category") or None
    if asked:
        hits = await store.search(pool, asked, readers=EDITORS, language=language.code, limit=_PAGE)
        found = await store.many(pool, [each.id for each in hits])
        await solutions.note_search(pool, asked, place=ShownAt.DESK, found=len(hits), now=request.app[CLOCK]())
    else:
        top = _number(request.query, "after") or TOP
        found = await store.find(pool, replace(wanted, category=category), below=top, limit=_PAGE + 1)
    context = {
        **_context(request, who),
        "q": asked,
        "view": view if view in views else "all",
        "category": category or "",
        "lines": [_line(request, each, language) for each in found[:_PAGE]],
        "more": found[_PAGE - 1].id if len(found) > _PAGE else None,
    }
    return draw(request, "solutions/list.html", context)


async def get_article(request: web.Request) -> web.StreamResponse:
    who, pool = identity(request), request.app[POOL]
    found = await store.get(pool, path_id(request))
    if found.state is SolutionState.PUBLISHED:
        await solutions.note_shown(pool, found.id, place=ShownAt.DESK, day=_today(request))
    return await _article(request, who, found)


async def _article(
    request: web.Request, who: Identity, found: Solution, *, refusal: str = "", status: int = 200
) -> web.Response:
    language, directory = language_of(request), request.app[DIRECTORY]
    shown = found.variant(request.query.get("language"), language.code)
    own = found.created_by == who.user_id and found.state is SolutionState.DRAFT
    context = {
        **_context(request, who),
        "article": found,
        "line": _line(request, found, language),
        "shown": shown,
        "html": Markup(await html_of(shown.text)),  # noqa: S704 - cleaned
        "variants": language_names([each.language for each in found.variants]),
        "waiting": [each for each in found.variants if each.latest != each.live],
        "figures": await request.app[POOL].fetchrow(api_solution_figures.SQL.of_article, found.id),
        "editable": may_publish(who.role) or own,
        "people": sorted([(user.id, user.full_name) for user in directory.users.values() if user.active], key=_by_name),
        "today": _today(request),
        "in_half_a_year": _today(request) + timedelta(days=182),
        "refusal": refusal,
    }
    return draw(request, "solutions/article.html", context, status=status)


def _by_name(person: tuple[int, str]) -> str:
    return person[1].casefold()


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the form of a text."""

    language: str
    title: str
    text: str


async def _editor(
    request: web.Request, who: Identity, found: Solution | None, form: Form, *, refusal: str = "", status: int = 200
) -> web.Response:
    context = {
        **_context(request, who),
        "article": found,
        "form": form,
        "codes": language_names(list(dict.fromkeys([*NAMES, form.language]))),
        "html": Markup(await html_of(form.text)),  # noqa: S704 - cleaned
        "longest_title": LONGEST_TITLE,
        "longest_text": LONGEST_TEXT,
        "refusal": refusal,
    }
    return draw(request, "solutions/edit.html", context, status=status)


async def get_new(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    return await _editor(
        request, who, None, Form(language_of(request).code, request.query.get("title", "")[:LONGEST_TITLE], "")
    )


async def get_edit(request: web.Request) -> web.StreamResponse:
    """The latest text in a language, published or not; empty for a language that the article does not have yet."""
    who, pool = identity(request), request.app[POOL]
    found = await store.get(pool, path_id(request))
    language = request.query.get("language") or found.variant(language_of(request).code).language
    known = next((each for each in found.variants if each.language == language), None)
    if known is None:
        return await _editor(request, who, found, Form(language[:10], "", ""))
    [latest] = await store.versions(pool, found.id, language=language, n=known.latest)
    return await _editor(request, who, found, Form(language, latest.title, latest.text))


async def _fields(request: web.Request) -> dict[str, str]:
    form = await read_form(request)
    return {name: value.replace("\x00", "") for name, value in form.items() if isinstance(value, str)}


async def post_new(request: web.Request) -> web.StreamResponse:
    who, fields = identity(request), await _fields(request)
    form = Form(fields.get("language", ""), fields.get("title", ""), fields.get("text", ""))
    try:
        if fields.get("publish"):
            require_publisher(who)
        made = await solutions.create(
            request.app[LOG], texts={form.language: (form.title, form.text)}, publish=bool(fields.get("publish")),
            owner=who.user_id, actor=who.user_id, now=request.app[CLOCK](),
        )  # fmt: skip
    except (Invalid, Forbidden) as error:
        return await _editor(request, who, None, form, **_refused(request, error))
    raise web.HTTPSeeOther(f"/solutions/{made.id}?language={form.language}")


async def post_text(request: web.Request) -> web.StreamResponse:
    """A proposal, or for supervisors what readers see from now on. What was typed stays when it is refused."""
    who, fields, ident = identity(request), await _fields(request), path_id(request)
    form = Form(fields.get("language", ""), fields.get("title", ""), fields.get("text", ""))
    try:
        if fields.get("publish"):
            require_publisher(who)
        await solutions.save(
            request.app[LOG], ident, language=form.language, title=form.title, text=form.text,
            version=_number(fields, "version"), publish=bool(fields.get("publish")), actor=who.user_id,
            now=request.app[CLOCK](),
        )  # fmt: skip
    except (Invalid, Forbidden, Outdated) as error:
        found = await store.get(request.app[POOL], ident)
        return await _editor(request, who, found, form, **_refused(request, error))
    raise web.HTTPSeeOther(f"/solutions/{ident}?language={form.language}")


def _number(fields: Mapping[str, str], name: str) -> int | None:
    text = fields.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _refused(request: web.Request, error: CallcenterError) -> dict[str, Any]:
    problem = problem_of(error)[0]
    return {"refusal": explain(language_of(request), problem), "status": problem.status}


async def post_preview(request: web.Request) -> web.StreamResponse:
    identity(request)
    text = (await _fields(request)).get("text", "")[:LONGEST_TEXT]
    return web.Response(text=await html_of(text.replace("\r\n", "\n")), content_type="text/html")


async def post_properties(request: web.Request) -> web.StreamResponse:
    who, fields, ident = identity(request), await _fields(request), path_id(request)
    try:
        await changeable(request, ident)
        changes: dict[str, Any] = {
            "category": fields.get("category"),
            "tags": fields.get("tags", "").replace("，", ",").split(","),
            "owner": _number(fields, "owner"),
            "review_on": _date(fields.get("review_on", "")),
        }
        if may_publish(who.role):
            changes["public"] = fields.get("public") == "1"
        await solutions.change(
            request.app[LOG], ident, changes=changes, version=_number(fields, "version"), actor=who.user_id,
            now=request.app[CLOCK](),
        )  # fmt: skip
    except (Invalid, Forbidden, Outdated) as error:
        found = await store.get(request.app[POOL], ident)
        return await _article(request, who, found, **_refused(request, error))
    raise web.HTTPSeeOther(f"/solutions/{ident}")


def _date(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("That is no date.", field="review_on") from None


async def _moved(request: web.Request, act: Any) -> web.StreamResponse:
    who, ident = require(request, Role.SUPERVISOR), path_id(request)
    try:
        await act(
            request.app[LOG], ident, version=_number(await _fields(request), "version"), actor=who.user_id,
            now=request.app[CLOCK](),
        )  # fmt: skip
    except Outdated as error:
        found = await store.get(request.app[POOL], ident)
        return await _article(request, who, found, **_refused(request, error))
    raise web.HTTPSeeOther(f"/solutions/{ident}")


async def post_publish(request: web.Request) -> web.StreamResponse:
    return await _moved(request, solutions.publish)


async def post_retire(request: web.Request) -> web.StreamResponse:
    return await _moved(request, solutions.retire)


async def get_versions(request: web.Request) -> web.StreamResponse:
    """Every text that was saved in a language, one of them shown."""
    who, pool, language = identity(request), request.app[POOL], language_of(request)
    found = await store.get(pool, path_id(request))
    code = found.variant(request.query.get("language"), language.code).language
    versions = await store.versions(pool, found.id, language=code)
    wanted = request.query.get("n", "")
    shown = next((each for each in versions if str(each.n) == wanted), versions[0])
    users, zone, now = request.app[DIRECTORY].users, zone_of(request.app[DIRECTORY]), request.app[CLOCK]()
    context = {
        **_context(request, who),
        "article": found,
        "language_code": code,
        "variants": language_names([each.language for each in found.variants]),
        "versions": [
            (
                each,
                users[each.author].full_name if each.author is not None and each.author in users else "",
                language.when(each.at, now, zone),
            )
            for each in versions
        ],
        "shown": shown,
        "html": Markup(await html_of(shown.text)),  # noqa: S704 - cleaned
    }
    return draw(request, "solutions/versions.html", context)


async def post_restore(request: web.Request) -> web.StreamResponse:
    who, ident, fields = identity(request), path_id(request), await _fields(request)
    code, n = fields.get("language", ""), _number(fields, "n") or 0
    await solutions.restore(
        request.app[LOG], ident, language=code, n=n, version=None, actor=who.user_id, now=request.app[CLOCK]()
    )
    raise web.HTTPSeeOther(f"/solutions/{ident}/versions?language={code}")


async def get_figures(request: web.Request) -> web.StreamResponse:
    """Which article solved how many cases, and what was searched in vain."""
    who, pool, language = require(request, Role.SUPERVISOR), request.app[POOL], language_of(request)
    rows = await pool.fetch(
        api_solution_figures.SQL.figures, first_day(request, _DAYS), language.code, api_solution_figures.MOST
    )
    since = request.app[CLOCK]() - timedelta(days=_DAYS)
    searches: Sequence[Any] = await pool.fetch(api_solution_figures.SQL.searches, since, True, _PAGE)
    zone, now = zone_of(request.app[DIRECTORY]), request.app[CLOCK]()
    context = {
        **_context(request, who),
        "days": _DAYS,
        "rows": rows,
        "searches": [(row, language.when(row["last_at"], now, zone)) for row in searches],
    }
    return draw(request, "solutions/figures.html", context)


def routes() -> list[web.RouteDef]:
    at = f"/solutions/{ID}"
    return [
        web.get("/solutions", get_list),
        web.get("/solutions/new", get_new),
        web.post("/solutions", post_new),
        web.post("/solutions/preview", post_preview),
        web.get("/solutions/figures", get_figures),
        web.get(at, get_article),
        web.get(f"{at}/edit", get_edit),
        web.post(f"{at}/text", post_text),
        web.post(f"{at}/properties", post_properties),
        web.post(f"{at}/publish", post_publish),
        web.post(f"{at}/retire", post_retire),
        web.get(f"{at}/versions", get_versions),
        web.post(f"{at}/restore", post_restore),
    ]
