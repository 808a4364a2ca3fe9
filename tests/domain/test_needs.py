"""What work asks for: expressions of skills and levels."""

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.needs import NOTHING, both, fulfils, in_words, missing, more_than, strength, understand
from callcenter.errors import Invalid

SKILLS = ("a", "b", "c")
EVERYBODY = [dict(zip(SKILLS, levels, strict=True)) for levels in product(range(6), repeat=3)]


@pytest.mark.parametrize(
    ("text", "fits", "does_not"),
    [
        ("english >= 3", {"english": 3}, {"english": 2}),
        ("english>=3 and billing>=2", {"english": 4, "billing": 2}, {"english": 5}),
        ("english >= 3 and (billing >= 2 or sales >= 4)", {"english": 3, "sales": 4}, {"english": 3, "sales": 3}),
        ("a >= 1 or b >= 1 and c >= 1", {"a": 1}, {"b": 1}),
        ("A >= 1 AND ((b >= 2))", {"A": 1, "b": 2}, {"a": 1, "b": 2}),
        ("lang:zh >= 2", {"lang:zh": 2}, {"zh": 5}),
    ],
)
def test_an_expression_says_who_is_good_enough(text: str, fits: Mapping[str, int], does_not: Mapping[str, int]) -> None:
    assert fulfils(fits, understand(text))
    assert not fulfils(does_not, understand(text))


@pytest.mark.parametrize(
    ("asked", "has", "levels"),
    [
        ("zh >= 2", {"zh": 2, "en": 5}, 0),  # what nobody asks for counts nothing
        ("zh >= 2", {"zh": 5}, 3),
        ("a >= 1 and b >= 1", {"a": 5, "b": 2}, 2.5),
        ("a >= 4 or b >= 1 and c >= 1", {"a": 3, "b": 1, "c": 2}, 0.5),  # the way that they cannot go is none of theirs
        ("a >= 3 or b >= 1", {"a": 4, "b": 3}, 2),
        ("a >= 3 or b >= 2 and c >= 2", {"a": 4}, 1),  # one skill counts as much as two do
        ("a >= 3 or b >= 2 and c >= 2", {"b": 3, "c": 3}, 1),
        ("a >= 3", {"a": 1}, -2),  # asked by a later step
        ("a >= 3 and b >= 1", {"b": 5}, -1.5),  # what they have beside it does not make up for that
        ("a >= 3 or b >= 2", {"a": 1, "b": 1}, -1),
        ({}, {"a": 5}, 0),
    ],
)
def test_strength_is_what_somebody_has_above_what_is_asked_of_them(
    asked: str | Mapping[str, int], has: Mapping[str, int], levels: float
) -> None:
    assert strength(has, understand(asked)) == levels


@given(st.sampled_from(["a >= 2", "a >= 3 or b >= 2 and c >= 2", "a >= 1 and (b >= 4 or c >= 2)"]), st.data())
def test_who_is_good_enough_is_never_weaker_than_who_is_not_and_a_level_more_never_makes_weaker(
    asked: str, data: st.DataObject
) -> None:
    needs, people = understand(asked), st.sampled_from(EVERYBODY)
    one, other = data.draw(people), data.draw(people)
    if fulfils(one, needs):
        assert strength(one, needs) >= 0
        assert fulfils(other, needs) or strength(other, needs) < 0
    more = {skill: max(one[skill], other[skill]) for skill in SKILLS}
    assert strength(more, needs) >= strength(one, needs)


def test_a_table_means_all_of_it_and_an_empty_one_nothing() -> None:
    assert understand({"a": 2, "b": 1}) == understand("a >= 2 and b >= 1")
    assert understand({}) == NOTHING
    assert fulfils({}, NOTHING)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a skill or `(` at position 1, found the end"),
        ("billing", "expected `>=` after billing at position 8, found the end"),
        ("billing > 2", "expected `>=` after billing at position 9, found >"),
        ("billing >= 6", "expected a level from 1 to 5 for billing at position 12, found 6"),
        ("billing >= 2 sales >= 1", "expected `and`, `or` or the end at position 14, found sales"),
        ("(billing >= 2 or sales >= 1", "expected `and`, `or` or `)` at position 28, found the end"),
        ("billing >= 2)", "expected `and`, `or` or the end at position 13, found )"),
        ("a >= 1 and or b >= 1", "expected a skill or `(` at position 12, found or"),
        ("(" * 11 + "a >= 1" + ")" * 11, "expected at most 10 brackets inside each other at position 11, found ("),
        (" and ".join(f"(a{n} >= 1 or b{n} >= 1)" for n in range(7)), "in at most 100 ways"),
        (" or ".join(f"a{n} >= 1" for n in range(60)), "at most 500 characters"),
    ],
)
def test_a_mistake_is_named_with_its_position_and_what_was_expected(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        understand(text)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("has", "words"),
    [
        ({"english": 3, "sales": 4}, ""),
        ({"english": 3}, "billing 2 or sales 4"),
        ({"english": 2, "billing": 3}, "english 3"),
        ({}, "billing 2 and english 3 or english 3 and sales 4"),
    ],
)
def test_what_somebody_lacks_is_said_in_words(has: Mapping[str, int], words: str) -> None:
    assert missing(has, understand("english >= 3 and (billing >= 2 or sales >= 4)")) == words


def test_a_language_is_called_one() -> None:
    assert in_words({"lang:zh": 3, "billing": 1}) == "billing 1 and the language zh 3"


def _render(tree: object) -> str:
    if isinstance(tree, tuple) and isinstance(tree[0], str) and isinstance(tree[1], int):
        return f"{tree[0]} >= {tree[1]}"
    assert isinstance(tree, tuple)
    word, parts = tree
    return "(" + f" {word} ".join(map(_render, parts)) + ")"


def _holds(tree: object, has: Mapping[str, int]) -> bool:
    assert isinstance(tree, tuple)
    if isinstance(tree[1], int):
        return has[tree[0]] >= tree[1]
    return (all if tree[0] == "and" else any)(_holds(part, has) for part in tree[1])


TREES = st.recursive(
    st.tuples(st.sampled_from(SKILLS), st.integers(1, 5)),
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


@given(tree=TREES)
def test_the_normal_form_says_the_same_as_the_expression(tree: object) -> None:
    needs = understand(_render(tree))
    for has in EVERYBODY:
        assert fulfils(has, needs) == _holds(tree, has) == (missing(has, needs) == "")


@given(before=TREES, after=TREES)
def test_whether_a_step_asks_for_more_is_decided_exactly(before: object, after: object) -> None:
    exactly = any(_holds(before, has) and not _holds(after, has) for has in EVERYBODY)
    assert bool(more_than(understand(_render(before)), understand(_render(after)))) == exactly


@given(one=TREES, other=TREES)
def test_both_is_fulfilled_by_whoever_fulfils_each(one: object, other: object) -> None:
    merged = both(understand(_render(one)), understand(_render(other)))
    for has in EVERYBODY:
        assert fulfils(has, merged) == (_holds(one, has) and _holds(other, has))
