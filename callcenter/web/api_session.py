"""Signing in and out, and one's own account."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from callcenter.actions import users
from callcenter.domain.agent import Role
from callcenter.errors import Invalid
from callcenter.web.auth import Identity, end_session, identity, sign_in, start_session
from callcenter.web.body import STRICT, answer, read_body
from callcenter.web.keys import CLOCK, LOG
from callcenter.web.openapi import operation


@dataclass(frozen=True, slots=True)
class Me:
    """`csrf` goes into the header X-CSRF-Token of every write; null when a token was shown instead of a cookie."""

    id: int
    name: str
    full_name: str
    role: Role
    language: str | None
    csrf: str | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    id: int
    name: str
    full_name: str
    role: Role
    language: str | None
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    __pydantic_config__ = STRICT
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Preferences:
    __pydantic_config__ = STRICT
    language: str


@dataclass(frozen=True, slots=True)
class PasswordChange:
    __pydantic_config__ = STRICT
    old: str
    new: str


def _me(who: Identity) -> Me:
    return Me(who.user_id, who.name, who.full_name, who.role, who.language, who.csrf)


@operation(
    "POST", "/session", summary="Sign in", tag="session", role=None, body=Credentials, answer=SignedIn, status=201,
    refusals=(401, 429),
)  # fmt: skip
async def post_session(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Credentials)
    new = await sign_in(request, given.name, given.password)
    account = new.account
    response = answer(
        SignedIn(account.id, account.name, account.full_name, account.role, account.language, new.csrf, new.expires_at),
        status=201,
    )
    start_session(request, response, new)
    return response


@operation("GET", "/session", summary="Who am I", tag="session", answer=Me)
async def get_session(request: web.Request) -> web.StreamResponse:
    return answer(_me(identity(request)))


@operation("DELETE", "/session", summary="Sign out", tag="session", status=204)
async def delete_session(request: web.Request) -> web.StreamResponse:
    response = web.Response(status=204)
    await end_session(request, response)
    return response


@operation("GET", "/me", summary="My account", tag="session", answer=Me)
async def get_me(request: web.Request) -> web.StreamResponse:
    return answer(_me(identity(request)))


@operation("PATCH", "/me", summary="Choose the language of the console", tag="session", body=Preferences, status=204)
async def patch_me(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Preferences)
    who = identity(request)
    await users.set_language(request.app[LOG], who.user_id, language=given.language, now=request.app[CLOCK]())
    return web.Response(status=204)


@operation(
    "POST", "/me/password", summary="Change my password; my other sessions end", tag="session", body=PasswordChange,
    status=204, refusals=(429,),
)  # fmt: skip
async def post_password(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, PasswordChange)
    who = identity(request)
    if len(given.old) > 1000:
        raise Invalid("That is too long for a password.", field="old")
    await users.change_password(
        request.app[LOG], who.user_id, old=given.old, new=given.new, now=request.app[CLOCK](), session=who.session
    )
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    found = (post_session, get_session, delete_session, get_me, patch_me, post_password)
    return [each.route() for each in found]
