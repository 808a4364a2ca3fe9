"""Being called back with a form, from its page and over REST: what is understood of it, and asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from callcenter.actions import callbacks
from callcenter.actions.callbacks import Wish
from callcenter.domain.callback import choices, number_to_call, planned
from callcenter.domain.web_form import FieldKind, WebForm
from callcenter.errors import Conflict, Invalid
from callcenter.store.callbacks import SQL
from callcenter.store.web_forms import Served
from callcenter.web.api_callbacks import ASKING
from callcenter.web.auth import limited_address
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import FieldError, InvalidFields

FIELD = "call"
IN_TURN = "turn"
_MOST_TIMES = 48


@dataclass(frozen=True, slots=True)
class Call:
    """`at` None: in turn. `due_at`: what is promised."""

    number: str
    at: datetime | None
    due_at: datetime | None
    name: str | None


def phone_field(form: WebForm) -> str:
    """A form that offers calls has one."""
    return next(each.name for each in form.fields if each.kind is FieldKind.PHONE)


def moments(request: web.Request, served: Served) -> tuple[bool, list[datetime]]:
    """Whether one may be called in turn, which is only while somebody is there; and the moments to choose among."""
    directory, now = request.app[DIRECTORY], request.app[CLOCK]()
    hours = directory.queue(served.queue).hours
    found = choices(hours, rules=directory.callback_rules, now=now, most=_MOST_TIMES)
    return hours is None or hours.is_open(now), list(found)


async def read(request: web.Request, served: Served, given: Mapping[str, Any], chosen: str | None) -> Call | None:
    """`chosen`: `turn`, or a moment as RFC 3339.

    Raises InvalidFields for a number that is not called and for a moment that cannot be, TooMany.
    """
    if not chosen:
        return None
    if not served.form.callback:
        raise Invalid("Nobody is called back from here.", field=FIELD)
    directory, now, phone = request.app[DIRECTORY], request.app[CLOCK](), phone_field(served.form)
    wrong: dict[str, str] = {}
    number, at, due = "", None, None
    rules, written = directory.callback_rules, str(given.get(phone) or "").strip()
    try:
        at = None if chosen == IN_TURN else datetime.fromisoformat(chosen)
        if at is not None and at.tzinfo is None:
            raise ValueError
        due = planned(at, directory.queue(served.queue).hours, rules=rules, now=now)
    except ValueError:
        wrong[FIELD] = "Choose one of these."
    except Invalid as error:
        wrong[FIELD] = str(error)
    try:
        number = number_to_call(written, region=directory.organisation.region, rules=rules)
        if await request.app[POOL].fetchval(SQL.is_forbidden, number):
            raise Invalid("Whoever has this number does not want to be called.")
    except Invalid as error:
        wrong[phone] = str(error) if written else "This is needed."
    if wrong:
        errors = [FieldError(name, words) for name, words in wrong.items()]
        raise InvalidFields("; ".join(wrong.values()), errors=errors)
    request.app[ASKING].take(limited_address(request), now=now)
    name = served.form.field_to("name")
    return Call(number, at, due, None if name is None else str(given.get(name.name) or "").strip()[:200] or None)


async def ask(request: web.Request, served: Served, call: Call, interaction: int, language: str) -> None:
    """The call takes the form's place in the queue. What somebody took in the meantime is answered by them."""
    wish = Wish(
        number=call.number,
        queue=served.queue,
        at=call.at,
        name=call.name,
        language=language,
        instead_of=interaction,
        external_id=f"form:{interaction}",
    )
    try:
        await callbacks.ask(request.app[LOG], request.app[DIRECTORY], wish, now=request.app[CLOCK]())
    except Conflict:
        return
