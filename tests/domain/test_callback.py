"""Who may be called back, when, and at which moments one may choose."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.callback import (
    STEP,
    CallbackRules,
    choices,
    moment,
    next_try,
    number_to_call,
    planned,
    read_callbacks,
    write_callbacks,
    zone_named,
)
from callcenter.domain.hours import Hours
from callcenter.errors import Invalid

RULES = CallbackRules()
WEEK = {day: ["09:00-12:00", "13:30-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE = Hours.parse(timezone="Asia/Shanghai", weekly=WEEK)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("raw", "countries", "value"),
    [("138 0013 8000", (), "+8613800138000"), ("+44 20 7946 0958", ("CN", "GB"), "+442079460958")],
)
def test_numbers_are_called_in_their_full_form(raw: str, countries: tuple[str, ...], value: str):
    assert number_to_call(raw, region="CN", rules=CallbackRules(countries=countries)) == value


@pytest.mark.parametrize(
    ("raw", "countries", "words"),
    [
        ("95500", (), "no telephone number"),
        ("+442079460958", (), "Numbers of CN are called back"),
        ("+449098790000", ("GB",), "cost extra"),
    ],
)
def test_what_is_short_abroad_or_dear_is_not_called(raw: str, countries: tuple[str, ...], words: str):
    with pytest.raises(Invalid, match=words):
        number_to_call(raw, region="CN", rules=CallbackRules(countries=countries))


@given(MOMENTS)
def test_moments_that_may_be_chosen_are_open_in_order_and_on_the_half_hour(now: datetime):
    found = list(choices(OFFICE, rules=RULES, now=now, most=40))
    assert len(found) == 40
    assert found == sorted(set(found))
    for at in found:
        assert now <= at <= now + RULES.ahead
        assert OFFICE.is_open(at)
        assert at.timestamp() % STEP.total_seconds() == 0
        assert planned(at, OFFICE, rules=RULES, now=now) in (at, None)


@given(MOMENTS)
def test_without_a_chosen_moment_it_is_now_or_when_somebody_is_there(now: datetime):
    due = planned(None, OFFICE, rules=RULES, now=now)
    if OFFICE.is_open(now):
        assert due is None
    else:
        assert due is not None
        assert due > now
        assert OFFICE.is_open(due)


@given(MOMENTS, st.integers(1, 4000))
def test_the_next_try_is_later_and_never_outside_the_hours(now: datetime, minutes: int):
    rules = CallbackRules(again=timedelta(minutes=minutes))
    due = next_try(OFFICE, rules=rules, now=now)
    assert due >= now + rules.again
    assert OFFICE.is_open(due)


def test_a_customers_clock_is_believed_unless_the_moment_says_its_own():
    plain = datetime(2026, 3, 10, 9, 0)  # noqa: DTZ001
    assert moment(plain, zone_named("Asia/Tokyo")) == datetime(2026, 3, 10, 0, 0, tzinfo=UTC)
    told = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
    assert moment(told, zone_named("Asia/Tokyo")) is told


@pytest.mark.parametrize("name", ["Mars/Base", "../etc/passwd", "", "a" * 300])
def test_a_zone_that_there_is_not_is_refused(name: str):
    with pytest.raises(Invalid, match="no time zone"):
        zone_named(name)


@pytest.mark.parametrize(
    "rules",
    [
        RULES,
        CallbackRules(attempts=1, again=timedelta(hours=2), countries=("CN",), doors={"a": "b"}, prompt="custom/x"),
    ],
)
def test_rules_are_kept_as_they_are(rules: CallbackRules):
    assert read_callbacks(write_callbacks(rules)) == rules
