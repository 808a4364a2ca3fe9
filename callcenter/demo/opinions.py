"""What customers of the invented year answered when they were asked how a contact had been."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from callcenter.demo.course import Course
from callcenter.demo.people import Person
from callcenter.domain.customer import AddressKind
from callcenter.domain.survey import BAD, SCORES, Question
from callcenter.store.directory import Queue

# Of a hundred who are asked, so many answer; mostly those who are content.
_ANSWER = 0.28
_WEIGHTS = {
    Question.CSAT: (4, 4, 9, 30, 53),
    Question.NPS: (2, 1, 1, 2, 2, 4, 5, 12, 20, 22, 29),
    Question.SOLVED: (18, 82),
}
# Whoever waited longer than this is harder to please.
_PATIENT = timedelta(seconds=90)
_COMMENTS = {
    "zh_CN": (("耐心，讲得很清楚。", "很快就解决了，谢谢！"), ("等了太久。", "还是没有解决，要再打一次。")),
    "zh_TW": (("很有耐心，講得很清楚。", "很快就解決了，謝謝！"), ("等太久了。", "還是沒有解決，要再打一次。")),
    "en": (("Patient and clear.", "Solved in no time, thank you!"), ("I waited far too long.", "Still not working.")),
}


class Opinions:
    """In the order of the contacts; with dice of their own, so that the stories are the same with and without them."""

    def __init__(self, until: datetime) -> None:
        self._until = until
        self._dice = Random(until.year)  # noqa: S311 - a story, no secret
        self._asked: dict[int, datetime] = {}

    def after(self, interaction: int, person: Person, queue: Queue, happened: Course) -> Sequence[Any] | None:
        """The row of a survey; None when nobody was asked. Bad scores opened no tickets in that year."""
        rules = queue.survey
        if rules is None or person.value(AddressKind.EMAIL) is None:
            return None
        asked = happened.over + rules.delay
        before = self._asked.get(person.number)
        if asked >= self._until or (before is not None and before > asked - rules.not_again):
            return None
        self._asked[person.number] = asked
        score, comment, answered = None, None, None
        at = asked + timedelta(minutes=self._dice.expovariate(1 / 200))
        if self._dice.random() < _ANSWER and at < min(self._until, asked + rules.valid):
            score, answered = self._score(rules.ask, happened), at
            comment = self._comment(rules.ask, score, person.language)
        nothing_is_bad = SCORES[rules.ask][0] - 1
        return (
            interaction, person.number, queue.id, happened.agent, rules.ask, nothing_is_bad, rules.change_within,
            person.language, asked, asked + rules.valid, score, comment, answered,
        )  # fmt: skip

    def _score(self, ask: Question, happened: Course) -> int:
        score = self._draw(ask)
        if happened.answered and happened.queued and happened.answered - happened.queued > _PATIENT:
            return min(score, self._draw(ask))
        return score

    def _draw(self, ask: Question) -> int:
        return self._dice.choices(SCORES[ask], _WEIGHTS[ask])[0]

    def _comment(self, ask: Question, score: int, language: str) -> str | None:
        if self._dice.random() > 0.3:
            return None
        good, poor = _COMMENTS.get(language, _COMMENTS["en"])
        return self._dice.choice(good if score > BAD[ask] else poor)
