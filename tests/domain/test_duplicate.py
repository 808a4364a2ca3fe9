"""Records that may be of one person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.duplicate import (
    Reason,
    Record,
    alike,
    folded,
    name_words,
    near_companies,
    near_names,
    suggest,
)

_LETTERS = st.text("abcdeéßİABC王偉伟林 .,-'先生公司", max_size=12)
_NAMES = st.sampled_from(
    [
        "王伟",
        "王偉",
        "王 偉先生",
        "Amy Chen",
        "Chen, Amy",
        "Amy B. Chen",
        "A. Chen",
        "Jonathan Smith",
        "Jonathon Smith",
        "",
    ]
)
_COMPANIES = st.sampled_from([None, "", "Heron", "Heron Ltd.", "苍鹭科技有限公司", "蒼鷺", "Lark GmbH", "Co Ltd"])
_ADDRESSES = st.frozensets(st.tuples(st.just("phone"), st.sampled_from(["+861", "+862", "+863"])), max_size=2)
_RECORDS = st.builds(Record, st.integers(1, 20), _NAMES | _LETTERS, _COMPANIES | _LETTERS, _ADDRESSES)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("王伟", "王偉"),
        ("王伟", "王 伟"),
        ("王伟", "王伟先生"),
        ("欧阳娜娜", "歐陽娜娜"),
        ("Amy Chen", "CHEN, Amy"),
        ("Wang Wei", "Wei Wang"),
        ("Ａｍｙ Chen", "Mrs. Amy Chen"),
        ("Amy Chen", "A. Chen"),
        ("Amy Chen", "Amy Lin Chen"),
        ("Jonathan Smith", "Jonathon Smith"),
        ("Jonathan Smith", "Jonahtan Smith"),
        ("Jonathan Smith", "Jonatan Smith"),
        ("Sean O'Brien", "Sean OBrien"),
    ],
)
def test_names_that_are_nearly_the_same(one, other):
    assert near_names(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("王伟", "王娜"),
        ("王伟", "李伟"),
        ("王伟", "王伟明"),
        ("王先生", "李先生"),
        ("王", "王"),
        ("Amy Chen", "Bob Chen"),
        ("Amy", "Amy Chen"),
        ("Jon Lee", "Jan Lee"),
        ("Anna Schmidt", "Anna Schmitz-Bauer"),
        ("", ""),
    ],
)
def test_names_that_are_others(one, other):
    assert not near_names(one, other)


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("Heron Ltd.", "heron", True),
        ("Heron Logistics", "Heron", True),
        ("苍鹭科技有限公司", "蒼鷺科技", True),
        ("苍鹭科技（集团）股份有限公司", "苍鹭科技", True),
        ("Bank of China", "Bank of America", False),
        ("苍鹭科技", "苍鹭物流", False),
        ("上海苍鹭", "苍鹭", False),
        (None, None, False),
        ("", "", False),
    ],
)
def test_companies(one, other, near):
    assert near_companies(one, other) is near


def test_titles_leave_a_name_that_is_one():
    assert name_words("王先生") == ("王先生",)
    assert name_words("王伟 先生") == ("王伟",)


def test_a_name_alone_says_nothing_a_number_alone_does():
    amy = Record(1, "Amy Chen", None, frozenset({("phone", "+861")}))
    assert alike(amy, Record(2, "Amy Chen")) == ()
    assert alike(amy, Record(2, "Bo", None, frozenset({("phone", "+861")}))) == (Reason.ADDRESS,)


def test_who_has_most_in_common_comes_first():
    amy = Record(1, "Amy Chen", "Heron", frozenset({("phone", "+861")}))
    others = [Record(2, "Chen Amy", "Heron"), Record(3, "Amy Chen", "Heron", amy.addresses), amy]
    assert [each.other for each in suggest(amy, others)] == [3, 2]


@given(_LETTERS | _NAMES)
def test_folding_twice_folds_no_further(text):
    assert folded(folded(text)) == folded(text)


@given(_RECORDS, _RECORDS)
def test_likeness_is_the_same_from_both_sides(one, other):
    assert alike(one, other) == alike(other, one)


@given(_RECORDS)
def test_whoever_has_anything_to_be_known_by_is_like_themselves(one):
    expected = [Reason.ADDRESS] * bool(one.addresses)
    named = any(len(word) > 1 for word in name_words(one.name)) and near_companies(one.company, one.company)
    assert alike(one, one) == (*expected, *[Reason.NAME] * named)


@given(_RECORDS, st.lists(_RECORDS, max_size=6), st.sets(st.integers(1, 20)))
def test_nobody_is_suggested_who_was_told_apart_or_is_the_same_record(one, others, declined):
    found = suggest(one, others, declined=declined)
    assert not {each.other for each in found} & (declined | {one.id})
    assert all(each.reasons for each in found)
