"""Rules of articles: states, who finds them, what is kept of a search."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.machine import step
from callcenter.domain.solution import (
    TRANSITIONS,
    Readers,
    Solution,
    SolutionState,
    SolutionVerb,
    Variant,
    checked_language,
    checked_tags,
    checked_text,
    checked_title,
    readers_of,
    searched,
)
from callcenter.errors import IllegalTransition, Invalid

NOW = datetime(2026, 3, 10, tzinfo=UTC)
REFUNDS = Solution(
    1, SolutionState.PUBLISHED, False, None, (), None, None, None, NOW, NOW, NOW, 1,
    tuple(Variant(code, 1, 1, code, code) for code in ("zh_CN", "en", "de")),
)  # fmt: skip


def test_each_pair_of_state_and_verb_is_a_move_or_refused() -> None:
    refused = set()
    for state, verb in itertools.product(SolutionState, SolutionVerb):
        try:
            step(TRANSITIONS, state, verb)
        except IllegalTransition:
            refused.add((state, verb))
    assert refused == {(SolutionState.RETIRED, SolutionVerb.RETIRE)}


def test_only_published_versions_are_found_and_by_customers_only_public_ones() -> None:
    published, draft = SolutionState.PUBLISHED, SolutionState.DRAFT
    assert readers_of(published, public=True, live=2) is Readers.ALL
    assert readers_of(published, public=False, live=2) is Readers.STAFF
    assert readers_of(published, public=True, live=None) is Readers.NOBODY
    assert readers_of(draft, public=True, live=None) is Readers.NOBODY
    assert readers_of(SolutionState.RETIRED, public=True, live=2) is Readers.NOBODY


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [(("en",), "en"), (("zh_TW",), "zh_CN"), (("fr",), "de"), (("fr", "en"), "en"), ((None, "zh_CN"), "zh_CN")],
)
def test_a_reader_gets_their_language_or_the_next_best(wanted: tuple[str | None, ...], shown: str) -> None:
    assert REFUNDS.variant(*wanted).language == shown
    assert replace(REFUNDS, variants=REFUNDS.variants[:1]).variant(*wanted).language == "zh_CN"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  Refund   TIMES ", "refund times"),
        ("退貨運費", "退货运费"),
        ("order 4711-0815 from amy@shop.example", "order # from @"),
        ("call 138 0013 8000", "call #"),
        ("error 404", "error 404"),
        ("x" * 300, "x" * 80),
    ],
)
def test_a_search_is_kept_without_whom_it_names(text: str, kept: str) -> None:
    assert searched(text) == kept


@given(st.text())
def test_a_search_that_is_kept_is_one_line_without_addresses_and_long_numbers(text: str) -> None:
    kept = searched(text)
    assert len(kept) <= 80
    assert kept.isprintable()
    assert not any(
        kept[place : place + 4].isascii() and kept[place : place + 4].isdigit() for place in range(len(kept) - 3)
    )


def test_bad_input_is_refused_with_the_field_that_is_wrong() -> None:
    for check, field in [
        (lambda: checked_language("english"), "language"),
        (lambda: checked_title("  "), "title"),
        (lambda: checked_title("x" * 201), "title"),
        (lambda: checked_text("\n"), "text"),
        (lambda: checked_text("a\x00b"), "text"),
        (lambda: checked_text("x" * 50_001), "text"),
        (lambda: checked_tags(["x" * 41]), "tags"),
        (lambda: checked_tags([str(n) for n in range(21)]), "tags"),
    ]:
        with pytest.raises(Invalid) as refusal:
            check()
        assert refusal.value.field == field
    assert checked_tags(["Wi-Fi ", "wi-fi", " "]) == ("wi-fi",)
