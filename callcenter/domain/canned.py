"""Answers that are written once and used often: which ones fit, and what stands in their gaps; pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from callcenter.errors import Invalid

LONGEST = 4_000  # characters: a line of a chat
LONGEST_NAME = 60
# What a text may name; empty where there is nothing.
NAMES = ("customer.name", "customer.company", "agent.name", "queue.name", "organisation.name", "ticket.number")
_GAP = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_NAME = re.compile(r"[^\x00-\x1f\x7f/\s](?:[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?")


@dataclass(frozen=True, slots=True)
class Canned:
    """`language` and `queue` None: for all of them. `own`: of the agent who asks, not of the organisation."""

    id: int
    name: str
    text: str
    language: str | None
    queue: int | None
    own: bool


def check_name(name: str) -> str:
    """Raises Invalid."""
    name = name.strip()
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise Invalid(f"A name has 1 to {LONGEST_NAME} characters on one line, and no / before them.", field="name")
    return name


def check_text(text: str) -> str:
    """Raises Invalid with what it names that there is not."""
    text = text.replace("\r\n", "\n").strip()
    if not text or "\x00" in text:
        raise Invalid("expected a text", field="text")
    if len(text) > LONGEST:
        raise Invalid(f"expected a text of at most {LONGEST} characters", field="text")
    for name in _GAP.findall(text):
        if name not in NAMES:
            raise Invalid(f"there is no {name!r}, only {', '.join(NAMES)}", field="text")
    return text


def fill(text: str, values: Mapping[str, str | None]) -> str:
    """With what is known in its gaps; what is put in is not looked at again."""
    return _GAP.sub(lambda gap: values.get(gap[1]) or "", text)


def matching(all_of_them: Iterable[Canned], asked: str, *, language: str | None, queue: int | None) -> list[Canned]:
    """Those that may be used here, the best first: by name, then by a word of the text; one's own before the others.

    Of answers of one name and owner the one in the customer's `language` (`zh_CN`, else its beginning, `zh`), else
    the one for all languages, else the first.
    """
    asked = asked.casefold()
    best: dict[tuple[bool, str], tuple[int, Canned]] = {}
    for each in all_of_them:
        if each.queue is not None and each.queue != queue:
            continue
        key, rank = (each.own, each.name), _language_rank(each.language, language)
        if key not in best or rank < best[key][0]:
            best[key] = (rank, each)
    fits = [(fit, each) for _, each in best.values() if (fit := _fit(each, asked)) is not None]
    fits.sort(key=lambda pair: (pair[0], not pair[1].own, pair[1].name.casefold(), pair[1].id))
    return [each for _, each in fits]


def _language_rank(has: str | None, wanted: str | None) -> int:
    if has is None:
        return 2
    if wanted is None:
        return 3
    has, wanted = has.replace("-", "_").casefold(), wanted.replace("-", "_").casefold()
    if has == wanted:
        return 0
    return 1 if has.partition("_")[0] == wanted.partition("_")[0] else 4


def _fit(answer: Canned, asked: str) -> int | None:
    """None: it does not match."""
    name, text = answer.name.casefold(), answer.text.casefold()
    if name.startswith(asked):
        return 0
    if asked in name:
        return 1
    return 2 if asked in text else None
