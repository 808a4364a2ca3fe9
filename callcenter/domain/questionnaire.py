"""Further questions of a survey, as the organisation wrote them, and what may be answered to them; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from callcenter.domain.form import Texts
from callcenter.domain.survey import LONGEST_COMMENT
from callcenter.errors import Invalid


class Kind(StrEnum):
    SCORE = "score"  # 1 to `highest`
    CHOICE = "choice"  # one of `choices`
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Further:
    """One question. `when_bad`: only shown to, and only kept of, those whose score is bad."""

    name: str
    kind: Kind
    text: Texts
    highest: int = 5
    choices: Mapping[str, Texts] | None = None
    when_bad: bool = False

    def read(self, given: object) -> int | str | None:
        """An answer as it is kept; None: none was given. Raises Invalid."""
        if given in (None, ""):
            return None
        match self.kind:
            case Kind.SCORE:
                return self._score(given)
            case Kind.CHOICE:
                if not isinstance(given, str) or given not in (self.choices or {}):
                    raise self._refused(f"one of {', '.join(self.choices or {})}")
                return given
            case Kind.TEXT:
                if not isinstance(given, str) or len(given) > LONGEST_COMMENT or "\x00" in given:
                    raise self._refused(f"a text of at most {LONGEST_COMMENT} characters")
                return given.replace("\r\n", "\n").strip() or None

    def _score(self, given: object) -> int:
        text = str(given)
        if isinstance(given, bool) or not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= self.highest):
            raise self._refused(f"a number from 1 to {self.highest}")
        return int(text)

    def _refused(self, wanted: str) -> Invalid:
        return Invalid(f"{self.name}: {wanted} was expected.", field=f"answers.{self.name}")


def read_questions(form: Mapping[str, Any]) -> list[Further]:
    """The questions of a form as it is kept; of none: no further questions."""
    return [
        Further(
            name=each["name"],
            kind=Kind(each["kind"]),
            text=each["text"],
            highest=each.get("highest", 5),
            choices={choice["name"]: choice["text"] for choice in each.get("choices", ())},
            when_bad=each.get("when") == "bad",
        )
        for each in form.get("questions", ())
    ]


def read_answers(questions: Sequence[Further], given: Mapping[str, Any], *, bad: bool) -> dict[str, Any]:
    """What is kept of a customer's answers. Raises Invalid for those that answer no question, or not that one."""
    known = {question.name for question in questions}
    for name in given:
        if name not in known:
            raise Invalid(f"There is no question {name!r}.", field=f"answers.{name}")
    answers = {
        question.name: question.read(given.get(question.name)) for question in questions if bad or not question.when_bad
    }
    return {name: answer for name, answer in answers.items() if answer is not None}
