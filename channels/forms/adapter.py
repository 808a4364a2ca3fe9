"""Forms over REST: described for whoever draws them, sent by pages of declared sites and by programs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field

from callcenter.actions import uploads
from callcenter.domain.form import in_language
from callcenter.domain.web_form import FieldKind, WebForm
from callcenter.errors import Forbidden, Invalid
from callcenter.ports import Wait
from callcenter.store import web_forms as store
from callcenter.store.web_forms import Served
from callcenter.store.web_in import SQL
from callcenter.web import form_calls
from callcenter.web.api_uploads import Naming
from callcenter.web.auth import host, is_https, limited_address
from callcenter.web.body import STRICT, Id, Line, answer, read_body, read_query
from callcenter.web.files import READINGS, read_bytes
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, SETTINGS, WAITS
from callcenter.web.limits import check_rate
from callcenter.web.openapi import Operation, operation
from callcenter.web.web_forms import SENT, Token, new_token, read_seen, read_token, seen_token, submit
from channels.channel import Channel, Ground, Loops, Services

_AT = "/forms/{form:[A-Za-z0-9][A-Za-z0-9._@-]{0,62}}"
# Files are uploaded one by one, before the form is sent.
_FILES_EACH = 5
_ORIGIN: web.RequestKey[str] = web.RequestKey("origin_of_form")


@dataclass(frozen=True, slots=True)
class Asked:
    """`language`: in which texts are wanted; the organisation's first without."""

    __pydantic_config__ = STRICT
    language: Line | None = None


