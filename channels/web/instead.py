"""What visitors get in place of a chat: a form while nobody is there, and a call."""

from collections.abc import Mapping
from typing import Any

import phonenumbers
from aiohttp import web

from callcenter.actions import callbacks
from callcenter.actions.callbacks import Wish
from callcenter.domain.callback import choices, number_to_call, planned
from callcenter.domain.chat import check_name, token_hash
from callcenter.domain.form import in_language
from callcenter.domain.hours import Hours
from callcenter.domain.interaction import State
from callcenter.domain.web_form import FieldKind, FormField, WebForm
from callcenter.errors import CallcenterError, Conflict, Forbidden, Invalid, NotFound
from callcenter.store import web_forms
from callcenter.store.chats import Chat, Widget
from callcenter.store.web_forms import Served
from callcenter.store.web_in import SQL
from callcenter.web.api_callbacks import ASKING
from callcenter.web.auth import limited_address
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, WAITS
from callcenter.web.problem import InvalidFields
from callcenter.web.web_forms import submit
from channels.web.chat import CallMe, Filled, Hello, Instead, Number, Times, shown_wait

# Moments that are offered: half hours of two days and more.
_MOST_TIMES = 48
_WAITING = (State.NEW, State.QUEUED, State.OFFERED)


def _code(hello: Hello) -> str:
    return hello.language.replace("-", "_")


def _external_id(hello: Hello, ident: str) -> str:
    """Of one browser's conversation: what is sent again is known, and nobody else can guess it."""
    return f"{token_hash(hello.token).hex()[:24]}:{ident}"


# -- a form


async def _form(request: web.Request, widget: Widget) -> Served:
    """The one that the widget names; else one that asks who it is, where the answer goes, and what it is about."""
    if widget.form is not None:
        try:
            return await web_forms.served(request.app[POOL], widget.form)
        except NotFound:
            pass  # it was retired since
    fields = (
        FormField(name="name", kind=FieldKind.TEXT, text="", to="name"),
        FormField(name="email", kind=FieldKind.EMAIL, text="", required=True),
        FormField(name="text", kind=FieldKind.LONG_TEXT, text="", required=True, to="text"),
    )
    return Served(WebForm(name=widget.key, queue="", title="", fields=fields), widget.queue)


async def offered(request: web.Request, widget: Widget, hello: Hello, *, is_open: bool) -> Mapping[str, Any]:
    """For the welcome: whether a call may be asked for; while nobody is there, a form, and until when."""
    if is_open:
        return {"callback": widget.callback}
    hours = _hours(request, widget.queue)
    opens_at = None if hours is None else hours.next_opening(request.app[CLOCK]())
    return {
        "callback": widget.callback and opens_at is not None,
        "opens_at": None if opens_at is None else opens_at.isoformat(),
        "form": await _describe(request, widget, hello),
    }


async def answer(
    request: web.Request, widget: Widget, hello: Hello, chat: Chat | None, asked: Instead
) -> Mapping[str, Any]:
    """The frame for what a page asks for. Raises CallcenterError."""
    match asked:
        case Filled():
            return await _fill(request, widget, hello, asked)
        case CallMe():
            return await _call_back(request, widget, hello, chat, asked)
        case Number():
            return _check_number(request, widget, asked)
        case Times():
            return _times(request, widget, chat)


async def _describe(request: web.Request, widget: Widget, hello: Hello) -> Mapping[str, Any]:
    """What the page draws. `page`: where the form is to be filled in instead, since it needs a file."""
    form = (await _form(request, widget)).form
    if form.files is not None and form.files.required:
        return {"page": f"/forms/{form.name}"}
    language = _code(hello)
    fields = [
        {
            "name": each.name,
            "kind": each.kind,
            "text": in_language(each.text, language),
            "hint": in_language(each.hint, language),
            "required": each.required,
            "choices": [[choice.name, in_language(choice.text, language)] for choice in each.choices],
        }
        for each in form.fields
        if each.kind is not FieldKind.FILE
    ]
    return {"title": in_language(form.title, language), "intro": in_language(form.intro, language), "fields": fields}


