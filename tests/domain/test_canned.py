"""Prepared answers: which one fits, and what stands in its gaps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.canned import NAMES, Canned, check_name, check_text, fill, matching
from callcenter.errors import Invalid


def canned(ident: int = 1, name: str = "refund", text: str = "In five days.", **given: object) -> Canned:
    return Canned(**{"id": ident, "name": name, "text": text, "language": None, "queue": None, "own": False, **given})  # type: ignore[arg-type]


def found(answers: list[Canned], asked: str = "", language: str | None = None, queue: int | None = None) -> list[int]:
    return [each.id for each in matching(answers, asked, language=language, queue=queue)]


def test_a_name_that_begins_so_comes_before_one_that_has_it_and_that_before_a_text() -> None:
    answers = [canned(1, "bye", "Ask for a refund."), canned(2, "no refund"), canned(3, "refund"), canned(4, "hello")]
    assert found(answers, "Refund") == [3, 2, 1]


def test_ones_own_come_first_among_equals() -> None:
    assert found([canned(1), canned(2, own=True)]) == [2, 1]


def test_a_queue_has_its_own_and_those_for_all() -> None:
    answers = [canned(1, "a", queue=7), canned(2, "b", queue=8), canned(3, "c")]
    assert found(answers, queue=7) == [1, 3]
    assert found(answers) == [3]


@pytest.mark.parametrize(
    ("language", "ident"), [("zh_CN", 2), ("zh-CN", 2), ("zh_TW", 3), ("zh_HK", 2), ("en", 1), ("fr", 1), (None, 1)]
)
def test_the_customers_language_is_chosen_else_the_one_for_all(language: str | None, ident: int) -> None:
    answers = [canned(1), canned(2, language="zh_CN"), canned(3, language="zh_TW")]
    assert found(answers, language=language) == [ident]


def test_gaps_are_filled_and_what_is_put_in_is_not_looked_at_again() -> None:
    values = {"customer.name": "{{ agent.name }}", "agent.name": "Amy", "ticket.number": None}
    assert fill("Dear {{customer.name}}, {{ ticket.number }}– {{ agent.name }}", values) == (
        "Dear {{ agent.name }}, – Amy"
    )


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001, "Dear {{ customer.password }}", "a\x00b"])
def test_what_is_no_answer_is_refused_in_words(text: str) -> None:
    with pytest.raises(Invalid):
        check_text(text)


@pytest.mark.parametrize("name", ["", "/refund", "a\nb", "x" * 61])
def test_what_cannot_be_called_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        check_name(name)


@given(st.text(max_size=200), st.dictionaries(st.sampled_from(NAMES), st.text(max_size=20)))
def test_any_text_that_is_taken_can_be_filled(text: str, values: dict[str, str]) -> None:
    try:
        checked = check_text(text)
    except Invalid:
        return
    assert isinstance(fill(checked, values), str)
