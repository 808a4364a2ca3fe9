"""What an organisation file says of mail: the words of letters, and how much of it one address may set going."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from callcenter.domain.letter_text import LetterEntry, LetterKind, check_letter, check_subject
from callcenter.domain.mail_rules import MailRules
from callcenter.domain.organisation_keys import Duration, Slug, Table, in_words
from callcenter.errors import Invalid
from callcenter.toml import Document, Problem

_USUAL = MailRules()


def _seldom_enough(value: timedelta) -> timedelta:
    """Two programmes that answer each other are stopped by this alone where neither says what it is."""
    if value < timedelta(minutes=1):
        raise Invalid("expected at least 1m from one acknowledgement to the next")
    return value


class LetterTable(Table):
    kind: LetterKind
    queue: Slug | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})?$")] | None = None
    subject: str | None = None
    text: str

    @model_validator(mode="after")
    def _has_a_subject_of_its_own(self) -> "LetterTable":
        if self.kind is LetterKind.ANSWER and self.subject is not None:
            raise ValueError("an answer has the subject of what it answers")
        return self

    def entry(self) -> LetterEntry:
        name = " ".join(filter(None, [self.kind.value, self.queue, self.language]))
        return LetterEntry(
            name=name, kind=self.kind, text=self.text, queue=self.queue, language=self.language, subject=self.subject
        )


class MailTable(Table):
    acknowledge_every: Annotated[Duration, AfterValidator(in_words(_seldom_enough))] = _USUAL.acknowledge_every
    messages_per_hour: Annotated[int, Field(ge=1, le=10_000)] = _USUAL.messages_per_hour
    automatic_per_hour: Annotated[int, Field(ge=0, le=100)] = _USUAL.automatic_per_hour

    def rules(self) -> MailRules:
        return MailRules(**self.model_dump())


def misfits(document: Document) -> Iterator[Problem]:
    """Texts that cannot be filled in, and two for the same letters, whatever else is wrong with the file."""
    tables = document.data.get("letters")
    seen: set[tuple[object, ...]] = set()
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(table, dict) or table.get("kind") not in set(LetterKind):
            continue
        kind = LetterKind(table["kind"])
        for key, check in (("text", check_letter), ("subject", check_subject)):
            if isinstance(table.get(key), str):
                try:
                    check(kind, table[key])
                except Invalid as error:
                    yield document.problem(("letters", index, key), str(error).rstrip("."))
        place = kind, table.get("queue"), str(table.get("language")).replace("-", "_").lower()
        if place in seen:
            words = "these letters have a text already: each kind, queue and language may stand once"
            yield document.problem(("letters", index), words)
        seen.add(place)