async def _fill(request: web.Request, widget: Widget, hello: Hello, filled: Filled) -> Mapping[str, Any]:
    """The receipt. Raises as `submit` does."""
    served = await _form(request, widget)
    received = await submit(
        request,
        served,
        filled.values,
        token=None,
        language=_code(hello),
        bait=filled.website,
        external_id=f"{served.form.name}:chat:{_external_id(hello, filled.id)}",
    )
    row = await request.app[POOL].fetchrow(SQL.standing, received.interaction)
    assert row is not None
    thanks = in_language(served.form.thanks, _code(hello))
    return {"type": "received", "id": filled.id, "number": row["number"], "thanks": thanks}


def wrong_fields(error: CallcenterError) -> Mapping[str, Any]:
    """What is to be said beside which field, for the frame of a refusal."""
    if isinstance(error, InvalidFields):
        return {"fields": {each.field: each.message for each in error.errors}}
    return {"fields": {error.field: str(error)}} if isinstance(error, Invalid) and error.field else {}


# -- a call


def _hours(request: web.Request, queue: int) -> Hours | None:
    found = request.app[DIRECTORY].queues.get(queue)
    return None if found is None else found.hours


def _times(request: web.Request, widget: Widget, chat: Chat | None) -> Mapping[str, Any]:
    """Moments that may be chosen; the page shows them by the visitor's clock."""
    _allow(widget)
    rules, now = request.app[DIRECTORY].callback_rules, request.app[CLOCK]()
    found = choices(_hours(request, _queue(widget, chat)), rules=rules, now=now, most=_MOST_TIMES)
    return {"type": "times", "times": [at.isoformat() for at in found]}


def _check_number(request: web.Request, widget: Widget, asked: Number) -> Mapping[str, Any]:
    """How a number is understood, or why it is not called."""
    _allow(widget)
    try:
        number = _number(request, asked.number)
    except Invalid as error:
        return {"type": "number", "given": asked.number, "shown": None, "reason": str(error)}
    return {"type": "number", "given": asked.number, "shown": _shown(number), "reason": None}


async def _call_back(
    request: web.Request, widget: Widget, hello: Hello, chat: Chat | None, wish: CallMe
) -> Mapping[str, Any]:
    """What is promised. Who waits in a chat leaves it, and keeps their place.

    Raises Invalid with the field, Conflict when somebody has taken the chat, TooMany, Forbidden.
    """
    _allow(widget)
    directory, waits, now = request.app[DIRECTORY], request.app[WAITS], request.app[CLOCK]()
    if chat is not None and chat.state is State.ACTIVE:
        raise Conflict("Somebody is there already.")
    waiting = chat if chat is not None and chat.state in _WAITING else None
    queue = _queue(widget, waiting)
    number = _number(request, wish.number)
    due = planned(wish.at, _hours(request, queue), rules=directory.callback_rules, now=now)
    # Their own place, and not what somebody else had asked for this number before: that is for them to know.
    place = None if waiting is None else waits.of(waiting.interaction)
    request.app[ASKING].take(limited_address(request), now=now)
    asked = Wish(
        number=number,
        queue=queue,
        at=wish.at,
        name=(None if chat is None else chat.name) or check_name(wish.name),
        language=_code(hello),
        instead_of=None if waiting is None else waiting.interaction,
        external_id=f"chat:{_external_id(hello, wish.id)}",
    )
    await callbacks.ask(request.app[LOG], directory, asked, now=now)
    expected = place.expected_seconds if place is not None else waits.for_next(queue, "callback")
    return {
        "type": "callback",
        "id": wish.id,
        "number": _shown(number),
        "due_at": None if due is None else due.isoformat(),
        "position": None if due is not None or place is None else place.position,
        "expected": None if due is not None else shown_wait(expected),
    }


def _allow(widget: Widget) -> None:
    if not widget.callback:
        raise Forbidden("Nobody is called back from here.")


def _queue(widget: Widget, chat: Chat | None) -> int:
    return widget.queue if chat is None or chat.queue is None else chat.queue


def _number(request: web.Request, raw: str) -> str:
    directory = request.app[DIRECTORY]
    return number_to_call(raw, region=directory.organisation.region, rules=directory.callback_rules)


def _shown(number: str) -> str:
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
