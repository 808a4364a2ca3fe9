"""A solution: an article that says how something is done or put right, in one or several languages."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from callcenter.domain.agent import RANK, Role
from callcenter.domain.words import fold
from callcenter.errors import Invalid

LONGEST_TITLE = 200
LONGEST_TEXT = 50_000  # keeps its words far from PostgreSQL's limit of 1 MB
LONGEST_CATEGORY = 100
MOST_TAGS = 20
LONGEST_TAG = 40
LONGEST_SEARCH = 200


class SolutionState(StrEnum):
    DRAFT = "draft"  # nothing of it was published yet; colleagues see it in the list of articles alone
    PUBLISHED = "published"  # found, suggested, and shown on the help pages if it is public
    RETIRED = "retired"  # out of use, kept with its figures


class SolutionVerb(StrEnum):
    PUBLISH = "publish"
    RETIRE = "retire"


TRANSITIONS: dict[tuple[SolutionState, SolutionVerb], SolutionState] = {
    # Published again: with the texts that were saved since.
    **{(state, SolutionVerb.PUBLISH): SolutionState.PUBLISHED for state in SolutionState},
    (SolutionState.DRAFT, SolutionVerb.RETIRE): SolutionState.RETIRED,
    (SolutionState.PUBLISHED, SolutionVerb.RETIRE): SolutionState.RETIRED,
}


class Readers(StrEnum):
    NOBODY = "nobody"
    STAFF = "staff"
    ALL = "all"  # customers too


class Use(StrEnum):
    INSERTED = "inserted"  # into an answer or a note
    SOLVED = "solved"  # somebody said that this was it


class ShownAt(StrEnum):
    DESK = "desk"
    HELP = "help"


def readers_of(state: SolutionState, *, public: bool, live: int | None) -> Readers:
    """Who finds the text of an article of which version `live` is published."""
    if state is not SolutionState.PUBLISHED or live is None:
        return Readers.NOBODY
    return Readers.ALL if public else Readers.STAFF


@dataclass(frozen=True, slots=True)
class Variant:
    """The article in one language. `title` and `text` are of version `live`, or of `latest` when nothing is live."""

    language: str
    latest: int
    live: int | None
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Solution:
    """Users by id."""

    id: int
    state: SolutionState
    public: bool
    category: str | None
    tags: tuple[str, ...]
    owner: int | None
    review_on: date | None
    created_by: int | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    version: int
    variants: tuple[Variant, ...]

    def variant(self, *languages: str | None) -> Variant:
        """In the first of the languages that it has, else in one that is close to the first, else in any."""
        found = {each.language: each for each in self.variants}
        for language in languages:
            if language is not None and language in found:
                return found[language]
        wanted = next((language for language in languages if language), "")
        return min(self.variants, key=lambda each: (each.language[:2] != wanted[:2], each.language))


def may_publish(role: Role) -> bool:
    """Agents write; that it holds for everybody is for a supervisor to say."""
    return RANK[role] >= RANK[Role.SUPERVISOR]


_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z][A-Za-z]{1,3})?")


def checked_language(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise Invalid("A language is written like en or zh_CN.", field="language")
    return language


def checked_title(title: str) -> str:
    line = " ".join(title.split())
    if not line:
        raise Invalid("An article needs a title.", field="title")
    if len(line) > LONGEST_TITLE or not line.isprintable():
        raise Invalid(f"One line of at most {LONGEST_TITLE} characters.", field="title")
    return line


def checked_text(text: str) -> str:
    plain = text.replace("\r\n", "\n").strip()
    if not plain:
        raise Invalid("Write something.", field="text")
    if len(plain) > LONGEST_TEXT:
        raise Invalid(f"A text has at most {LONGEST_TEXT} characters.", field="text")
    if "\x00" in plain:
        raise Invalid("A text contains no NUL character.", field="text")
    return plain


def checked_category(category: str | None) -> str | None:
    line = " ".join((category or "").split())
    if len(line) > LONGEST_CATEGORY or not line.isprintable():
        raise Invalid(f"One line of at most {LONGEST_CATEGORY} characters.", field="category")
    return line or None


def checked_tags(tags: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """In their order, each once, in small letters."""
    found = tuple(dict.fromkeys(" ".join(tag.lower().split()) for tag in tags if tag.strip()))
    if len(found) > MOST_TAGS:
        raise Invalid(f"At most {MOST_TAGS} tags.", field="tags")
    if any(len(tag) > LONGEST_TAG or not tag.isprintable() or "," in tag for tag in found):
        raise Invalid(f"A tag is one line of at most {LONGEST_TAG} characters, without commas.", field="tags")
    return found


_ADDRESS = re.compile(r"\S*@\S*")
_NUMBER = re.compile(r"\d[\d\s().-]{3,}\d|\d{4,}")
_LONGEST_KEPT = 80


def searched(text: str) -> str:
    """A search as the list of searches keeps it: the same words written alike, no addresses and no long numbers."""
    masked = _NUMBER.sub("#", _ADDRESS.sub("@", fold(text)))
    return " ".join("".join(char if char.isprintable() else " " for char in masked).split())[:_LONGEST_KEPT].strip()
