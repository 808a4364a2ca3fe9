"""What may follow on what, and samples that anybody can draw again."""

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.evaluation import (
    TRANSITIONS,
    Drawn,
    EvaluationState,
    EvaluationVerb,
    after,
    draw,
    last_week,
)
from callcenter.errors import IllegalTransition

POOL = st.lists(st.builds(Drawn, interaction=st.integers(1, 500), agent=st.integers(1, 6)), max_size=80)


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(EvaluationState, EvaluationVerb)))
def test_every_move_is_in_the_table_or_refused(state, verb):
    if (state, verb) in TRANSITIONS:
        assert after(state, verb) is TRANSITIONS[state, verb]
    else:
        with pytest.raises(IllegalTransition):
            after(state, verb)


def test_what_was_graded_is_never_a_draft_again():
    assert EvaluationState.DRAFT not in TRANSITIONS.values()


@given(pool=POOL, per_agent=st.integers(1, 5), seed=st.integers(0, 2**62), shuffled=st.randoms())
def test_the_same_seed_draws_the_same_in_whatever_order(pool, per_agent, seed, shuffled):
    chosen = draw(pool, per_agent=per_agent, seed=seed)
    again = list(pool)
    shuffled.shuffle(again)
    assert draw(again, per_agent=per_agent, seed=seed) == chosen
    for agent in {each.agent for each in pool}:
        there = len({each for each in pool if each.agent == agent})
        assert len([each for each in chosen if each.agent == agent]) == min(per_agent, there)


def test_other_seeds_draw_others():
    pool = [Drawn(n, 1) for n in range(1, 101)]
    taken = [draw(pool, per_agent=5, seed=seed) for seed in range(200)]
    often = [sum(each in chosen for chosen in taken) for each in pool]
    assert len({tuple(chosen) for chosen in taken}) == 200
    assert max(often) < 30  # 10 on average


@given(pool=POOL, seed=st.integers(0, 2**62))
def test_who_was_drawn_stays_drawn_when_work_of_others_is_added(pool, seed):
    mine = [Drawn(1000 + n, 99) for n in range(10)]
    of_mine = [each for each in draw([*pool, *mine], per_agent=3, seed=seed) if each.agent == 99]
    assert of_mine == draw(mine, per_agent=3, seed=seed)


@pytest.mark.parametrize(("today", "monday"), [(9, 2), (10, 2), (15, 2), (16, 9)])
def test_the_last_week_is_the_one_that_is_over(today, monday):
    assert last_week(date(2026, 3, today)) == date(2026, 3, monday)
