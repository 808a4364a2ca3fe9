"""The door of the portal: a link by mail lets customers in, and a visit lasts until its time is over or they end it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from callcenter.actions import portal
from callcenter.domain import link
from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.web_form import Portal
from callcenter.errors import Invalid, NotFound
from callcenter.store import portal as store
from callcenter.store import surveys, web_forms
from callcenter.store.portal import OwnCase, Visitor
from callcenter.web.auth import is_https, limited_address
from callcenter.web.body import path_id, read_form
from callcenter.web.keys import CLOCK, LOG, POOL
from callcenter.web.limits import check_rate
from callcenter.web.web_forms import SENT
from screenpop.i18n import Language
from screenpop.page import LANGUAGE_COOKIE, draw
from screenpop.portal_letter import ENTER
from screenpop.web_forms import chosen_language
from screenpop.web_words import refusal

COOKIE = "cc_my"
PATH = "/my"
_LINKS_PER_HOUR = 10  # from one network address
_HEADERS = {"X-Robots-Tag": "noindex", "Referrer-Policy": "same-origin"}
_YEAR = 365 * 24 * 3600

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OwnHandler = Callable[["Guest"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Guest:
    """A request of somebody whose session is good."""

    request: web.Request
    visitor: Visitor
    portal: Portal
    language: Language

    async def case(self) -> OwnCase:
        """The one in the path. Raises NotFound for what is not theirs as for what there is not."""
        return await store.case(self.request.app[POOL], self.visitor.address, path_id(self.request))


async def _portal(request: web.Request) -> Portal:
    found = await web_forms.read_portal(request.app[POOL])
    if found is None:
        raise NotFound("There is nothing at this address.")
    return found


async def guest_of(request: web.Request) -> Guest | None:
    rules = await _portal(request)
    secret = request.cookies.get(COOKIE, "")
    visitor = await store.find_session(request.app[POOL], secret, now=request.app[CLOCK]()) if secret else None
    return None if visitor is None else Guest(request, visitor, rules, chosen_language(request))


def own(handler: OwnHandler) -> Handler:
    """For visitors only; others are asked who they are first."""

    async def handle(request: web.Request) -> web.StreamResponse:
        check_rate(request)
        guest = await guest_of(request)
        if guest is None:
            raise web.HTTPSeeOther(PATH)
        return await handler(guest)

    return handle


def page(
    request: web.Request, template: str, context: Mapping[str, object], language: Language, *, status: int = 200
) -> web.Response:
    whole = {"here": PATH, "visitor": None, "refusal": "", "given": "", **context}
    response = draw(request, template, whole, status=status, language=language)
    response.headers.update(_HEADERS)
    if request.query.get("lang") == language.code:
        response.set_cookie(
            LANGUAGE_COOKIE, language.code, path="/", max_age=_YEAR, httponly=True, samesite="Lax",
            secure=is_https(request),
        )  # fmt: skip
    return response


async def post_link(request: web.Request) -> web.StreamResponse:
    """The answer is the same whether we know the address or not."""
    await _portal(request)
    language, now = chosen_language(request), request.app[CLOCK]()
    given = str((await read_form(request)).get("email", ""))
    try:
        address = read_address(AddressKind.EMAIL, given, region="").value
    except Invalid:
        error = Invalid("This is no e-mail address.")
        context = {"given": given, "refusal": refusal(language, error)}
        return page(request, "my/come_in.html", context, language, status=422)
    request.app[SENT].take("/my/link", _LINKS_PER_HOUR, address=limited_address(request), now=now)
    await portal.send_link(request.app[LOG], address, language=language.code, now=now)
    return page(request, "my/look.html", {"address": address}, language)


async def get_enter(request: web.Request) -> web.StreamResponse:
    """Programs that scan mail follow links, so nobody comes in before the button is pressed."""
    check_rate(request)
    await _portal(request)
    language, token = chosen_language(request), request.query.get("t", "")
    now = request.app[CLOCK]()
    good = await request.app[POOL].fetchval(store.SQL.is_open, await _link(request, token), now)
    context = {"token": token, "good": good, "here": f"/{ENTER}", "address_more": f"&t={token}"}
    return page(request, "my/enter.html", context, language, status=200 if good else 410)


async def _link(request: web.Request, token: str) -> int | None:
    """None for one that leads nowhere any more."""
    try:
        key = await surveys.link_key(request.app[POOL])
        return link.read(key, ENTER, token, now=request.app[CLOCK]())
    except (Invalid, NotFound):
        return None


async def post_enter(request: web.Request) -> web.StreamResponse:
    check_rate(request)
    rules, language = await _portal(request), chosen_language(request)
    ident = await _link(request, str((await read_form(request)).get("t", "")))
    try:
        if ident is None:
            raise NotFound("This link is no longer good.")
        secret = await portal.enter(request.app[LOG], ident, lasts=rules.session, now=request.app[CLOCK]())
    except NotFound:
        return page(request, "my/enter.html", {"good": False}, language, status=410)
    response = web.Response(status=303, headers={"Location": PATH})
    lasts = int(rules.session.total_seconds())
    # Lax: links in our later letters lead in too. Writes come from our own pages alone (callcenter.web.auth).
    response.set_cookie(
        COOKIE, secret, path=PATH, max_age=lasts, httponly=True, samesite="Lax", secure=is_https(request)
    )
    return response


async def _leave(guest: Guest) -> web.StreamResponse:
    request, log = guest.request, guest.request.app[LOG]
    if (await read_form(request)).get("where") == "everywhere":
        await portal.leave_everywhere(log, guest.visitor.address)
    else:
        await portal.leave(log, guest.visitor.secret)
    response = web.Response(status=303, headers={"Location": PATH})
    response.del_cookie(COOKIE, path=PATH, httponly=True, samesite="Lax", secure=is_https(request))
    return response


def routes() -> list[web.RouteDef]:
    return [
        web.post(f"{PATH}/link", post_link),
        web.get(f"/{ENTER}", get_enter),
        web.post(f"/{ENTER}", post_enter),
        web.post(f"{PATH}/leave", own(_leave)),
    ]
