"""What the page of a form and its REST interface share: who may send it how often, and what becomes of it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from callcenter.actions import web_in
from callcenter.actions.web_in import Limits, NewFile, Received, WebMessage
from callcenter.domain import link
from callcenter.domain.web_form import case_of, read_values
from callcenter.errors import Invalid, TooMany
from callcenter.store import surveys
from callcenter.store.web_forms import Served
from callcenter.web.auth import limited_address
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, SETTINGS
from callcenter.web.limits import Buckets
from callcenter.web.problem import FieldError, InvalidFields

# A page that was left open for longer is drawn anew before it is sent.
_GOOD_FOR = timedelta(days=1)
_SEEN_FOR = timedelta(days=30)
_SEEN = "form/seen"
# Of the id in a token the upper bits are the second in which it was made.
_RANDOM_BITS = 30


class Sent:
    """How often each form was sent from an address; of this process alone."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, int], Buckets] = {}

    def take(self, what: str, per_hour: int, *, address: str, now: datetime) -> None:
        """Raises TooMany."""
        buckets = self._buckets.setdefault((what, per_hour), Buckets(rate=per_hour / 3600, burst=per_hour))
        buckets.take(address, now=now)


SENT: web.AppKey[Sent] = web.AppKey("sent_forms")


@dataclass(frozen=True, slots=True)
class Token:
    """`id` is one form on one screen: sent twice it is the same submission."""

    id: int

    @property
    def drawn_at(self) -> datetime:
        return datetime.fromtimestamp(self.id >> _RANDOM_BITS, UTC)

    @property
    def owner(self) -> str:
        """Whose the files are that were uploaded with it."""
        return f"form:{self.id}"


async def new_token(request: web.Request, form: str) -> str:
    now = request.app[CLOCK]()
    ident = (int(now.timestamp()) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    key = await surveys.link_key(request.app[POOL])
    return link.sign(key, f"form/{form}", ident, expires=now + _GOOD_FOR)


async def read_token(request: web.Request, form: str, token: str) -> Token:
    """Raises Invalid and NotFound for one that is not ours, or too old."""
    key = await surveys.link_key(request.app[POOL])
    return Token(link.read(key, f"form/{form}", token, now=request.app[CLOCK]()))


async def seen_token(request: web.Request, interaction: int) -> str:
    """Leads to what became of a submission, for whoever sent it."""
    key = await surveys.link_key(request.app[POOL])
    return link.sign(key, _SEEN, interaction, expires=request.app[CLOCK]() + _SEEN_FOR)


async def read_seen(request: web.Request, token: str) -> int:
    """The interaction. Raises Invalid, NotFound."""
    key = await surveys.link_key(request.app[POOL])
    return link.read(key, _SEEN, token, now=request.app[CLOCK]())


async def submit(
    request: web.Request,
    served: Served,
    given: Mapping[str, Any],
    *,
    token: Token | None,
    language: str,
    bait: str = "",
    external_id: str | None = None,
    files: Sequence[NewFile] = (),
    uploads: Sequence[int] = (),
) -> Received:
    """Raises InvalidFields with what is wrong by field, Invalid, and TooMany for what comes too soon or too often.

    `bait`: of a field that people do not see.
    """
    form, now, directory = served.form, request.app[CLOCK](), request.app[DIRECTORY]
    if bait:
        raise Invalid("Leave the last field empty: only programs see it.", field="website")
    reading = read_values(form, given, region=directory.organisation.region, files=len(files) + len(uploads))
    if (files or uploads) and form.files is None:
        raise Invalid("The form takes no files.", field="files")
    if reading.wrong:
        errors = [FieldError(name, words) for name, words in reading.wrong.items()]
        raise InvalidFields("; ".join(f"{each.field}: {each.message}" for each in errors), errors=errors)
    if token is not None and now < token.drawn_at + form.at_least:
        raise TooMany("That was fast; send it once more.", retry_after=form.at_least.total_seconds())
    request.app[SENT].take(form.name, form.per_hour, address=limited_address(request), now=now)
    case = case_of(form, reading.values, language=directory.organisation.languages[0])
    message = WebMessage(
        external_id=f"{form.name}:{token.id}" if token is not None else external_id,
        called=form.name,
        subject=case.subject,
        text=case.text,
        address_kind=case.address_kind,
        address=case.address,
        name=case.name,
        language=language,
        category=case.category,
        fields=case.fields,
        reference=case.reference,
        files=files,
        uploads=uploads,
        owner=None if token is None else token.owner,
    )
    settings = request.app[SETTINGS]
    return await web_in.receive(
        request.app[LOG],
        message,
        queue=served.queue,
        acknowledge=form.acknowledge,
        limits=Limits(settings.largest_upload, settings.largest_message_files),
        now=now,
    )
