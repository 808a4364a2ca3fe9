"""What customers are asked and what they answered, in words and figures; pure."""

from dataclasses import dataclass

from typing_extensions import TypedDict

from callcenter.domain.survey import BAD, SCORES, Question, Tally
from screenpop.i18n import Language
from screenpop.i18n import mark as _

QUESTION = {
    Question.CSAT: _("How satisfied are you with how we helped you?"),
    Question.NPS: _("How likely are you to recommend us to friends or colleagues?"),
    Question.SOLVED: _("Was your request solved?"),
}
_ENDS = {
    Question.CSAT: (_("very dissatisfied"), _("very satisfied")),
    Question.NPS: (_("not at all likely"), _("very likely")),
}
_ANSWERS = {1: _("Yes"), 0: _("No")}


class Score(TypedDict):
    """What the customer answered when asked about a contact."""

    interaction: int
    ask: str
    score: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`label` stands on the button, `means` is read aloud."""

    score: int
    label: str
    means: str


def choices(ask: Question, language: Language) -> list[Choice]:
    """In the order in which they are shown: yes before no, and otherwise the worst first."""
    if ask is Question.SOLVED:
        return [Choice(score, language.gettext(word), language.gettext(word)) for score, word in _ANSWERS.items()]
    scores = SCORES[ask]
    ends = {scores[0]: _ENDS[ask][0], scores[-1]: _ENDS[ask][1]}
    return [
        Choice(score, str(score), f"{score}, {language.gettext(ends[score])}" if score in ends else str(score))
        for score in scores
    ]


def ends(ask: Question, language: Language) -> tuple[str, str]:
    """What the lowest and the highest score mean; empty where the buttons say it."""
    lowest, highest = _ENDS.get(ask, ("", ""))
    return (language.gettext(lowest), language.gettext(highest)) if lowest else ("", "")


def score_words(ask: Question, score: int, language: Language) -> str:
    """For a line of the history: 4/5, NPS 9, solved."""
    match ask:
        case Question.CSAT:
            return f"{score}/{SCORES[ask][-1]}"
        case Question.NPS:
            return f"NPS {score}"
        case Question.SOLVED:
            return language.gettext("Solved") if score else language.gettext("Not solved")


def is_poor(ask: Question, score: int) -> bool:
    return score <= BAD[ask]


def figure_words(tally: Tally) -> str:
    """CSAT and solved as per cent, NPS as the whole number that the field knows; empty before the first answer."""
    figure = tally.figure
    if figure is None:
        return ""
    return f"{round(figure):+d}" if tally.ask is Question.NPS else f"{round(figure * 100)} %"
