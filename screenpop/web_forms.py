"""The hosted page of a form, and the page that says what became of it: open to everybody, without scripts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from urllib.parse import urlencode

from aiohttp import web

from callcenter.actions.web_in import NewFile
from callcenter.domain.form import in_language
from callcenter.domain.interaction import State
from callcenter.domain.web_form import FieldKind, WebForm
from callcenter.errors import CallcenterError, Invalid, NotFound, TooMany
from callcenter.store import web_forms as store
from callcenter.store.web_forms import Served
from callcenter.store.web_in import SQL
from callcenter.web.files import READINGS, read_filled
from callcenter.web.form_calls import FIELD, IN_TURN
from callcenter.web.form_calls import ask as ask_call
from callcenter.web.form_calls import read as read_call
from callcenter.web.keys import CLOCK, DIRECTORY, POOL, SETTINGS, WAITS
from callcenter.web.limits import check_rate
from callcenter.web.problem import InvalidFields, problem_of
from callcenter.web.web_forms import new_token, read_seen, read_token, seen_token, submit
from screenpop import form_calls
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.page import HUB, draw, language_of
from screenpop.web_words import refusal, said, wait_words

_AT = "/forms/{form:[A-Za-z0-9][A-Za-z0-9._@-]{0,62}}"
_FIELD = "f."  # before the names of its own fields
_REFRESH = 15  # seconds, while something may still change soon
_HEADERS = {"X-Robots-Tag": "noindex"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """A field as it is drawn."""

    name: str
    kind: FieldKind
    text: str
    hint: str
    required: bool
    choices: list[tuple[str, str]]
    given: str
    wrong: str


def chosen_language(request: web.Request) -> Language:
    """The one in the address, so that a link shows what its sender saw; else the reader's."""
    asked = request.query.get("lang", "")
    renderer = request.app[HUB].renderer
    return renderer.language(asked) if asked in renderer.languages else language_of(request)


def _fields(form: WebForm, language: Language, given: Mapping[str, str], wrong: Mapping[str, str]) -> list[_Shown]:
    return [
        _Shown(
            name=f"{_FIELD}{each.name}",
            kind=each.kind,
            text=in_language(each.text, language.code),
            hint=in_language(each.hint, language.code),
            required=each.required,
            choices=[(choice.name, in_language(choice.text, language.code)) for choice in each.choices],
            given=given.get(each.name, ""),
            wrong=said(language, wrong[each.name]) if each.name in wrong else "",
        )
        for each in form.fields
    ]


async def _page(
    request: web.Request,
    served: Served,
    given: Mapping[str, str],
    *,
    token: str | None = None,
    chosen: str = "",
    error: CallcenterError | None = None,
) -> web.Response:
    """Drawn again with what stood in it; chosen files are the one thing that browsers do not give back."""
    language, form = chosen_language(request), served.form
    wrong = {each.field: each.message for each in error.errors} if isinstance(error, InvalidFields) else {}
    context = {
        "form": form.name,
        "title": in_language(form.title, language.code),
        "intro": in_language(form.intro, language.code),
        "fields": _fields(form, language, given, wrong),
        "token": token or await new_token(request, form.name),
        "refusal": "" if error is None or wrong else refusal(language, error),
        "wrong": bool(wrong),
        "here": f"/forms/{form.name}",
        "multipart": form.files is not None,
        "call": form_calls.offered(request, served, language) if form.callback else None,
        "call_given": chosen,
        "call_wrong": said(language, wrong[FIELD]) if FIELD in wrong else "",
    }
    status = 200 if error is None else problem_of(error)[0].status
    response = draw(request, "forms/form.html", context, status=status, language=language)
    response.headers.update(_HEADERS)
    return response


async def get_form(request: web.Request) -> web.StreamResponse:
    """Fields may be filled in by the address: ?f.order=1234."""
    check_rate(request)
    served = await store.served(request.app[POOL], request.match_info["form"])
    return await _page(request, served, _own(request.query))


def _own(fields: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_FIELD): value for name, value in fields.items() if name.startswith(_FIELD)}


async def post_form(request: web.Request) -> web.StreamResponse:
    check_rate(request)
    served, settings = await store.served(request.app[POOL], request.match_info["form"]), request.app[SETTINGS]
    form = served.form
    most = 0 if form.files is None else settings.largest_message_files
    async with request.app[READINGS].one(request):
        filled = await read_filled(request, largest=settings.largest_upload, largest_of_all=most)
    given, token = _own(filled.fields), filled.fields.get("token", "")
    chosen = filled.fields.get(FIELD, "")
    files = form.files
    try:
        read = await read_token(request, form.name, token)
    except (Invalid, NotFound):
        late = TooMany("This page was open for long; send it once more.")
        return await _page(request, served, given, chosen=chosen, error=late)
    language = chosen_language(request)
    try:
        call = await read_call(request, served, given, chosen if form.callback else None)
        received = await submit(
            request,
            served,
            {name: value for name, value in given.items() if files is None or name != files.name},
            token=read,
            language=language.code,
            bait=filled.fields.get("website", ""),
            files=[NewFile(each.name, each.type, each.data) for each in filled.files],
        )
    except (Invalid, TooMany) as error:
        return await _page(request, served, given, token=token, chosen=chosen, error=error)
    said_of_call = ""
    if call is not None:
        await ask_call(request, served, call, received.interaction, language.code)
        said_of_call = IN_TURN if call.due_at is None else call.due_at.astimezone(UTC).isoformat()
    seen = await seen_token(request, received.interaction)
    told = {"t": seen, "lang": language.code} | ({"call": said_of_call} if call is not None else {})
    raise web.HTTPSeeOther(f"/forms/{form.name}/done?{urlencode(told)}")


async def get_done(request: web.Request) -> web.StreamResponse:
    """The number, and while nobody is free the place in line; it looks again by itself."""
    check_rate(request)
    language, pool = chosen_language(request), request.app[POOL]
    served = await store.served(pool, request.match_info["form"])
    ident = await read_seen(request, request.query.get("t", ""))
    row = await pool.fetchrow(SQL.standing, ident)
    if row is None:
        raise NotFound("There is nothing at this address.")
    now, zone = request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    said_of_call = request.query.get("call", "")
    waiting = not said_of_call and row["state"] in (State.QUEUED, State.OFFERED, State.ACTIVE)
    due = None if row["due_at"] is None or row["due_at"] < now else row["due_at"].astimezone(zone)
    context = {
        "number": row["number"],
        "thanks": in_language(served.form.thanks, language.code),
        "state": row["state"],
        "call": await form_calls.promise(request, served, language, said_of_call, ident),
        "place": wait_words(language, request.app[WAITS].of(ident)) if row["state"] == State.QUEUED else "",
        "due": "" if due is None else f"{language.date(due, now.astimezone(zone).year)} {due:%H:%M}",
        "refresh": _REFRESH if waiting else 0,
        "here": f"/forms/{served.form.name}",
        "again": f"/forms/{served.form.name}?lang={language.code}",
        "address_more": "&" + urlencode({"t": request.query["t"], "call": said_of_call}),
    }
    response = draw(request, "forms/done.html", context, language=language)
    response.headers.update(_HEADERS)
    return response


def routes() -> list[web.RouteDef]:
    return [web.get(_AT, get_form), web.post(_AT, post_form), web.get(f"{_AT}/done", get_done)]
