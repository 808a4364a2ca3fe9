"""Who asks: sessions by cookie, programs by bearer token; proof that a write comes from our own pages."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from callcenter.actions import users
from callcenter.domain.agent import RANK, Role
from callcenter.domain.network import limited_as
from callcenter.errors import Forbidden, Unauthorized
from callcenter.store.users import Account, find_session, find_token
from callcenter.web.body import read_form
from callcenter.web.keys import CLOCK, LOG, POOL, SETTINGS, SIGNED_OUT

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "cc_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
# Where pages of other sites may write: nobody's session counts there, and each door looks at the origin itself.
OPEN = ("/api/v1/forms/",)
# Customers' own pages: that somebody of ours has signed in in this browser does not matter there.
CUSTOMERS = ("/forms/", "/my/")
SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
SIGN_IN_PATHS = frozenset({"/sign-in", "/api/v1/session"})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `csrf` is None for programs, which show a token instead of a cookie; then `session` is None too."""

    user_id: int
    name: str
    full_name: str
    role: Role
    language: str | None
    csrf: str | None = None
    session: str | None = None

    def may(self, role: Role) -> bool:
        return RANK[self.role] >= RANK[role]


_IDENTITY: web.RequestKey["Identity"] = web.RequestKey("identity")


def identity(request: web.Request) -> Identity:
    """Raises Unauthorized when nobody has signed in."""
    found: Identity | None = request.get(_IDENTITY)
    if found is None:
        raise Unauthorized("Sign in, or send a bearer token.")
    return found


def maybe_identity(request: web.Request) -> Identity | None:
    return request.get(_IDENTITY)


def require(request: web.Request, role: Role) -> Identity:
    """Raises Unauthorized, or Forbidden when the role is not enough."""
    who = identity(request)
    if not who.may(role):
        raise Forbidden(f"This needs the role {role}.")
    return who


def _public_url(request: web.Request) -> str | None:
    """Where browsers find us, when a proxy stands in between; only then its X-Forwarded headers are believed."""
    return request.app[SETTINGS].public_url


def is_https(request: web.Request) -> bool:
    public = _public_url(request)
    return public.startswith("https:") if public else request.secure


def host(request: web.Request) -> str:
    """Host and port as browsers write them."""
    return urlsplit(_public_url(request) or "").netloc or request.host


def client_address(request: web.Request) -> str:
    """Whose address it is; of what X-Forwarded-For says only the entry that our own proxy added counts."""
    if _public_url(request):
        # Some proxies add a header of their own instead of an entry.
        told = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, [])).rpartition(",")[2].strip()
        if told:
            return told[:64]
    return request.remote or ""


def limited_address(request: web.Request) -> str:
    """What limits of doors that are open to everybody count by."""
    return limited_as(client_address(request))


def check_same_origin(request: web.Request) -> None:
    """Raises Forbidden when a browser says that another site made this request. Programs send neither header."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("Requests from other sites are refused.")
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return
    own = {request.host.lower(), urlsplit(_public_url(request) or "").netloc.lower()} - {""}
    if _netloc(origin) not in own:
        raise Forbidden("Requests from other sites are refused.")


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


async def _check_csrf(request: web.Request, expected: str) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.content_type in _FORMS:
        field = (await read_form(request)).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if given is None or not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
        raise Forbidden(f"The proof is missing that this comes from our own page ({CSRF_HEADER}); load the page again.")


def _of_account(account: Account, *, csrf: str | None = None, session: str | None = None) -> Identity:
    return Identity(
        account.id, account.name, account.full_name, account.role, account.language, csrf=csrf, session=session
    )


async def _by_token(request: web.Request, header: str) -> Identity:
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("Authorization takes a bearer token.")
    account = await find_token(request.app[POOL], secret.strip(), now=request.app[CLOCK]())
    if account is None:
        raise Unauthorized("This token is not known, or has expired.")
    return _of_account(account)


async def _by_cookie(request: web.Request, secret: str) -> Identity | None:
    now = request.app[CLOCK]()
    session = await find_session(request.app[POOL], secret, now=now)
    if session is None:
        return None
    await users.use_session(request.app[LOG], secret, session=session, now=now)
    return _of_account(session.account, csrf=session.csrf, session=secret)


def _signs_in(request: web.Request) -> bool:
    # The page that asks who it is may be older than the session that the browser still has.
    return request.method == hdrs.METH_POST and request.path in SIGN_IN_PATHS


# Gateways of other systems prove themselves in their own ways, some of them in this very header; they are nobody here.
_OWN_PROOF = "/api/v1/gateways/"


@web.middleware
async def auth_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Finds out who asks, and refuses writes that another site made a browser send."""
    if request.path.startswith(_OWN_PROOF):
        return await handler(request)
    header = request.headers.get(hdrs.AUTHORIZATION)
    who = None
    if header is None and request.path.startswith(OPEN):
        return await handler(request)
    if header is not None:
        # A browser adds no token by itself, so a token is its own proof, and the cookie is not looked at.
        who = await _by_token(request, header)
    else:
        if request.method not in SAFE:
            check_same_origin(request)
        if (secret := request.cookies.get(COOKIE)) and not request.path.startswith(CUSTOMERS):
            who = await _by_cookie(request, secret)
        if who is not None and who.csrf is not None and request.method not in SAFE and not _signs_in(request):
            await _check_csrf(request, who.csrf)
    if who is not None:
        request[_IDENTITY] = who
    return await handler(request)


async def still_valid(request: web.Request, who: Identity) -> bool:
    """Whether a connection that lasts may go on: its session or token is still good, and the role the same."""
    pool, now = request.app[POOL], request.app[CLOCK]()
    if who.session is not None:
        session = await find_session(pool, who.session, now=now)
        return session is not None and session.account.role is who.role
    secret = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")[2].strip()
    account = await find_token(pool, secret, now=now)
    return account is not None and account.role is who.role


async def sign_in(request: web.Request, name: str, password: str) -> users.SignedIn:
    """Raises TooMany and Unauthorized. The caller hands the session out by `start_session`; the one before it ends."""
    signed_in = await users.sign_in(
        request.app[LOG],
        name,
        password=password,
        address=client_address(request),
        user_agent=request.headers.get(hdrs.USER_AGENT, ""),
        now=request.app[CLOCK](),
    )
    before = maybe_identity(request)
    if before is not None and before.session is not None:
        await users.sign_out(request.app[LOG], before.session)
        request.app[SIGNED_OUT](before.user_id, before.session)
    return signed_in


def start_session(request: web.Request, response: web.StreamResponse, signed_in: users.SignedIn) -> None:
    """Sets the cookie; the browser forgets it when it closes, or with the session."""
    response.set_cookie(COOKIE, signed_in.secret, path="/", httponly=True, samesite="Strict", secure=is_https(request))


async def end_session(request: web.Request, response: web.StreamResponse) -> None:
    """Signs out here; a program's token stays as it is."""
    who = maybe_identity(request)
    if who is not None and who.session is not None:
        await users.sign_out(request.app[LOG], who.session)
        request.app[SIGNED_OUT](who.user_id, who.session)
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=is_https(request))
