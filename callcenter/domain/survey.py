"""What customers are asked after a contact, which answers are bad, and what all answers together say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Self

from callcenter.errors import Invalid

LONGEST_COMMENT = 2000
# Of Asterisk's core sounds, which every PBX has: for those who recorded none of their own.
TRY_AGAIN = "vm-pls-try-again"
THANKS = "auth-thankyou"


class Question(StrEnum):
    CSAT = "csat"  # how satisfied, 1 to 5
    NPS = "nps"  # how likely to recommend us, 0 to 10
    SOLVED = "solved"  # was it solved: 1 yes, 0 no


class Via(StrEnum):
    """How a customer was asked."""

    MAIL = "mail"  # by a letter with links
    KEYPAD = "keypad"  # by the PBX, when the agent had hung up
    CHAT = "chat"  # by the stars that a chat ends with
    API = "api"  # by another system, which told us the answer


SCORES: Mapping[Question, range] = {
    Question.CSAT: range(1, 6),
    Question.NPS: range(11),
    Question.SOLVED: range(2),
}
# Scores up to this one are bad unless the queue says otherwise; of NPS: the detractors.
BAD: Mapping[Question, int] = {Question.CSAT: 2, Question.NPS: 6, Question.SOLVED: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRules:
    """Of one queue. Customers are asked `delay` after the wrap-up, and not again within `not_again`, whoever asks.

    They may answer while the mail is `valid`, and change their answer for `change_within` from the first one on.
    `by`: callers are asked on the phone where it has KEYPAD, all others by mail where it has MAIL. `prompt`, `again`
    and `thanks` are sounds of the PBX. `form`: the questionnaire with further questions.
    """

    ask: Question
    bad: int
    delay: timedelta = timedelta(minutes=10)
    not_again: timedelta = timedelta(days=30)
    valid: timedelta = timedelta(days=14)
    change_within: timedelta = timedelta(hours=24)
    by: tuple[Via, ...] = (Via.MAIL,)
    prompt: str | None = None
    again: str = TRY_AGAIN
    thanks: str = THANKS
    form: str | None = None

    @classmethod
    def checked(
        cls,
        *,
        ask: Question,
        bad: int | None,
        delay: timedelta,
        not_again: timedelta,
        valid: timedelta,
        change_within: timedelta,
        by: tuple[Via, ...] = (Via.MAIL,),
        prompt: str | None = None,
        again: str = TRY_AGAIN,
        thanks: str = THANKS,
        form: str | None = None,
    ) -> Self:
        """Raises Invalid for a `bad` that is no score, or the best one: then every answer would be bad.

        And for a question that cannot be asked on the phone.
        """
        scores = SCORES[ask]
        limit = BAD[ask] if bad is None else bad
        if limit not in scores[:-1]:
            most = f" to {scores[-2]}" if len(scores) > 2 else ""
            raise Invalid(f"bad is a score of {ask}, {scores[0]}{most}; not {limit}")
        if delay < timedelta() or change_within < timedelta():
            raise Invalid("delay and change_within are not below zero")
        _check_by(ask, by, prompt)
        return cls(
            ask=ask,
            bad=limit,
            delay=delay,
            not_again=not_again,
            valid=valid,
            change_within=change_within,
            by=by,
            prompt=prompt,
            again=again,
            thanks=thanks,
            form=form,
        )


def _check_by(ask: Question, by: tuple[Via, ...], prompt: str | None) -> None:
    if not by or len(set(by)) < len(by) or not {Via.MAIL, Via.KEYPAD}.issuperset(by):
        raise Invalid("by is keypad, mail or both, each once")
    if Via.KEYPAD in by and ask is Question.NPS:
        raise Invalid("a keypad survey takes one digit, and nps goes to 10: ask csat or solved, or by mail")
    if (Via.KEYPAD in by) != (prompt is not None):
        raise Invalid("prompt is the recording that asks on the phone: it is needed with keypad, and only there")


def score_of_key(ask: Question, key: str) -> int | None:
    """The score that a caller gave by one key: 1 to 5, or 1 yes and 2 no; None for any other key."""
    if ask is Question.SOLVED:
        return {"1": 1, "2": 0}.get(key)
    return int(key) if key.isdecimal() and int(key) in SCORES[ask] else None


def read_score(ask: Question, text: str) -> int:
    """A score of that question. Raises Invalid."""
    scores = SCORES[ask]
    if not text.isascii() or not text.isdecimal() or len(text) > 2 or int(text) not in scores:
        raise Invalid("Choose one of the answers.", field="score")
    return int(text)


@dataclass(frozen=True, slots=True)
class Tally:
    """The answers to one question: how often each score was given."""

    ask: Question
    counts: Mapping[int, int]

    @property
    def answers(self) -> int:
        return sum(self.counts.values())

    @property
    def good(self) -> int:
        """CSAT: 4 and 5. NPS: promoters, 9 and 10. Solved: yes."""
        return self._of({Question.CSAT: (4, 5), Question.NPS: (9, 10), Question.SOLVED: (1,)}[self.ask])

    @property
    def poor(self) -> int:
        """CSAT: 1 and 2. NPS: detractors, 0 to 6. Solved: no."""
        return self._of(range(BAD[self.ask] + 1))

    def _of(self, scores: Iterable[int]) -> int:
        return sum(self.counts.get(score, 0) for score in scores)

    @property
    def figure(self) -> float | None:
        """CSAT and solved: the share of good answers, 0 to 1. NPS: % promoters - % detractors, -100 to 100.

        Over the answers given, as the field defines them; None before the first.
        """
        if not self.answers:
            return None
        if self.ask is Question.NPS:
            return 100 * (self.good - self.poor) / self.answers
        return self.good / self.answers
