"""Signing in and out, one's password, one's language: pages of forms that work without any script."""

from urllib.parse import urlsplit

from aiohttp import hdrs, web

from callcenter.actions import users
from callcenter.errors import CallcenterError, Forbidden, Invalid, TooMany, Unauthorized
from callcenter.web.auth import end_session, identity, is_https, maybe_identity, sign_in, start_session
from callcenter.web.body import read_form
from callcenter.web.keys import CLOCK, LOG
from callcenter.web.problem import problem_of
from screenpop.page import HUB, LANGUAGE_COOKIE, draw, explain, language_of, own_path

_YEAR = 365 * 24 * 3600


async def get_sign_in(request: web.Request) -> web.StreamResponse:
    target = own_path(request, request.query.get("next"))
    if maybe_identity(request) is not None:
        raise web.HTTPSeeOther(target)
    return draw(request, "sign_in.html", {"next": target, "name": "", "refusal": ""})


async def post_sign_in(request: web.Request) -> web.StreamResponse:
    form = await read_form(request)
    name, password = str(form.get("name", ""))[:200].strip(), str(form.get("password", ""))
    target = own_path(request, str(form.get("next", "/")))
    try:
        signed_in = await sign_in(request, name, password)
    except (Unauthorized, TooMany, Invalid) as error:
        status = 429 if isinstance(error, TooMany) else 401
        context = {"next": target, "name": name, "refusal": _said(request, error)}
        return draw(request, "sign_in.html", context, status=status)
    response = web.Response(status=303, headers={hdrs.LOCATION: target})
    start_session(request, response, signed_in)
    return response


async def post_sign_out(request: web.Request) -> web.StreamResponse:
    response = web.Response(status=303, headers={hdrs.LOCATION: "/sign-in"})
    await end_session(request, response)
    return response


async def get_password(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    return draw(request, "password.html", {"user": who.name, "done": False, "refusal": ""})


async def post_password(request: web.Request) -> web.StreamResponse:
    who = identity(request)
    form = await read_form(request)
    refusal, status = "", 200
    try:
        if form.get("new") != form.get("again"):
            raise Invalid("The new password was not the same twice.", field="again")
        old, new = str(form.get("old", ""))[:1000], str(form.get("new", ""))
        await users.change_password(
            request.app[LOG], who.user_id, old=old, new=new, now=request.app[CLOCK](), session=who.session
        )
    except (Invalid, Forbidden, TooMany) as error:
        refusal, status = _said(request, error), problem_of(error)[0].status
    return draw(request, "password.html", {"user": who.name, "done": not refusal, "refusal": refusal}, status=status)


def _said(request: web.Request, error: CallcenterError) -> str:
    return explain(language_of(request), problem_of(error)[0])


async def post_language(request: web.Request) -> web.StreamResponse:
    """Kept in this browser and, for whoever has signed in, with the user."""
    form = await read_form(request)
    code = str(form.get("language", ""))
    if code not in request.app[HUB].renderer.languages:
        raise Invalid("The console does not speak this language.", field="language")
    who = maybe_identity(request)
    if who is not None:
        await users.set_language(request.app[LOG], who.user_id, language=code, now=request.app[CLOCK]())
    back = own_path(request, request.headers.get(hdrs.REFERER))
    if urlsplit(back).path == "/sign-in" and (target := form.get("next")):
        back = f"/sign-in?next={own_path(request, str(target))}"
    response = web.Response(status=303, headers={hdrs.LOCATION: back})
    response.set_cookie(LANGUAGE_COOKIE, code, max_age=_YEAR, path="/", samesite="Strict", secure=is_https(request))
    return response


def routes() -> list[web.RouteDef]:
    return [
        web.get("/sign-in", get_sign_in),
        web.post("/sign-in", post_sign_in),
        web.post("/sign-out", post_sign_out),
        web.get("/password", get_password),
        web.post("/password", post_password),
        web.post("/language", post_language),
    ]
