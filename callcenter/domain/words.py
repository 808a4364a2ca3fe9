"""Words of a text for full-text search, in languages that put spaces between them and in those that do not; pure.

PostgreSQL's `english` configuration takes care of what is written with spaces, stems included. Chinese, Japanese and
Korean it would keep as one word from one sign of punctuation to the next. They are cut into overlapping pairs here, and
each run of such characters ends with its last one alone: 退货运费 becomes 退货 货运 运费 费. So every character begins
exactly one gram, and any word of one or two characters is found, wherever it stands, without a dictionary.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import opencc

# Ideographs, kana, bopomofo and Hangul; no punctuation.
_WRITTEN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003fffd"
)
_RUN = re.compile(f"[{_WRITTEN}]+")
_LONGEST_POSITION = 16383  # of PostgreSQL's tsvector
_MOST_POSITIONS = 255
# More words than these narrow nothing down any more.
_MOST_OF_QUERY = 40


@dataclass(frozen=True, slots=True)
class Words:
    """`runs`: of characters written without spaces; `spaced`: the rest of the text, for PostgreSQL's parser."""

    spaced: str
    runs: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.runs or self.spaced)


@cache
def _simplified() -> dict[int, str]:
    """Traditional characters and the Simplified ones that stand for them, one for one."""
    han = [chr(point) for begin, end in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for point in range(begin, end)]
    found = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    return {ord(char): plain for char, plain in zip(han, found, strict=True) if char != plain}


def fold(text: str) -> str:
    """The same for what readers take for the same word: full and half width, upper and lower case, 錢 and 钱."""
    text = unicodedata.normalize("NFKC", text).lower()
    return text.translate(_simplified()) if _RUN.search(text) else text


def words_of(text: str) -> Words:
    folded = fold(text)
    return Words(" ".join(_RUN.sub(" ", folded).split()), tuple(_RUN.findall(folded)))


def grams(run: str) -> Iterator[str]:
    """Each character with the one behind it; the last one alone."""
    return (run[place : place + 2] for place in range(len(run)))


def vector_of(words: Words) -> str:
    """The grams as a literal of PostgreSQL's tsvector, with places, so that what is said often counts for more."""
    places: dict[str, list[int]] = {}
    place = 0
    for run in words.runs:
        for gram in grams(run):
            place += 1
            at = places.setdefault(gram, [])
            if len(at) < _MOST_POSITIONS and place <= _LONGEST_POSITION:
                at.append(place)
    return " ".join(f"'{gram}':{','.join(map(str, at))}" if at else f"'{gram}'" for gram, at in places.items())


def query_of(words: Words) -> str:
    """All runs, as a literal of PostgreSQL's tsquery; empty without any. A single character is the begin of a gram."""
    terms: dict[str, None] = {}
    for run in words.runs:
        terms |= dict.fromkeys([f"'{run}':*"] if len(run) == 1 else [f"'{pair}'" for pair in pairs([run])])
    return " & ".join(list(terms)[:_MOST_OF_QUERY])


def pairs(runs: Iterable[str]) -> list[str]:
    """The grams of two characters, each once, in their order: what a text is about, as far as letters say it."""
    return list(dict.fromkeys(gram for run in runs for gram in grams(run) if len(gram) == 2))
