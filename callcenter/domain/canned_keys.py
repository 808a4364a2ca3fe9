"""The prepared answers of an organisation file."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from callcenter.domain.canned import check_name, check_text
from callcenter.domain.organisation import CannedEntry
from callcenter.domain.organisation_keys import Slug, Table, in_words
from callcenter.toml import Document, Problem

_Text = Annotated[str, AfterValidator(in_words(check_text))]
_Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z][A-Za-z]{1,7})?$")]


class CannedTable(Table):
    name: Annotated[str, AfterValidator(in_words(check_name))]
    text: _Text | Annotated[dict[_Language, _Text], Field(min_length=1)]
    queue: Slug | None = None

    def entry(self) -> CannedEntry:
        texts = {"": self.text} if isinstance(self.text, str) else dict(sorted(self.text.items()))
        return CannedEntry(name=self.name, texts=texts, queue=self.queue)


def twins(document: Document) -> Iterator[Problem]:
    """An answer is called by its name."""
    tables = document.data.get("canned_answers")
    seen: set[str] = set()
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        name = table.get("name") if isinstance(table, dict) else None
        if isinstance(name, str):
            if name in seen:
                yield document.problem(("canned_answers", index, "name"), f"{name!r} stands here a second time")
            seen.add(name)
