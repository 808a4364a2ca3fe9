"""What callers who wait are told."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.announce import Announce
from callcenter.ports import Wait
from channels.telephony.announcements import minutes_left, spoken
from tests.builders import a_wait

BOTH = Announce(position=True, wait=True)


def words(announce: Announce, wait: Wait, waited: float = 0) -> list[str]:
    lines = [command.line.decode().strip() for command in spoken(announce, wait, timedelta(seconds=waited))]
    return [line.removesuffix(' ""').replace("STREAM FILE queue-", "").replace("SAY NUMBER ", "") for line in lines]


def test_place_and_wait_are_told_in_the_words_of_app_queue() -> None:
    assert words(BOTH, a_wait(position=3, expected_seconds=150.0, told_seconds=None)) == [
        "thereare", "3", "callswaiting", "holdtime", "3", "minutes", "thankyou",
    ]  # fmt: skip


def test_who_is_next_and_will_soon_be_served_hears_that() -> None:
    assert words(BOTH, a_wait(position=1, expected_seconds=20.0, told_seconds=None)) == [
        "youarenext", "holdtime", "less-than", "1", "minute", "thankyou",
    ]  # fmt: skip


def test_only_what_the_queue_asks_for_is_said() -> None:
    wait = a_wait(position=2, expected_seconds=90.0)
    assert words(Announce(position=True), wait) == ["thereare", "2", "callswaiting", "thankyou"]
    assert words(Announce(wait=True), wait, 60) == ["holdtime", "2", "minutes", "thankyou"]


@pytest.mark.parametrize("expected", [None, 30 * 60 + 1.0])
def test_a_wait_that_is_unknown_or_beyond_half_an_hour_is_not_said(expected: float | None) -> None:
    wait = a_wait(expected_seconds=expected, told_seconds=None)
    assert words(Announce(wait=True), wait) == []
    assert words(BOTH, wait) == ["youarenext", "thankyou"]


seconds = st.floats(0, 4000)


@given(expected=seconds, told=st.none() | seconds, waited=seconds)
def test_a_figure_is_neither_too_short_nor_over_the_bound(expected: float, told: float | None, waited: float) -> None:
    wait = a_wait(expected_seconds=expected, told_seconds=told)
    minutes = minutes_left(wait, timedelta(seconds=waited))
    left = max(expected, (told or 0.0) - waited)
    if minutes is None:
        assert left > 30 * 60 - 0.001
    else:
        assert 1 <= minutes <= 30
        assert minutes * 60 >= left - 0.001


@given(told=st.floats(0, 1800), expected=st.lists(st.floats(0, 1800), min_size=2), step=st.integers(15, 120))
def test_as_long_as_nothing_grows_worse_a_figure_falls_no_faster_than_the_clock(
    told: float, expected: list[float], step: int
) -> None:
    said = [
        minutes_left(a_wait(expected_seconds=each, told_seconds=told), timedelta(seconds=step * number))
        for number, each in enumerate(expected)
    ]
    for number, minutes in enumerate(said):
        assert minutes is not None
        assert minutes * 60 + step * number >= told - 0.001
