"""What contracts promise and when somebody is sent, for any days and terms."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.business import Calendar
from callcenter.domain.contract import (
    Cover,
    Duties,
    DutyKind,
    Renewal,
    Visits,
    check_rule,
    in_force,
    months_later,
    next_change,
    parse_every,
    promised,
    term,
    visit_days,
)
from callcenter.domain.sla import Action, ClockName, Level, Policy
from callcenter.errors import Invalid

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
START = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
MOMENTS = st.timedeltas(timedelta(), timedelta(days=4000)).map(lambda passed: START + passed)
EVERY = st.sampled_from(["1 month", "3 months", "1 year", "2 weeks", "10 days"])


def visits(every: str | None = "3 months", *, rule: str | None = None, ahead: int = 14) -> Visits:
    return Visits(every, rule, timedelta(days=ahead), "Visit")


def cover(ident: int = 1, *, begin: datetime = NOW, end: datetime | None = None, **more) -> Cover:
    return Cover(ident, "care", begin, end, **more)


@given(DAYS, st.integers(0, 600))
def test_months_later_is_the_same_day_or_the_last_of_its_month(day, months):
    found = months_later(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found + timedelta(days=1)).day == 1


@given(DAYS, EVERY, st.integers(0, 2000), st.integers(0, 2000))
def test_visits_seen_in_two_halves_are_those_seen_at_once(start, every, first, second):
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    whole = visit_days(visits(every), start, after=None, until=end)
    halves = visit_days(visits(every), start, after=None, until=middle) + visit_days(
        visits(every), start, after=middle, until=end
    )
    assert whole == halves == sorted(set(whole))
    assert start not in whole


def test_a_visit_on_the_31st_is_on_the_last_day_of_a_short_month_and_does_not_wander():
    found = visit_days(visits("1 month"), date(2026, 1, 31), after=None, until=date(2026, 5, 31))
    assert found == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]


def test_a_rule_of_the_calendar_is_followed():
    rule = check_rule("FREQ=MONTHLY;BYDAY=1MO;INTERVAL=2")
    found = visit_days(visits(None, rule=rule), date(2026, 1, 1), after=None, until=date(2026, 6, 1))
    assert found == [date(2026, 1, 5), date(2026, 3, 2), date(2026, 5, 4)]


@pytest.mark.parametrize("text", ["", "3", "0 months", "3 moons", "-1 days", "1000 years", "½ months"])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(Invalid, match="expected how often"):
        parse_every(text)


@pytest.mark.parametrize(
    "text", ["", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=3", "FREQ=MONTHLY;BYDAY=9XX", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"]
)
def test_what_is_no_rule_of_days_is_refused(text):
    with pytest.raises(Invalid):
        check_rule(text)


@given(st.lists(st.tuples(MOMENTS, st.none() | st.timedeltas(timedelta(), timedelta(days=900))), max_size=5), MOMENTS)
def test_the_contract_in_force_changes_only_at_the_moments_that_are_named(terms, at):
    covers = [
        cover(n, begin=begin, end=None if length is None else begin + length) for n, (begin, length) in enumerate(terms)
    ]
    change = next_change(covers, at)
    assert change is None or change > at
    until = change if change is not None else at + timedelta(days=9999)
    middle = at + (until - at) / 2
    assert in_force(covers, {}, at) is in_force(covers, {}, middle)


def test_a_scope_takes_in_what_is_below_its_categories_and_nothing_beside():
    kitchen = cover(queues=("support",), categories=("hardware",))
    assert kitchen.covers({"queue": "support", "category": "hardware/kettle"})
    assert kitchen.covers({"queue": "support", "category": "hardware"})
    assert not kitchen.covers({"queue": "support", "category": "hardwares"})
    assert not kitchen.covers({"queue": "support", "category": None})
    assert not kitchen.covers({"queue": "sales", "category": "hardware"})


def test_of_two_contracts_the_later_one_counts():
    old, new = cover(1, begin=NOW - timedelta(days=9)), cover(2, begin=NOW - timedelta(days=1))
    assert in_force([old, new], {}, NOW) is new
    assert in_force([new, old], {}, NOW - timedelta(days=5)) is old


def test_a_contracts_targets_win_and_levels_that_no_longer_fit_are_left_out():
    hour = timedelta(hours=1)
    levels = tuple(
        Level(ClockName.RESOLUTION, n, at, (Action("notify", "owner"),)) for n, at in enumerate(("-2h", "80%"), 1)
    )
    policy = Policy("all", {}, Calendar(), {ClockName.OWN: hour, ClockName.RESOLUTION: 8 * hour}, frozenset(), levels)
    found = promised(policy, cover(targets={ClockName.RESOLUTION: 2 * hour}))
    assert found is not None
    assert found.targets == {ClockName.OWN: hour, ClockName.RESOLUTION: 2 * hour}
    assert [level.at for level in found.levels] == ["80%"]
    half = promised(policy, cover(targets={ClockName.RESOLUTION: hour / 2}))
    assert half is not None
    assert half.targets == {ClockName.OWN: hour / 2, ClockName.RESOLUTION: hour / 2}
    assert promised(policy, cover()) is policy
    assert promised(None, cover()) is None


def duties(start: date, length: int | None, since: datetime, **more) -> Duties:
    starts_at, ends_at = term(start, None if length is None else start + timedelta(days=length), ZONE)
    given = {"visits": visits("1 month"), "renewal": Renewal(timedelta(days=30), "Renewal"), **more}
    return Duties(starts_on=start, starts_at=starts_at, ends_at=ends_at, since=max(since, starts_at), **given)


@given(DAYS, st.none() | st.integers(0, 800), MOMENTS, MOMENTS, MOMENTS)
def test_what_is_to_be_done_is_the_same_however_often_one_looks(start, length, since, one, two):
    early, late = sorted((one, two))
    whole = duties(start, length, since)
    done = [duty for duty in whole.moments(ZONE, late) if duty.at <= late]
    first = [duty for duty in whole.moments(ZONE, early) if duty.at <= early]
    planned = [duty.day for duty in first if duty.kind is DutyKind.VISIT]
    kinds = {duty.kind for duty in first}
    rest = duties(
        start,
        length,
        since,
        planned_to=max(planned, default=None),
        begun=DutyKind.BEGIN in kinds,
        reminded=DutyKind.RENEWAL in kinds,
        ended=DutyKind.END in kinds,
    )
    then = [] if DutyKind.END in kinds else [duty for duty in rest.moments(ZONE, late) if duty.at <= late]
    assert first + then == done


@given(DAYS, st.none() | st.integers(0, 800), MOMENTS, MOMENTS)
def test_the_next_thing_to_do_lies_ahead_and_nothing_is_planned_behind_the_end(start, length, since, now):
    whole = duties(start, length, since)
    found = whole.moments(ZONE, now)
    assert [duty for duty in found if duty.at > now] == [duty for duty in found[-1:] if duty.at > now]
    for duty in found:
        if duty.kind is DutyKind.VISIT and length is not None:
            assert start < duty.day <= start + timedelta(days=length)


def test_a_contract_ends_on_its_first_day_or_later():
    with pytest.raises(Invalid):
        term(date(2026, 1, 2), date(2026, 1, 1), ZONE)
    begin, end = term(date(2026, 1, 1), date(2026, 1, 1), ZONE)
    assert end is not None
    assert end - begin == timedelta(days=1)