@dataclass(frozen=True, slots=True)
class ChoiceItem:
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldItem:
    name: str
    kind: FieldKind
    text: str
    hint: str
    required: bool
    choices: list[ChoiceItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallItem:
    """`turn`: one may be called in turn, which is while somebody is there. `times`: moments to choose among."""

    turn: bool
    times: list[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormItem:
    """`token` is of one form on one screen: with it, what is sent twice is one submission. It is good for a day.

    `call`: how one may ask to be called; null where the form offers none.
    """

    name: str
    title: str
    intro: str
    fields: list[FieldItem]
    call: CallItem | None
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """`values`: by the fields' names. `files`: ids of files that were uploaded with the same token.

    `id`: of programs without a token, which may send the same one again. `website` stays empty.
    `call`: asks to be called, in `turn` or at a moment (RFC 3339); the number is that of the form's field of that kind.
    """

    __pydantic_config__ = STRICT
    values: dict[str, str | int | float | None]
    token: Line | None = None
    id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = None
    language: Line | None = None
    files: Annotated[list[Id], Field(max_length=20)] = field(default_factory=list)
    call: Line | None = None
    website: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """`due_at` is null for a call in turn."""

    number: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """`number`: of the ticket. `seen`: good for asking what became of it, for thirty days; `page` shows that.

    `call`: what was promised; null where no call was asked for.
    """

    number: int
    seen: str
    page: str
    wait: Wait | None
    call: Promised | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`state`: of the contact. `wait` is null for what does not wait for somebody."""

    number: int
    state: str
    wait: Wait | None


@dataclass(frozen=True, slots=True)
class Kept:
    id: int


async def _form(request: web.Request) -> Served:
    """Raises NotFound, and Forbidden for a browser that shows the page of a site that the form does not name."""
    served = await store.served(request.app[POOL], request.match_info["form"])
    origin = request.headers.get("Origin")
    if origin is None or origin == f"{'https' if is_https(request) else 'http'}://{host(request)}":
        return served
    if origin not in served.form.sites:
        raise Forbidden(f"Pages of {origin[:200]} may not send this form; its organisation names those that may.")
    request[_ORIGIN] = origin
    return served


async def _share(request: web.Request, response: web.StreamResponse) -> None:
    """Refusals too: the page is to say what was wrong."""
    if origin := request.get(_ORIGIN):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"


def _item(form: WebForm, language: str, token: str, call: CallItem | None) -> FormItem:
    fields = [
        FieldItem(
            name=each.name,
            kind=each.kind,
            text=in_language(each.text, language),
            hint=in_language(each.hint, language),
            required=each.required,
            choices=[ChoiceItem(choice.name, in_language(choice.text, language)) for choice in each.choices],
        )
        for each in form.fields
    ]
    title, intro = in_language(form.title, language), in_language(form.intro, language)
    return FormItem(name=form.name, title=title, intro=intro, fields=fields, call=call, token=token)


def _calls(request: web.Request, served: Served) -> CallItem | None:
    if not served.form.callback:
        return None
    turn, times = form_calls.moments(request, served)
    return CallItem(turn=turn, times=times)


def _language(request: web.Request, asked: str | None) -> str:
    return asked or request.app[DIRECTORY].organisation.languages[0]


@operation(
    "GET", _AT, summary="A form's fields, and a token to send it with", tag="forms", role=None, query=Asked,
    answer=FormItem, refusals=(403, 429),
)  # fmt: skip
async def get_form(request: web.Request) -> web.StreamResponse:
    served = await _form(request)
    check_rate(request)
    language = _language(request, read_query(request, Asked).language)
    token = await new_token(request, served.form.name)
    return answer(_item(served.form, language, token, _calls(request, served)))


async def _token(request: web.Request, form: WebForm, given: str | None) -> Token | None:
    if given is not None:
        return await read_token(request, form.name, given)
    if form.signed:
        raise Invalid("This form is sent with a token; read the form first.", field="token")
    return None


@operation(
    "POST", _AT, summary="Send a form; one submission becomes one interaction with its ticket", tag="forms", role=None,
    body=Submission, answer=Receipt, status=201, also=(200,), refusals=(429,),
)  # fmt: skip
async def post_form(request: web.Request) -> web.StreamResponse:
    served = await _form(request)
    check_rate(request)
    given = await read_body(request, Submission)
    token = await _token(request, served.form, given.token)
    if given.files and token is None:
        raise Invalid("Files go with the token that they were uploaded with.", field="files")
    language = _language(request, given.language)
    call = await form_calls.read(request, served, given.values, given.call)
    received = await submit(
        request,
        served,
        given.values,
        token=token,
        language=language,
        bait=given.website,
        external_id=None if given.id is None else f"{served.form.name}:id:{given.id}:{_digest(given.values)}",
        uploads=given.files,
    )
    if call is not None:
        await form_calls.ask(request, served, call, received.interaction, language)
    row = await request.app[POOL].fetchrow(SQL.standing, received.interaction)
    assert row is not None
    seen = await seen_token(request, received.interaction)
    receipt = Receipt(
        number=row["number"],
        seen=seen,
        page=f"/forms/{served.form.name}/done?t={seen}",
        wait=request.app[WAITS].of(received.interaction),
        call=None if call is None else Promised(number=call.number, due_at=call.due_at),
    )
    return answer(receipt, status=201 if received.new else 200)


@dataclass(frozen=True, slots=True)
class WithToken(Naming):
    """`name`: what the file is called."""

    token: Line


@operation(
    "POST", f"{_AT}/files", summary="Upload a file (the body as it is) before the form is sent", tag="forms",
    role=None, query=WithToken, answer=Kept, status=201, refusals=(413, 429),
)  # fmt: skip
async def post_file(request: web.Request) -> web.StreamResponse:
    served, query = await _form(request), read_query(request, WithToken)
    form, app, now = served.form, request.app, request.app[CLOCK]()
    token = await read_token(request, form.name, query.token)
    if form.files is None:
        raise Invalid("The form takes no files.", field="files")
    address, largest = limited_address(request), app[SETTINGS].largest_upload
    app[SENT].take(f"{form.name}/files", form.per_hour * _FILES_EACH, address=address, now=now)
    async with app[READINGS].one(request):
        data = await read_bytes(request, largest=largest)
    kept = await uploads.keep(
        app[LOG], query.name, request.content_type, data, owner=token.owner, largest=largest, now=now
    )
    return answer(Kept(kept), status=201)


@dataclass(frozen=True, slots=True)
class Seen:
    __pydantic_config__ = STRICT
    seen: Line


@operation(
    "GET", f"{_AT}/standing", summary="What became of a submission: its place in line and the expected wait",
    tag="forms", role=None, query=Seen, answer=Standing, refusals=(429,),
)  # fmt: skip
async def get_standing(request: web.Request) -> web.StreamResponse:
    await _form(request)
    check_rate(request)
    ident = await read_seen(request, read_query(request, Seen).seen)
    row = await request.app[POOL].fetchrow(SQL.standing, ident)
    assert row is not None
    return answer(Standing(number=row["number"], state=row["state"], wait=request.app[WAITS].of(ident)))


async def _preflight(request: web.Request) -> web.StreamResponse:
    """What browsers ask before a page of another site may send JSON."""
    await _form(request)
    headers = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": "600",
    }
    return web.Response(status=204, headers=headers)


OPERATIONS: tuple[Operation, ...] = (get_form, post_form, post_file, get_standing)


class Forms(Channel):
    """The hosted page of a form is a page like the others (screenpop); both go the same way from there."""

    def __init__(self, ground: Ground) -> None:
        del ground  # what a request needs is in the application

    async def open(self) -> None:
        """It has no port of its own."""

    def begin(self, services: Services) -> Loops:
        del services
        return {}

    async def close(self) -> None:
        """Nothing stays open."""

    def add_routes(self, app: web.Application) -> None:
        for each in OPERATIONS:
            app.add_routes([each.route()])
        for path in dict.fromkeys(each.path for each in OPERATIONS):
            app.router.add_route("OPTIONS", path, _preflight)
        app.on_response_prepare.append(_share)


def _digest(values: Mapping[str, object]) -> str:
    """The door is open to all: an id alone, which others might guess, must not swallow what somebody says under it."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
