"""The words of letters over REST: the organisation's own, what they may name, and how often letters go out."""

from dataclasses import dataclass

from aiohttp import web

from callcenter.domain.agent import Role
from callcenter.domain.letter_text import NAMES, SIGNATURE_NAMES, LetterKind
from callcenter.store import letters
from callcenter.web.body import answer
from callcenter.web.keys import POOL
from callcenter.web.openapi import operation


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterText:
    """`queue` and `language` null: for all of them. `subject` null: ours, or that of the correspondence."""

    kind: LetterKind
    queue: str | None
    language: str | None
    subject: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the texts of each kind may name, as `{{ ticket.number }}`; signatures too."""

    acknowledgement: list[str]
    answer: list[str]
    closing: list[str]
    signature: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Of one address: from one acknowledgement to the next, messages that open tickets, letters that nobody wrote."""

    acknowledge_every_seconds: float
    messages_per_hour: int
    automatic_per_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """`items`: of the organisation's file. What none of them is for has our own words."""

    items: list[LetterText]
    names: Names
    rates: Rates


_NAMES = Names(**{kind.value: list(names) for kind, names in NAMES.items()}, signature=list(SIGNATURE_NAMES))


@operation(
    "GET", "/letters", summary="The words of letters to customers", tag="organisation", role=Role.SUPERVISOR,
    answer=Letters,
)  # fmt: skip
async def get_letters(request: web.Request) -> web.StreamResponse:
    async with request.app[POOL].acquire() as connection:
        found = await letters.read(connection)
        rules = await letters.read_rules(connection)
    items = [
        LetterText(kind=each.kind, queue=each.queue, language=each.language, subject=each.subject, text=each.text)
        for each in found
    ]
    rates = Rates(
        acknowledge_every_seconds=rules.acknowledge_every.total_seconds(),
        messages_per_hour=rules.messages_per_hour,
        automatic_per_hour=rules.automatic_per_hour,
    )
    return answer(Letters(items=items, names=_NAMES, rates=rates))


def routes() -> list[web.RouteDef]:
    return [get_letters.route()]
