"""One entry of the organisation's settings as a form: opened, changed, copied, added and removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcenter.actions import administration
from callcenter.actions.administration import Standing
from callcenter.domain.agent import Role
from callcenter.domain.organisation_edit import (
    MANY,
    ONCE,
    drop,
    entries,
    ident_of,
    known_by,
    more_rows,
    place_of,
    put,
    to_text,
    users_of,
    without,
)  # fmt: skip
from callcenter.domain.organisation_form import Complaints, fields_of, read_entry
from callcenter.errors import NotFound
from callcenter.toml import BadFile
from callcenter.web.auth import require
from callcenter.web.keys import POOL
from screenpop import admin_words
from screenpop.admin import Asked, asked, common, draw_plan, said_since, try_text, typed_of
from screenpop.admin_view import ALONE, Mistake, address, mistakes_of
from screenpop.page import draw, language_of

Table = Mapping[str, Any]
_NEW = "/admin/new/{kind}"


def _kind(request: web.Request) -> str:
    """Raises NotFound."""
    kind = request.match_info["kind"]
    if kind not in (*MANY, *ONCE):
        raise NotFound("There is nothing at this address.")
    return kind


def _ident(request: web.Request) -> str:
    ident = request.match_info.get("ident", "")
    return "" if ident == ALONE else ident


def _find(data: Table, kind: str, ident: str) -> tuple[int | None, Table]:
    """Where it stands, and what it says. Raises NotFound."""
    if kind in ONCE:
        return None, data.get(kind, {})
    at = place_of(data, kind, ident)
    if at is None:
        raise NotFound("There is no such entry any more.")
    return at, entries(data, kind)[at]


@dataclass(frozen=True, slots=True)
class _Form:
    """Which entry is open, and what was sent with it; `ident` None: a new one."""

    kind: str
    ident: str | None
    given: Asked | None = None

    @property
    def action(self) -> str:
        return f"/admin/new/{self.kind}" if self.ident is None else address(self.kind, self.ident)


async def _page(
    request: web.Request, standing: Standing, form: _Form, table: Table, *, focus: str = "",
    words: Sequence[tuple[str, str]] = (), others: Sequence[Mistake] = (), status: int = 200,
) -> web.Response:  # fmt: skip
    """The form with what stands in it; `words`: complaints by path."""
    kind, ident, given = form.kind, form.ident, form.given
    language, data = language_of(request), standing.document().data
    complaints = Complaints(list(words))
    fields = fields_of(kind, table, complaints)
    names = {each: [ident_of(each, row) for row in entries(data, each)] for each in MANY}
    used = users_of(standing.document()).get((kind, ident or ""), ()) if ident else ()
    mistakes = [*(Mistake(text, path) for path, text in complaints.left), *others]
    context = {
        **common(request),
        "kind": kind,
        "kind_name": language.label(admin_words.KIND, kind),
        "ident": ident,
        "once": kind in ONCE,
        "present": kind in data,
        "action": form.action,
        "fields": fields,
        "fixed": known_by(kind) if ident else (),
        "focus": focus,
        "names": names,
        "used": [(f"{language.label(admin_words.KIND, by)}: {name or by}", address(by, name)) for by, name in used],
        "mistakes": mistakes,
        "wrong": len(words) + len(others),
        "standing": standing,
        "version": given.version if given else standing.version,
        "seen": given.seen if given else standing.newest,
        "label": lambda key: language.label(admin_words.KEY, key),
        "word": lambda key, value: admin_words.value(language, key, value),
        "example": lambda shape: language.label(admin_words.EXAMPLE, shape) if shape in admin_words.EXAMPLE else "",
        "address": address,
    }
    if given is not None:
        context |= await said_since(request, standing, given)
    return draw(request, "admin/entry.html", {"moved": False, "meanwhile": (), **context}, status=status)


async def get_entry(request: web.Request) -> web.StreamResponse:
    require(request, Role.ADMINISTRATOR)
    kind, ident = _kind(request), _ident(request)
    standing = await administration.standing(request.app[POOL])
    _, table = _find(standing.document().data, kind, ident)
    return await _page(request, standing, _Form(kind, ident), table)


async def get_new(request: web.Request) -> web.StreamResponse:
    """Empty, or like another one."""
    require(request, Role.ADMINISTRATOR)
    kind = _kind(request)
    if kind in ONCE:
        raise web.HTTPSeeOther(address(kind, ""))
    standing = await administration.standing(request.app[POOL])
    table: Table = {}
    if "copy" in request.query:
        _, found = _find(standing.document().data, kind, request.query["copy"])
        table = {key: value for key, value in found.items() if key not in known_by(kind) or kind == "letters"}
    return await _page(request, standing, _Form(kind, None), table)


async def post_entry(request: web.Request) -> web.StreamResponse:
    """Checks, and shows what would change; applies that when it is still so. Nothing typed is lost."""
    require(request, Role.ADMINISTRATOR)
    new = "ident" not in request.match_info
    kind, ident, typed = _kind(request), None if new else _ident(request), await typed_of(request)
    given = asked(typed)
    standing = await administration.standing(request.app[POOL])
    data = standing.document().data
    table, unreadable = read_entry(kind, typed)
    form = _Form(kind, ident, given)
    if given.do not in ("check", "apply"):
        verb, _, path = given.do.partition(":")
        if verb in ("more", "less"):
            table = more_rows(table, path) if verb == "more" else read_entry(kind, without(typed, path))[0]
        return await _page(request, standing, form, table, focus=path, words=unreadable)
    if unreadable:
        return await _page(request, standing, form, table, words=unreadable, status=422)
    at = None if ident is None else _find(data, kind, ident)[0]
    wanted = put(data, kind, at, table)
    try:
        plan = await try_text(request, to_text(wanted), given, standing, prune=True)
    except BadFile as error:
        shown = len(entries(wanted, kind)) - 1 if ident is None else at
        own, others = mistakes_of(error.problems, wanted, kind=kind, at=shown)
        return await _page(request, standing, form, table, words=own, others=others, status=422)
    title = ident_of(kind, table) if kind in MANY else language_of(request).label(admin_words.KIND, kind)
    kept = [(name, value) for name, values in typed.items() for value in values]
    return await draw_plan(request, plan, given, title=title, action=form.action, kept=kept)


async def post_remove(request: web.Request) -> web.StreamResponse:
    """The same for taking it out; who still names it is said."""
    require(request, Role.ADMINISTRATOR)
    kind, ident, given = _kind(request), _ident(request), asked(await typed_of(request))
    standing = await administration.standing(request.app[POOL])
    data = standing.document().data
    at, table = _find(data, kind, ident)
    wanted = {key: value for key, value in data.items() if key != kind} if at is None else drop(data, kind, at)
    try:
        plan = await try_text(request, to_text(wanted), given, standing, prune=True)
    except BadFile as error:
        _, others = mistakes_of(error.problems, wanted)
        return await _page(request, standing, _Form(kind, ident, given), table, others=others, status=422)
    return await draw_plan(
        request, plan, given, title=ident, action=f"{address(kind, ident)}/remove", kept=(), back=address(kind, ident)
    )


def routes() -> list[web.RouteDef]:
    return [
        web.get(_NEW, get_new),
        web.post(_NEW, post_entry),
        web.get("/admin/{kind}/{ident}", get_entry),
        web.post("/admin/{kind}/{ident}", post_entry),
        web.post("/admin/{kind}/{ident}/remove", post_remove),
    ]
