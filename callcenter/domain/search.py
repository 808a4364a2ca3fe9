"""What somebody types into the search, as what is looked for: addresses, a ticket, names and words; pure."""

import re
from dataclasses import dataclass
from itertools import pairwise

import phonenumbers

from callcenter.domain.phone import NumberKind, parse_number
from callcenter.domain.ticket_view import Search
from callcenter.errors import Invalid

LONGEST = 200  # characters
_MOST_WORDS = 8
_LEAST_BEGINNING = 3  # characters of an address
_LEAST_ENDING = 4
_LEAST_NUMBER = 7  # digits; fewer may be part of a company's name
_TICKET = re.compile(r"[#＃]\s*([1-9]\d{0,17})")
_NUMBER = re.compile(r"[1-9]\d{0,17}")
# What people write into a phone number; \u2010 and what follows are dashes.
_PHONE = re.compile(r"\+?[\d\s().\-/\u2010-\u2015\u00a0]+")
_TRUNK = re.compile(r"\(0\)")  # +44 (0)20: dialled at home only
_WORD = re.compile(r"\w+")
_NO_WORDS = Search("", (), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """`ticket`: its number; `beginnings` and `endings` of addresses as they are kept; `names`: words that a name and
    company hold; `texts`: words of texts, `terms` those of them that a text is cut around."""

    ticket: int | None = None
    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    texts: Search = _NO_WORDS
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Of a text that is shown; `hit`: this is what was looked for."""

    text: str
    hit: bool


def understand(typed: str, *, region: str) -> Sought:
    """Everything that it may mean, for numbers of `region` (ISO 3166). Raises Invalid for what is too much at once."""
    text = " ".join(typed.replace("\x00", "").split())
    if len(text) > LONGEST:
        raise Invalid(f"At most {LONGEST} characters are searched for.", field="q")
    if not text:
        return Sought()
    if named := _TICKET.fullmatch(text):
        return Sought(ticket=int(named[1]))
    words = text.split()
    if len(words) > _MOST_WORDS:
        raise Invalid(f"At most {_MOST_WORDS} words are searched for at once.", field="q")
    texts = Search.parse(text)
    return Sought(
        ticket=int(text) if text.isascii() and _NUMBER.fullmatch(text) else None,
        beginnings=_distinct(beginnings(text, region)),
        endings=_distinct(_endings(text)),
        names=() if _is_address(text) else tuple(words),
        texts=texts,
        terms=_terms(texts, text),
    )


def beginnings(text: str, region: str) -> list[str]:
    """How an address may begin when this is typed: as it is, in small letters, and as a number of this region."""
    if not _PHONE.fullmatch(text):
        return [] if " " in text or len(text) < _LEAST_BEGINNING else [text, text.lower()]
    digits = _digits(text)
    if len(digits) < _LEAST_BEGINNING:
        return []
    if text.startswith(("+", "00")):
        return [f"+{digits.removeprefix('00')}"]
    whole = parse_number(text, region)
    country = phonenumbers.country_code_for_region(region)
    found = [whole.value] if whole.kind is NumberKind.VALID else []
    return [*found, *([f"+{country}{digits.lstrip('0')}"] if country else []), digits]


def _is_address(text: str) -> bool:
    """Whether it can be nothing else, so that no name needs to be looked for."""
    return "@" in text or (_PHONE.fullmatch(text) is not None and len(_digits(text)) >= _LEAST_NUMBER)


def _endings(text: str) -> list[str]:
    """How one may end: a number without what stands before it at home, a mail address with its domain."""
    if _PHONE.fullmatch(text):
        digits = _digits(text)
        # The last digits may begin with zeros of their own; the whole of a number never does.
        ends = [digits, digits.lstrip("0")] if not text.startswith("+") else [digits]
        return [end for end in ends if len(end) >= _LEAST_ENDING]
    if " " in text or "." not in text or len(text) < _LEAST_ENDING:
        return []
    return [text.lower(), text]


def _digits(text: str) -> str:
    return "".join(str(int(char)) for char in _TRUNK.sub("", text) if char.isdecimal())


def _distinct(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text.strip("+0")))


def _terms(texts: Search, text: str) -> tuple[str, ...]:
    """Of words with spaces the part that their forms share, as far as letters say it: refund of refunds, refunded."""
    spaced = [word if len(word) <= 4 else word[: max(4, len(word) - 3)] for word in _WORD.findall(texts.spaced)]
    whole = [run for run in text.lower().split() if any(sign in run for sign in texts.signs)]
    return tuple(dict.fromkeys([*spaced, *whole, *texts.signs]))


def parts(cut: str, terms: tuple[str, ...], *, longest: int = 110) -> list[Part]:
    """A text on one line, the words of it that were looked for told apart: whole words in scripts with spaces.

    It begins a little before the first of them; what is left out is an ellipsis.
    """
    text = " ".join(cut.split())
    if not terms:
        return [Part(f"{text[:longest]}…" if len(text) > longest else text, False)] if text else []
    hits = re.compile("|".join(_pattern(term) for term in sorted(terms, key=len, reverse=True)), re.IGNORECASE)
    first = hits.search(text)
    begin = max(0, first.start() - 40) if first else 0
    if begin:
        begin = (text.find(" ", begin, first.start()) if first else -1) + 1 or begin
    shown = text[begin : begin + longest]
    edges = [0, *(edge for hit in hits.finditer(shown) for edge in hit.span()), len(shown)]
    found = [Part(shown[a:b], n % 2 == 1) for n, (a, b) in enumerate(pairwise(edges)) if a < b]
    before = [Part("…", False)] if begin else []
    return [*before, *found, *([Part("…", False)] if begin + longest < len(text) else [])]


def _pattern(term: str) -> str:
    return rf"\b{re.escape(term)}\w*" if term.isascii() else re.escape(term)
