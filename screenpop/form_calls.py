"""Being called back from the page of a form: what may be chosen there, and what is promised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from callcenter.actions import callbacks
from callcenter.actions.callbacks import Wish
from callcenter.domain.callback import choices, number_to_call, planned
from callcenter.domain.web_form import FieldKind, WebForm
from callcenter.errors import Conflict, Invalid
from callcenter.store.callbacks import SQL
from callcenter.store.directory import Queue
from callcenter.store.web_forms import Served
from callcenter.web.api_callbacks import ASKING
from callcenter.web.auth import limited_address
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, WAITS
from callcenter.web.problem import FieldError, InvalidFields
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.web_words import wait_words

FIELD = "call"
IN_TURN = "turn"
_MOST_TIMES = 48
_WORDS = (
    _("As soon as it is my turn"),
    _("We call you when it is your turn."),
    _("We call you on %(when)s (%(zone)s)."),
)


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


def _zone(request: web.Request, queue: Queue) -> ZoneInfo:
    return zone_of(request.app[DIRECTORY]) if queue.hours is None else queue.hours.zone


def _when(language: Language, at: datetime, now: datetime) -> str:
    return f"{language.date(at, now.astimezone(at.tzinfo).year)} {at:%H:%M}"


def offered(request: web.Request, served: Served, language: Language) -> Mapping[str, object]:
    """For the page: values and texts to choose among; in turn only while somebody is there."""
    directory, now = request.app[DIRECTORY], request.app[CLOCK]()
    queue = directory.queue(served.queue)
    zone = _zone(request, queue)
    found = choices(queue.hours, rules=directory.callback_rules, now=now, most=_MOST_TIMES)
    times = [(at.isoformat(), _when(language, at.astimezone(zone), now)) for at in found]
    turn = queue.hours is None or queue.hours.is_open(now)
    return {"turn": language.gettext(_WORDS[0]) if turn else "", "times": times, "zone": str(zone)}


async def read(request: web.Request, served: Served, given: Mapping[str, str], chosen: str) -> Call | None:
    """Raises InvalidFields for a number that is not called and for a moment that cannot be, TooMany."""
    if not chosen or not served.form.callback:
        return None
    directory, now, phone = request.app[DIRECTORY], request.app[CLOCK](), phone_field(served.form)
    wrong: dict[str, str] = {}
    number, at, due = "", None, None
    rules = directory.callback_rules
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
        number = number_to_call(given.get(phone, ""), region=directory.organisation.region, rules=rules)
        if await request.app[POOL].fetchval(SQL.is_forbidden, number):
            raise Invalid("Whoever has this number does not want to be called.")
    except Invalid as error:
        wrong[phone] = str(error) if given.get(phone, "").strip() else "This is needed."
    if wrong:
        errors = [FieldError(name, words) for name, words in wrong.items()]
        raise InvalidFields("; ".join(wrong.values()), errors=errors)
    request.app[ASKING].take(limited_address(request), now=now)
    name = served.form.field_to("name")
    return Call(number, at, due, None if name is None else given.get(name.name, "").strip()[:200] or None)


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


async def promise(request: web.Request, served: Served, language: Language, said: str, interaction: int) -> str:
    """What was promised with the form, in words. `said`: what the address of the page has of it."""
    if not said:
        return ""
    if said == IN_TURN:
        ident = await request.app[POOL].fetchval(SQL.of_origin, interaction)
        place = "" if ident is None else wait_words(language, request.app[WAITS].of(ident))
        return f"{language.gettext(_WORDS[1])} {place}".strip()
    zone = _zone(request, request.app[DIRECTORY].queue(served.queue))
    try:
        at = datetime.fromisoformat(said).astimezone(zone)
    except (ValueError, OverflowError):
        return ""
    when = _when(language, at, request.app[CLOCK]())
    return language.gettext(_WORDS[2]) % {"when": when, "zone": str(zone)}
