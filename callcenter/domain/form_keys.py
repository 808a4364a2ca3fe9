"""The keys of an organisation file's questionnaires, scorecards and sampling rules, and what may stand in each."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from callcenter.domain.duration import parse_duration
from callcenter.domain.form import FormEntry, FormKind
from callcenter.domain.interaction import Channel
from callcenter.domain.organisation_keys import Slug, Table, in_words
from callcenter.errors import Invalid

_LANGUAGE = re.compile(r"[a-z]{2,8}(_[A-Z][A-Za-z]{1,7})?")


def _texts(value: str | dict[str, str]) -> str | dict[str, str]:
    if isinstance(value, dict):
        wrong = [code for code in value if not _LANGUAGE.fullmatch(code)]
        if wrong or not value:
            raise Invalid(f"expected languages like zh_CN or en, not {', '.join(wrong) or 'none'}")
    return value


def _span(value: str) -> str:
    parse_duration(value)
    return value


Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
Texts = Annotated[Line | dict[str, Line], AfterValidator(in_words(_texts))]
Span = Annotated[str, AfterValidator(in_words(_span))]
Whole = Annotated[int, Field(strict=True)]


def _twice(names: Sequence[str]) -> str | None:
    return next((name for name in names if names.count(name) > 1), None)


class ChoiceTable(Table):
    name: Slug
    text: Texts


class FurtherTable(Table):
    name: Slug
    kind: Literal["score", "choice", "text"]
    text: Texts
    highest: Annotated[Whole, Field(ge=2, le=10)] = 5
    choices: Annotated[tuple[ChoiceTable, ...], Field(max_length=20)] = ()
    when: Literal["bad"] | None = None

    @model_validator(mode="after")
    def _offers(self) -> "FurtherTable":
        if (self.kind == "choice") != (len(self.choices) > 1):
            raise ValueError("a choice has two choices or more, and other questions have none")
        if name := _twice([choice.name for choice in self.choices]):
            raise ValueError(f"the choice {name} stands there twice")
        return self


class QuestionnaireTable(Table):
    name: Slug
    questions: Annotated[tuple[FurtherTable, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _tells_apart(self) -> "QuestionnaireTable":
        if name := _twice([question.name for question in self.questions]):
            raise ValueError(f"the question {name} stands there twice")
        return self


class ItemTable(Table):
    name: Slug
    text: Texts
    kind: Literal["yes_no", "scale"] = "yes_no"
    highest: Annotated[Whole, Field(ge=2, le=10)] = 5
    weight: Annotated[Whole, Field(ge=0, le=1000)] = 1
    critical: Literal["section", "all"] | None = None
    na: bool = False

    @model_validator(mode="after")
    def _counts(self) -> "ItemTable":
        if not self.weight and self.critical is None:
            raise ValueError("a question without weight says something only when it is critical")
        return self


class SectionTable(Table):
    name: Slug
    text: Texts
    questions: Annotated[tuple[ItemTable, ...], Field(min_length=1, max_length=50)]


class ScorecardTable(Table):
    name: Slug
    text: Texts | None = None
    pass_mark: Annotated[Whole, Field(ge=0, le=100)]
    sections: Annotated[tuple[SectionTable, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _weighs(self) -> "ScorecardTable":
        items = [item for section in self.sections for item in section.questions]
        if name := _twice([section.name for section in self.sections]) or _twice([item.name for item in items]):
            raise ValueError(f"{name} stands there twice; sections and questions are told apart by their names")
        if not any(item.weight for item in items):
            raise ValueError("one question at least needs a weight")
        return self


class SamplingTable(Table):
    name: Slug
    scorecard: str
    per_agent: Annotated[Whole, Field(ge=1, le=100)]
    queue: str | None = None
    channel: Channel | None = None
    longer_than: Span | None = None
    score_up_to: Annotated[Whole, Field(ge=0, le=10)] | None = None


_KINDS: dict[type[Table], FormKind] = {
    QuestionnaireTable: FormKind.SURVEY,
    ScorecardTable: FormKind.SCORECARD,
    SamplingTable: FormKind.SAMPLING,
}


def entry_of(table: Table) -> FormEntry:
    """As it is kept: what has its default is left out."""
    definition: dict[str, Any] = table.model_dump(mode="json", exclude_defaults=True)
    name = definition.pop("name")
    return FormEntry(_KINDS[type(table)], name, definition)
