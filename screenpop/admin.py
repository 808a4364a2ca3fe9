"""Administration pages: what is in force, all of it as text, and who changed what; for administrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from callcenter.actions import administration
from callcenter.actions.administration import Standing
from callcenter.domain.agent import Role
from callcenter.domain.plan import Plan
from callcenter.errors import Conflict
from callcenter.store import applications
from callcenter.store.applications import Application, Via
from callcenter.toml import BadFile
from callcenter.web.auth import require
from callcenter.web.body import read_form
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from screenpop import admin_words
from screenpop.admin_view import Mistake, rows_of, sections
from screenpop.page import draw, language_of, person_context

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What came with a form: what to do (check, apply or edit), and of which state of things it speaks."""

    do: str
    version: str
    seen: int


def asked(typed: Mapping[str, Sequence[str]]) -> Asked:
    do, version, seen = (next(iter(typed.get(name, ())), "") for name in ("do", "version", "seen"))
    return Asked(do, version, int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 18 else 0)


async def typed_of(request: web.Request) -> dict[str, list[str]]:
    form = await read_form(request)
    typed: dict[str, list[str]] = {}
    for name, value in form.items():
        if isinstance(value, str):
            typed.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return typed


def common(request: web.Request, *, title: str = "") -> dict[str, Any]:
    who = require(request, Role.ADMINISTRATOR)
    return {**person_context(request, who, at="admin"), "page_title": title}


async def said_since(request: web.Request, standing: Standing, given: Asked) -> dict[str, Any]:
    """What somebody else applied after the form was opened, for its readers."""
    moved = given.version not in ("", standing.version)
    found = await applications.since(request.app[POOL], given.seen) if moved else []
    return {"moved": moved, "meanwhile": [_told(request, each) for each in found]}


def _told(request: web.Request, each: Application) -> dict[str, Any]:
    language = language_of(request)
    zone = ZoneInfo(request.app[DIRECTORY].organisation.timezone)
    return {
        "at": each.applied_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        "actor": each.actor,
        "via": language.label(admin_words.VIA, each.via),
        "lines": [(line[0], language.label(admin_words.SIGN, line[0]), line[2:]) for line in each.lines],
    }


async def try_text(request: web.Request, text: str, given: Asked, standing: Standing, *, prune: bool) -> Plan:
    """The plan of a text; where that was asked for and is still what was seen, it is applied and the page left.

    Raises BadFile, HTTPSeeOther.
    """
    who = require(request, Role.ADMINISTRATOR)
    if given.do == "apply" and given.version == standing.version:
        try:
            await administration.apply(
                request.app[LOG], text, prune=prune, actor=who.user_id, via=Via.PAGE, version=given.version,
                now=request.app[CLOCK](),
            )  # fmt: skip
        except Conflict:
            pass  # somebody was quicker by a moment: the reader sees what they did
        else:
            raise web.HTTPSeeOther("/admin?done")
    return await administration.plan(request.app[POOL], text, prune=prune, actor=who.user_id)


async def draw_plan(
    request: web.Request, plan: Plan, given: Asked, *, title: str, action: str, kept: Sequence[tuple[str, str]],
    back: str = "",
) -> web.Response:  # fmt: skip
    """What would be done, with one button that does it. `kept`: what was typed, which goes along."""
    standing = await administration.standing(request.app[POOL])
    context = {
        **common(request, title=title),
        **await said_since(request, standing, given),
        "rows": rows_of(plan, language_of(request)),
        "nothing": plan.empty,
        "standing": standing,
        "action": action,
        "back": back,
        "kept": [(name, value) for name, value in kept if name not in ("csrf", "do", "version", "seen")],
    }
    return draw(request, "admin/plan.html", context)


# -- what is in force


async def get_overview(request: web.Request) -> web.StreamResponse:
    context = common(request)
    standing = await administration.standing(request.app[POOL])
    wanted = request.query.get("q", "")[:200]
    found = sections(standing.document(), language_of(request), wanted=wanted)
    context |= {"sections": found, "wanted": wanted, "done": "done" in request.query}
    return draw(request, "admin/overview.html", context)


# -- all of it as text


async def _text_page(
    request: web.Request, text: str, standing: Standing, *, mistakes: Sequence[Mistake] = (), prune: bool = True,
    status: int = 200, more: Mapping[str, Any] | None = None,
) -> web.Response:  # fmt: skip
    wrong = {each.line for each in mistakes if each.line is not None}
    lines = [(number, number in wrong) for number in range(1, text.count("\n") + 2)]
    context = {
        **common(request),
        "text": text,
        "lines": lines,
        "standing": standing,
        "mistakes": mistakes,
        "prune": prune,
        "moved": False,
        "meanwhile": (),
        **(more or {}),
    }
    return draw(request, "admin/text.html", context, status=status)


async def get_text(request: web.Request) -> web.StreamResponse:
    require(request, Role.ADMINISTRATOR)
    standing = await administration.standing(request.app[POOL])
    return await _text_page(request, standing.text, standing)


async def post_text(request: web.Request) -> web.StreamResponse:
    require(request, Role.ADMINISTRATOR)
    typed = await typed_of(request)
    given, text, prune = asked(typed), "".join(typed.get("text", ())), "keep" not in typed
    standing = await administration.standing(request.app[POOL])
    if given.do == "edit":
        return await _text_page(request, text, standing, prune=prune)
    try:
        plan = await try_text(request, text, given, standing, prune=prune)
    except BadFile as error:
        mistakes = [Mistake(each.expected, each.key, each.line) for each in error.problems]
        more = await said_since(request, standing, given)
        return await _text_page(request, text, standing, mistakes=mistakes, prune=prune, status=422, more=more)
    kept = [("text", text), *([] if prune else [("keep", "on")])]
    return await draw_plan(request, plan, given, title="", action="/admin/text", kept=kept)


# -- who changed what


async def get_history(request: web.Request) -> web.StreamResponse:
    context = common(request)
    before = request.query.get("before", "")
    below = int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else TOP
    found = await applications.page(request.app[POOL], below=below, limit=_SHOWN + 1)
    context |= {
        "applications": [_told(request, each) for each in found[:_SHOWN]],
        "older": found[_SHOWN - 1].id if len(found) > _SHOWN else None,
    }
    return draw(request, "admin/history.html", context)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/admin", get_overview),
        web.get("/admin/text", get_text),
        web.post("/admin/text", post_text),
        web.get("/admin/history", get_history),
    ]
