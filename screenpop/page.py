"""What every page has: a language, a theme, who looks at it, and how a refusal is shown."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp import web

from callcenter.domain.agent import Role
from callcenter.web.auth import Identity, maybe_identity
from callcenter.web.keys import CLOCK, DIRECTORY
from callcenter.web.problem import Problem
from screenpop import words
from screenpop.desk import millis
from screenpop.i18n import Language, negotiate
from screenpop.live import Hub

HUB: web.AppKey[Hub] = web.AppKey("hub")
LANGUAGE_COOKIE = "cc_language"
THEME_COOKIE = "cc_theme"


def language_of(request: web.Request) -> Language:
    renderer = request.app[HUB].renderer
    who = maybe_identity(request)
    code = negotiate(
        cookie=request.cookies.get(LANGUAGE_COOKIE),
        user=who.language if who else None,
        accept=request.headers.get("Accept-Language", ""),
        offered=request.app[DIRECTORY].organisation.languages,
        available=renderer.languages,
    )
    return renderer.language(code)


def draw(
    request: web.Request,
    template: str,
    context: Mapping[str, object],
    *,
    status: int = 200,
    language: Language | None = None,
) -> web.Response:
    """A page or a partial in the reader's language, unless another one is known to be theirs."""
    chosen = language or language_of(request)
    text = request.app[HUB].renderer.draw(template, chosen, {**_common(request), **context})
    return web.Response(text=text, content_type="text/html", status=status)


def _common(request: web.Request) -> dict[str, object]:
    who = maybe_identity(request)
    theme = request.cookies.get(THEME_COOKIE, "")
    return {
        "organisation": request.app[DIRECTORY].organisation.name or "Callcenter",
        "now_ms": millis(request.app[CLOCK]()),
        "csrf": (who.csrf or "") if who else "",
        "theme": theme if theme in ("light", "dark") else "",
    }


def person_context(request: web.Request, who: Identity, *, at: str) -> dict[str, object]:
    """For the menu of the user; `at`: desk or wall."""
    user = request.app[DIRECTORY].users.get(who.user_id)
    return {
        "who": who,
        "role_name": language_of(request).label(words.ROLE, who.role),
        "endpoint": (user.endpoint or "") if user else "",
        "supervisor": who.may(Role.SUPERVISOR),
        "administrator": who.may(Role.ADMINISTRATOR),
        "at": at,
    }


def own_path(request: web.Request, target: str | None) -> str:
    """Where to go next: a path of ours, or home; never another site."""
    if target is None:
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    # A Referer names our own host; what a form says may not name any.
    if parts.netloc and parts.netloc.lower() != urlsplit(request.headers.get("Origin", "")).netloc.lower():
        return "/"
    path = parts.path
    if not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(char) < 33 for char in path):
        return "/"
    return f"{path}?{parts.query}" if parts.query else path


def explain(language: Language, problem: Problem) -> str:
    """The refusal in the reader's language; a sentence without translation is replaced by what its status means."""
    said = language.gettext(problem.detail)
    if said != problem.detail or language.code == "en":
        return said
    return language.label(words.STATUS, str(problem.status)) if str(problem.status) in words.STATUS else said


async def error_page(request: web.Request, problem: Problem) -> web.Response:
    """As a whole page, or as a note at the edge when a part of a page asked."""
    language = language_of(request)
    detail = explain(language, problem)
    if "HX-Request" not in request.headers:
        title = language.label(words.STATUS_TITLE, str(problem.status))
        context = {
            "problem": problem,
            "detail": detail,
            "title": title if title != str(problem.status) else problem.title,
        }
        return draw(request, "error.html", context, status=problem.status)
    if problem.status == 401:
        return web.Response(status=401, headers={"HX-Redirect": "/sign-in"})
    response = draw(request, "toast.html", {"detail": detail}, status=problem.status)
    response.headers["HX-Retarget"] = "#toasts"
    response.headers["HX-Reswap"] = "beforeend"
    return response
