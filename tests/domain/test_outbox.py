"""Letters that failed wait longer each time, and not all for the same time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.machine import step
from callcenter.domain.outbox import TRANSITIONS, LetterState, LetterVerb, pause_after
from callcenter.errors import IllegalTransition

CHANCES = st.floats(0, 1)


@given(st.integers(1, 10_000), CHANCES, CHANCES)
def test_pauses_grow_up_to_four_hours_and_chance_takes_at_most_half(attempt, chance, other):
    pause, following = pause_after(attempt, chance=chance), pause_after(attempt + 1, chance=other)
    assert timedelta(seconds=30) <= pause <= timedelta(hours=4)
    assert pause_after(attempt, chance=1) * 2 == pause_after(attempt, chance=0)
    assert pause_after(attempt + 1, chance=0) >= pause_after(attempt, chance=0)
    assert following >= pause / 2


def test_the_first_pauses_are_one_two_and_four_minutes():
    assert [pause_after(n, chance=0) for n in (1, 2, 3)] == [timedelta(minutes=n) for n in (1, 2, 4)]


@pytest.mark.parametrize("state", LetterState)
@pytest.mark.parametrize("verb", LetterVerb)
def test_what_is_through_stays_as_it_is(state, verb):
    if state is LetterState.WAITING:
        assert step(TRANSITIONS, state, verb) in LetterState
    else:
        with pytest.raises(IllegalTransition):
            step(TRANSITIONS, state, verb)
