"""Being called back from the page of a form, in words: what may be chosen there, and what is promised."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from callcenter.store.callbacks import SQL
from callcenter.store.directory import Queue
from callcenter.store.web_forms import Served
from callcenter.web.form_calls import IN_TURN, moments
from callcenter.web.keys import CLOCK, DIRECTORY, POOL, WAITS
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.web_words import wait_words

_WORDS = (
    _("As soon as it is my turn"),
    _("We call you when it is your turn."),
    _("We call you on %(when)s (%(zone)s)."),
)


def _zone(request: web.Request, queue: Queue) -> ZoneInfo:
    return zone_of(request.app[DIRECTORY]) if queue.hours is None else queue.hours.zone


def _when(language: Language, at: datetime, now: datetime) -> str:
    return f"{language.date(at, now.astimezone(at.tzinfo).year)} {at:%H:%M}"


def offered(request: web.Request, served: Served, language: Language) -> Mapping[str, object]:
    """For the page: values and texts to choose among; in turn only while somebody is there."""
    now, (turn, found) = request.app[CLOCK](), moments(request, served)
    zone = _zone(request, request.app[DIRECTORY].queue(served.queue))
    times = [(at.isoformat(), _when(language, at.astimezone(zone), now)) for at in found]
    return {"turn": language.gettext(_WORDS[0]) if turn else "", "times": times, "zone": str(zone)}


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
