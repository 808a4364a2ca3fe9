"""A folder of Markdown files becomes solutions: one file a language, named NAME.LANGUAGE.md.

A file begins with its title, `# …`. The properties of the article stand in TOML between two lines of `+++` at the head
of one of its files: category, tags, public, review_on.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from callcenter.actions import solutions
from callcenter.domain.solution import checked_category, checked_language, checked_tags, checked_text, checked_title
from callcenter.errors import Invalid
from callcenter.store import solutions as store
from callcenter.store.log import ContactLog
from callcenter.store.solutions import SQL

_FENCE = "+++"
_KINDS: Mapping[str, tuple[type, str]] = {
    "category": (str, "a text"),
    "tags": (list, "a list of texts"),
    "public": (bool, "true or false"),
    "review_on": (date, "a date like 2027-03-31"),
}


@dataclass(slots=True)
class Document:
    """One article; texts are title and text by language."""

    name: str
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    created: int
    changed: int
    unchanged: int


def read_folder(folder: Path) -> list[Document]:
    """All articles of a folder. Raises Invalid with the file that is wrong, before anything is written."""
    found: dict[str, Document] = {}
    for path in sorted(folder.glob("*.md")):
        name, dot, language = path.stem.rpartition(".")
        if not dot or not name:
            raise Invalid(f"{path}: a file is named NAME.LANGUAGE.md, like refunds.en.md.")
        document = found.setdefault(name, Document(name))
        try:
            properties, title, text = read_text(path.read_text(encoding="utf-8-sig"))
            document.texts[checked_language(language)] = checked_title(title), checked_text(text)
            checked_tags(tuple(properties.get("tags", ())))
            checked_category(properties.get("category"))
        except UnicodeDecodeError as error:
            raise Invalid(f"{path}: UTF-8 was expected; byte {error.start} is not.") from None
        except Invalid as error:
            raise Invalid(f"{path}: {error}") from None
        document.properties |= properties
    if not found:
        raise Invalid(f"{folder}: there are no files named NAME.LANGUAGE.md in it.")
    return list(found.values())


def read_text(source: str) -> tuple[dict[str, Any], str, str]:
    """Properties, title and text of one file. Raises Invalid."""
    lines = source.replace("\r\n", "\n").lstrip().split("\n")
    properties: dict[str, Any] = {}
    if lines[0].strip() == _FENCE:
        ends = [number for number, line in enumerate(lines[1:], 1) if line.strip() == _FENCE]
        if not ends:
            raise Invalid("line 1: the second +++ is missing.")
        properties = _properties("\n".join(lines[1 : ends[0]]))
        lines = lines[ends[0] + 1 :]
    body = "\n".join(lines).lstrip()
    head, _, text = body.partition("\n")
    if not head.startswith("# "):
        raise Invalid("the text must begin with its title: # Title.")
    return properties, head[2:], text


def _properties(source: str) -> dict[str, Any]:
    try:
        given = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"between the lines of +++: {error}.") from None
    for key, value in given.items():
        if key not in _KINDS:
            raise Invalid(f"{key} is no property; expected {', '.join(_KINDS)}.")
        kind, words = _KINDS[key]
        if not isinstance(value, kind) or (
            isinstance(value, list) and not all(isinstance(each, str) for each in value)
        ):
            raise Invalid(f"{key} is {words}.")
    return given


async def import_documents(
    log: ContactLog, documents: list[Document], *, publish: bool, actor: int | None, now: datetime
) -> Counts:
    """New articles, and new versions of those that were imported before; what did not change stays as it is."""
    created = changed = 0
    for document in documents:
        ident = await log.pool.fetchval(SQL.imported, document.name)
        if ident is None:
            await solutions.create(
                log, texts=document.texts, publish=publish, external_id=document.name, actor=actor, now=now,
                **document.properties,
            )  # fmt: skip
            created += 1
            continue
        before = (await store.get(log.pool, ident)).version
        for language, (title, text) in document.texts.items():
            await solutions.save(
                log, ident, language=language, title=title, text=text, version=None, publish=publish, actor=actor,
                now=now,
            )  # fmt: skip
        after = await solutions.change(log, ident, changes=document.properties, version=None, actor=actor, now=now)
        changed += after.version != before
    return Counts(created, changed, len(documents) - created - changed)
