"""Scores are what their question allows, and figures are what the field says they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.survey import BAD, SCORES, Question, Tally, read_score
from callcenter.errors import Invalid

ASKED = st.sampled_from(Question)


def tally(ask: Question, *scores: int) -> Tally:
    return Tally(ask, {score: scores.count(score) for score in set(scores)})


@pytest.mark.parametrize(
    ("ask", "scores", "figure"),
    [
        (Question.CSAT, (5, 4, 3, 2, 1), 0.4),
        (Question.CSAT, (3, 3), 0.0),
        (Question.NPS, (10, 9, 8, 7, 6, 0), 0.0),
        (Question.NPS, (10, 10, 10, 7), 75.0),
        (Question.NPS, (0, 6), -100.0),
        (Question.SOLVED, (1, 1, 1, 0), 0.75),
    ],
)
def test_csat_is_the_share_of_fours_and_fives_nps_promoters_less_detractors_in_per_cent(ask, scores, figure):
    assert tally(ask, *scores).figure == pytest.approx(figure)


@pytest.mark.parametrize("ask", Question)
def test_without_answers_there_is_no_figure(ask):
    assert tally(ask).figure is None


@given(ASKED, st.data())
def test_a_better_answer_never_makes_a_figure_worse_and_every_figure_stays_on_its_scale(ask, data):
    scores = data.draw(st.lists(st.sampled_from(SCORES[ask]), min_size=1, max_size=30))
    before = tally(ask, *scores).figure
    after = tally(ask, *scores, SCORES[ask][-1]).figure
    assert before is not None
    assert after is not None
    low, high = (-100, 100) if ask is Question.NPS else (0, 1)
    assert low <= before <= after <= high
    worse = tally(ask, *scores, SCORES[ask][0]).figure
    assert worse is not None
    assert low <= worse <= before


@given(ASKED, st.text(max_size=4))
def test_only_scores_of_the_question_are_read(ask, text):
    good = {str(score) for score in SCORES[ask]} | {f"0{score}" for score in SCORES[ask] if score < 10}
    if text in good:
        assert read_score(ask, text) == int(text)
    else:
        with pytest.raises(Invalid):
            read_score(ask, text)


def test_of_every_question_some_answers_are_bad_and_the_best_is_not():
    assert all(BAD[ask] in SCORES[ask][:-1] for ask in Question)
