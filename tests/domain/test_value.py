"""What a customer is worth, for any figures and rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.value import (
    Churn,
    Cuts,
    Figures,
    Points,
    Signal,
    Stage,
    ValueRules,
    assess,
    next_night,
    points,
    signals,
    stage,
    tier,
    tier_in_force,
)

TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
START = datetime(2020, 1, 1, tzinfo=UTC)
RULES = ValueRules(tiers={"gold": 13, "silver": 9})
COUNTS = st.integers(0, 50)


@st.composite
def figures(draw) -> Figures:
    days = sorted(draw(st.lists(st.integers(0, 2000), max_size=6)))
    on = [TODAY - timedelta(days=each) for each in days]
    comeback = draw(st.sampled_from(on)) if len(on) > 1 and draw(st.booleans()) else None
    return Figures(
        first_on=on[-1] if on else None,
        last_on=on[0] if on else None,
        comeback_on=comeback,
        orders=sum(each < 365 for each in days),
        spent=draw(st.floats(0, 1e6)),
        orders_lately=draw(COUNTS),
        orders_before=draw(COUNTS),
        contacts_lately=draw(COUNTS),
        contacts_before=draw(COUNTS),
        complaints=draw(COUNTS),
        bad_scores=draw(COUNTS),
    )


@given(figures())
def test_everybody_has_points_a_stage_and_the_same_ones_again(known):
    found = assess(known, RULES, RULES.cuts, TODAY)
    assert found == assess(known, RULES, RULES.cuts, TODAY)
    assert found.points.total == 0 or 3 <= found.points.total <= 15
    assert (found.stage is Stage.PROSPECT) == (known.first_on is None)
    assert (found.tier is None) == (found.points.total < 9)


@given(figures(), st.integers(1, 20), st.floats(0, 1e5), st.integers(0, 400))
def test_who_orders_more_later_and_dearer_never_loses_points(known, orders, spent, later):
    if known.last_on is None:
        return
    better = replace(
        known,
        orders=known.orders + orders,
        spent=known.spent + spent,
        last_on=min(TODAY, known.last_on + timedelta(days=later)),
    )
    before, after = points(known, RULES.cuts, TODAY), points(better, RULES.cuts, TODAY)
    assert after.recency >= before.recency
    assert after.frequency >= before.frequency
    assert after.monetary >= before.monetary


@given(figures(), st.integers(1, 10))
def test_more_signs_of_leaving_never_make_anybody_safer(known, more):
    worse = replace(known, complaints=known.complaints + more, bad_scores=known.bad_scores + more)
    assert set(signals(known, RULES.churn)) <= set(signals(worse, RULES.churn))
    if assess(known, RULES, RULES.cuts, TODAY).stage is Stage.AT_RISK:
        assert assess(worse, RULES, RULES.cuts, TODAY).stage is Stage.AT_RISK


@given(figures(), st.integers(0, 3000))
def test_whoever_orders_nothing_more_goes_from_stage_to_stage_until_they_are_gone(known, days):
    order = [Stage.NEW, Stage.WON_BACK, Stage.ACTIVE, Stage.AT_RISK, Stage.LAPSED]
    calm = ValueRules(churn=Churn(signals=0))
    now, then = (stage(known, (), calm, day) for day in (TODAY, TODAY + timedelta(days=days)))
    if now is Stage.PROSPECT:
        assert then is Stage.PROSPECT
    elif (now is Stage.NEW and then is Stage.WON_BACK) or (now is Stage.WON_BACK and then is Stage.NEW):
        pytest.fail("a first order and a new beginning are different things")
    else:
        assert order.index(then) >= order.index(now)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Figures(), Points()),
        (Figures(first_on=TODAY, last_on=TODAY, orders=1, spent=100), Points(5, 1, 1)),
        (Figures(first_on=TODAY, last_on=TODAY - timedelta(days=30), orders=2, spent=500), Points(5, 2, 2)),
        (Figures(first_on=TODAY, last_on=TODAY - timedelta(days=31), orders=12, spent=20_000), Points(4, 5, 5)),
        (Figures(first_on=TODAY, last_on=TODAY - timedelta(days=400), orders=0, spent=0), Points()),
    ],
)
def test_points_at_the_marks(known, expected):
    assert points(known, Cuts(), TODAY) == expected


def ordered(first: int, last: int, comeback: int | None = None, **more) -> Figures:
    back = None if comeback is None else TODAY - timedelta(days=comeback)
    return Figures(
        first_on=TODAY - timedelta(days=first), last_on=TODAY - timedelta(days=last), comeback_on=back, **more
    )


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (ordered(10, 5), Stage.NEW),
        (ordered(60, 5), Stage.ACTIVE),
        (ordered(400, 180), Stage.AT_RISK),
        (ordered(800, 365), Stage.LAPSED),
        (ordered(900, 20, 20), Stage.WON_BACK),
        (ordered(900, 20, 61), Stage.ACTIVE),
        (ordered(900, 20, complaints=2, bad_scores=1), Stage.AT_RISK),
        (ordered(900, 20, complaints=2), Stage.ACTIVE),
    ],
)
def test_stages_by_the_days_of_orders(known, expected):
    assert assess(known, RULES, RULES.cuts, TODAY).stage is expected


def test_falling_use_is_told_from_figures_that_say_something():
    assert signals(Figures(orders_before=4, orders_lately=2), Churn()) == (Signal.FEWER_ORDERS,)
    assert signals(Figures(orders_before=3, orders_lately=0), Churn()) == ()
    assert signals(Figures(contacts_before=10, contacts_lately=6), Churn()) == ()


@given(st.integers(0, 15), st.dictionaries(st.sampled_from("abcd"), st.integers(3, 15)))
def test_a_tier_is_the_highest_that_the_points_reach(total, tiers):
    found = tier(total, tiers)
    reached = [asks for asks in tiers.values() if asks <= total]
    assert (found is None) == (not reached)
    if found is not None:
        assert tiers[found] == max(reached)


def test_what_is_set_by_hand_wins_until_its_end():
    assert tier_in_force("silver", "gold", None, NOW) == "gold"
    assert tier_in_force("silver", "gold", NOW + timedelta(seconds=1), NOW) == "gold"
    assert tier_in_force("silver", "gold", NOW, NOW) == "silver"
    assert tier_in_force("silver", None, None, NOW) == "silver"


@given(st.timedeltas(timedelta(), timedelta(days=4000)).map(lambda passed: START + passed))
def test_the_next_night_comes_within_a_day_or_so(now):
    for name in ("Asia/Shanghai", "Europe/Berlin", "America/New_York"):
        assert timedelta() < next_night(now, ZoneInfo(name)) - now <= timedelta(hours=25)
