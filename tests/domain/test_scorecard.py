"""Grades are weighted means of what applies; critical failures take them away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.scorecard import (
    Answers,
    Critical,
    Item,
    ItemKind,
    Scorecard,
    Section,
    grade,
    read_card,
    read_grades,
    spreads,
)
from callcenter.errors import Invalid


def card(*sections: list[Item], pass_mark: int = 80) -> Scorecard:
    return Scorecard(pass_mark, tuple(Section(f"s{n}", "", tuple(items)) for n, items in enumerate(sections)))


@st.composite
def graded(draw: st.DrawFn, *, critical: bool = False) -> tuple[Scorecard, Answers]:
    """A scorecard, each of whose questions has a weight, and answers to all of them."""
    answers: dict[str, int | None] = {}
    sections = []
    for s in range(draw(st.integers(1, 4))):
        items = []
        for q in range(draw(st.integers(1, 5))):
            name, highest = f"q{s}.{q}", draw(st.integers(1, 10))
            fails = draw(st.sampled_from([None, *Critical])) if critical else None
            items.append(
                Item(name=name, text="", kind=ItemKind.SCALE, highest=highest, weight=draw(st.integers(1, 9)),
                     critical=fails, na=True)
            )  # fmt: skip
            answers[name] = draw(st.one_of(st.none(), st.integers(0, highest)))
        sections.append(items)
    return card(*sections, pass_mark=draw(st.integers(0, 100))), answers


@given(graded())
def test_the_weights_add_up(found):
    one, answers = found
    result = grade(one, answers)
    applied = [item for item in one.items if answers[item.name] is not None]
    if not applied:
        assert (result.total, result.passed) == (None, None)
        return
    parts = [(s, sum(i.weight for i in s.items if answers[i.name] is not None)) for s in one.sections]
    total = sum((result.sections[s.name] or 0) * weight for s, weight in parts) / sum(weight for _, weight in parts)
    assert result.total == pytest.approx(total, abs=0.02)
    assert result.total is not None
    assert 0 <= result.total <= 100
    assert result.passed == (result.total >= one.pass_mark)


@given(graded())
def test_a_question_that_does_not_apply_is_as_if_it_were_not_there(found):
    one, answers = found
    rest = [[item for item in section.items if answers[item.name] is not None] for section in one.sections]
    without = Scorecard(
        one.pass_mark,
        tuple(Section(s.name, s.text, tuple(items)) for s, items in zip(one.sections, rest, strict=True)),
    )
    assert grade(without, answers) == grade(one, answers)


@given(graded(critical=True))
def test_a_critical_failure_is_worth_nothing_and_never_better(found):
    one, answers = found
    result = grade(one, answers)
    lenient = Scorecard(
        one.pass_mark,
        tuple(
            Section(s.name, s.text, tuple(Item(name=i.name, text="", kind=i.kind, highest=i.highest, weight=i.weight)
                                          for i in s.items))
            for s in one.sections
        ),
    )  # fmt: skip
    assert (result.total or 0) <= (grade(lenient, answers).total or 0)
    failed = [item for item in one.items if item.critical is not None and answers[item.name] == 0]
    assert result.failed == tuple(item.name for item in failed)
    for section in one.sections:
        if any(item in failed for item in section.items):
            assert result.sections[section.name] == 0
    if any(item.critical is Critical.ALL for item in failed):
        assert (result.total, result.passed) == (0, False)


@given(graded())
def test_more_points_never_make_a_grade_worse(found):
    one, answers = found
    for item in one.items:
        given_points = answers[item.name]
        if given_points is not None and given_points < item.highest:
            better = {**answers, item.name: given_points + 1}
            assert (grade(one, better).total or 0) >= (grade(one, answers).total or 0)


def test_a_critical_question_without_weight_fails_the_whole():
    one = card([Item(name="a", text=""), Item(name="b", text="", weight=0, critical=Critical.ALL)], pass_mark=0)
    assert grade(one, {"a": 1, "b": 1}).total == 100
    assert (grade(one, {"a": 1, "b": 0}).total, grade(one, {"a": 1, "b": 0}).passed) == (0, False)


@pytest.mark.parametrize(
    ("answers", "words"),
    [({"a": 2, "b": 0}, "a number from 0 to 1"), ({"a": None, "b": 1}, "always applies"), ({"c": 1}, "no question 'c'"),
     ({"a": True, "b": 1}, "a number from 0 to 1"), ({"a": 1}, "Without an answer: b")],
)  # fmt: skip
def test_what_answers_no_question_is_refused(answers, words):
    one = card([Item(name="a", text=""), Item(name="b", text="", na=True)])
    with pytest.raises(Invalid, match=words):
        read_grades(one, answers, whole=True)


def test_a_draft_may_have_gaps():
    one = card([Item(name="a", text=""), Item(name="b", text="", na=True)])
    assert read_grades(one, {"b": None}, whole=False) == {"b": None}


def test_a_card_is_read_as_it_is_kept():
    questions = [{"name": "a", "text": "A"}, {"name": "b", "text": "B", "kind": "scale", "critical": "all", "na": True}]
    one = read_card({"pass_mark": 70, "sections": [{"name": "s", "text": "S", "questions": questions}]})
    assert [(item.highest, item.critical, item.na) for item in one.items] == [(1, None, False), (5, Critical.ALL, True)]


def test_the_spread_shows_first_where_evaluators_differ():
    one = card([Item(name="same", text=""), Item(name="far", text="", kind=ItemKind.SCALE, highest=4, na=True)])
    found = spreads(one, [{"same": 1, "far": 0}, {"same": 1, "far": 4}, {"same": 1, "far": None}])
    assert [(each.question, each.lowest, each.highest, each.mean, each.deviation) for each in found] == [
        ("far", 0.0, 1.0, 0.5, 0.5), ("same", 1.0, 1.0, 1.0, 0.0),
    ]  # fmt: skip
    assert (found[0].applied, found[0].graded) == (2, 3)
