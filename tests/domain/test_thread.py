"""Tokens that lead a reply to its case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.thread import answer_subject, bare_address, number_of, tagged_address, tagged_subject, token

KEY = b"k" * 32


@given(st.integers(1, 10**17))
def test_a_token_leads_back_from_address_and_subject(number: int) -> None:
    address = tagged_address(KEY, number, "care@heronbay.example")
    assert number_of(KEY, recipients=[address.upper()], subject="") == number
    assert number_of(KEY, recipients=[], subject=f"Re: {tagged_subject(KEY, number, 'No light')}") == number
    assert bare_address(address) == "care@heronbay.example"


def test_a_token_of_another_case_or_key_leads_nowhere() -> None:
    forged = tagged_subject(KEY, 7, "x").replace("#7-", "#8-")
    assert number_of(KEY, recipients=[], subject=forged) is None
    assert number_of(b"other", recipients=[], subject=tagged_subject(KEY, 7, "x")) is None


def test_a_subject_has_one_token() -> None:
    once = tagged_subject(KEY, 7, "No light")
    assert tagged_subject(KEY, 7, f"Re: {once}").count("[#") == 1


@pytest.mark.parametrize(
    "subject",
    ["No light", "Re: No light", "RE：No light", "回复: No light", "答复：No light", "回覆: No light", "AW: No light",
     "SV: No light", "Re[2]: No light", "RE: 回复：Re: No light", f"Re: [#{token(KEY, 7)}] Aw: No light"],
)  # fmt: skip
def test_an_answer_has_one_mark_of_an_answer(subject: str) -> None:
    assert answer_subject(subject) == "Re: No light"


@pytest.mark.parametrize("subject", ["Fwd: No light", "Refund", "Re-send it", "res 12: No light", "回复慢"])
def test_what_only_looks_like_such_a_mark_stays(subject: str) -> None:
    assert answer_subject(subject) == f"Re: {subject}"
