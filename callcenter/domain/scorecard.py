"""Scorecards: how an evaluator's answers become a grade; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, pstdev
from typing import Any

from callcenter.domain.form import Texts
from callcenter.errors import Invalid

# By a question's name: 0 and 1 of yes_no, 0 to `highest` of a scale; None: does not apply.
Answers = Mapping[str, int | None]
LONGEST_COMMENT = 4000


class ItemKind(StrEnum):
    YES_NO = "yes_no"
    SCALE = "scale"


class Critical(StrEnum):
    """What is worth nothing when this question gets none of its points."""

    SECTION = "section"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question. `na`: it may not apply."""

    name: str
    text: Texts
    kind: ItemKind = ItemKind.YES_NO
    highest: int = 1
    weight: int = 1
    critical: Critical | None = None
    na: bool = False

    def share(self, answer: int) -> float:
        """Of its points, 0 to 1."""
        return answer / self.highest


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    text: Texts
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """`pass_mark` in per cent."""

    pass_mark: int
    sections: tuple[Section, ...]

    @property
    def items(self) -> list[Item]:
        return [item for section in self.sections for item in section.items]


@dataclass(frozen=True, slots=True)
class Grade:
    """Per cent, of all and by section; None where nothing applied. `failed`: critical questions without any points.

    A critical failure of the whole fails it even where the pass mark is 0.
    """

    total: float | None
    sections: Mapping[str, float | None]
    failed: tuple[str, ...]
    passed: bool | None


def grade(card: Scorecard, answers: Answers) -> Grade:
    """The weighted mean of what applies: a question that does not is as if it were not there.

    A critical failure makes its section, or everything, worth nothing; the weights stay what they are.
    """
    given = {item.name: answers.get(item.name) for item in card.items}
    failed = [item for item in card.items if item.critical is not None and given[item.name] == 0]
    all_lost = any(item.critical is Critical.ALL for item in failed)
    sections: dict[str, float | None] = {}
    points, weights = 0.0, 0
    for section in card.sections:
        lost = all_lost or any(item in failed for item in section.items)
        got, of = _points(section, given)
        got = 0.0 if lost else got
        sections[section.name] = _percent(got, of)
        points, weights = points + got, weights + of
    total = _percent(points, weights)
    if total is None and all_lost:
        total = 0.0
    passed = None if total is None else total >= card.pass_mark and not all_lost
    return Grade(total, sections, tuple(item.name for item in failed), passed)


def _points(section: Section, given: Answers) -> tuple[float, int]:
    got, of = 0.0, 0
    for item in section.items:
        answer = given[item.name]
        if answer is not None:
            got, of = got + item.weight * item.share(answer), of + item.weight
    return got, of


def _percent(points: float, weights: int) -> float | None:
    return round(100 * points / weights, 2) if weights else None


def read_card(definition: Mapping[str, Any]) -> Scorecard:
    """A scorecard as its form is kept."""
    return Scorecard(
        definition["pass_mark"],
        tuple(
            Section(section["name"], section["text"], tuple(_item(each) for each in section["questions"]))
            for section in definition["sections"]
        ),
    )


def _item(kept: Mapping[str, Any]) -> Item:
    kind = ItemKind(kept.get("kind", ItemKind.YES_NO))
    return Item(
        name=kept["name"],
        text=kept["text"],
        kind=kind,
        highest=1 if kind is ItemKind.YES_NO else kept.get("highest", 5),
        weight=kept.get("weight", 1),
        critical=Critical(kept["critical"]) if "critical" in kept else None,
        na=kept.get("na", False),
    )


def read_grades(card: Scorecard, given: Mapping[str, object], *, whole: bool) -> dict[str, int | None]:
    """An evaluator's answers as they are kept. Raises Invalid for what answers no question.

    `whole`: every question needs an answer; a draft may have gaps.
    """
    items = {item.name: item for item in card.items}
    for name in given:
        if name not in items:
            raise Invalid(f"There is no question {name!r}.", field=f"answers.{name}")
    missing = [name for name in items if name not in given]
    if whole and missing:
        raise Invalid(f"Without an answer: {', '.join(missing)}.", field=f"answers.{missing[0]}")
    return {name: _read(items[name], answer) for name, answer in given.items()}


def _read(item: Item, answer: object) -> int | None:
    if answer is None:
        if not item.na:
            raise Invalid(f"{item.name}: this question always applies.", field=f"answers.{item.name}")
        return None
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer <= item.highest:
        raise Invalid(f"{item.name}: a number from 0 to {item.highest} was expected.", field=f"answers.{item.name}")
    return answer


@dataclass(frozen=True, slots=True)
class Spread:
    """How far evaluators are apart on a question: shares of its points, 0 to 1, of those for whom it applied.

    `deviation`: the standard deviation of all of them (population). `applied`: for how many of `graded` it did.
    """

    question: str
    lowest: float | None
    highest: float | None
    mean: float | None
    deviation: float | None
    applied: int
    graded: int


def spreads(card: Scorecard, grades: Sequence[Answers]) -> list[Spread]:
    """By question, those on which evaluators differ most first."""
    found = []
    for item in card.items:
        given = [grades_of.get(item.name) for grades_of in grades]
        shares = [item.share(answer) for answer in given if answer is not None]
        if shares:
            spread = Spread(
                item.name, min(shares), max(shares), fmean(shares), pstdev(shares), len(shares), len(grades)
            )
        else:
            spread = Spread(item.name, None, None, None, None, 0, len(grades))
        found.append(spread)
    return sorted(found, key=lambda each: -(each.deviation or 0.0))
