"""Business time: lunch, holidays, days on which the clock changes, and what adds up."""

from datetime import UTC, date, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.business import Calendar
from callcenter.domain.hours import DAYS, Hours

WEEK = {day: ["09:00-12:00", "13:30-18:00"] for day in DAYS[:5]}
OFFICE = Calendar(Hours.parse(timezone="Asia/Shanghai", weekly=WEEK, holidays="CN", closed=[date(2026, 12, 31)]))
BERLIN = Calendar(Hours.parse(timezone="Europe/Berlin", weekly={day: ["00:00-24:00"] for day in DAYS}))
# Opens and closes in the very hour that comes twice or never.
NIGHTS = Calendar(
    Hours.parse(timezone="Europe/Berlin", weekly={"sun": ["00:30-02:30", "02:45-06:00"], "mon": ["22:00-24:00"]})
)
AROUND = Calendar()
CALENDARS = {"office": OFFICE, "berlin": BERLIN, "nights": NIGHTS, "around the clock": AROUND}

calendars = st.sampled_from(list(CALENDARS.values()))
seconds = st.floats(0, 76_000_000).map(lambda number: timedelta(microseconds=round(number * 1e6)))
moments = seconds.map(lambda since: datetime(2025, 1, 1, tzinfo=UTC) + since)
amounts = st.timedeltas(timedelta(), timedelta(days=40))


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


@given(calendars, moments, moments, moments)
def test_splits_add_up_and_more_time_is_never_less_business_time(calendar, one, two, three):
    a, b, c = sorted((one, two, three))
    assert calendar.between(a, b) + calendar.between(b, c) == calendar.between(a, c)
    assert timedelta() <= calendar.between(a, b) <= b - a
    assert calendar.between(b, a) == -calendar.between(a, b)


@given(calendars, moments, amounts, amounts)
def test_a_deadline_is_the_earliest_moment_at_which_the_time_is_used_up(calendar, begin, amount, more):
    due = calendar.after(begin, amount)
    assert calendar.between(begin, due) == amount
    if amount:
        assert calendar.between(begin, due - timedelta(microseconds=1)) < amount
    assert calendar.after(begin, amount + more) >= due
    assert calendar.after(due, more) in (calendar.after(begin, amount + more), due)


@given(calendars, moments)
def test_it_is_open_exactly_when_the_hours_say_so(calendar, at):
    at = at.replace(microsecond=0)
    open_for = calendar.between(at, at + timedelta(seconds=1))
    assert open_for == timedelta(seconds=1 if calendar.hours is None or calendar.hours.is_open(at) else 0)


@pytest.mark.parametrize("minute", range(0, 300, 5))
@pytest.mark.parametrize("day", [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)])
def test_in_the_night_in_which_the_clock_changes_too(day, minute):
    at = day + timedelta(minutes=minute)
    assert NIGHTS.hours is not None
    assert bool(NIGHTS.between(at, at + timedelta(seconds=1))) is NIGHTS.hours.is_open(at)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-05-05", 24)])
def test_a_day_has_as_many_hours_as_its_clock(day, hours):
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert BERLIN.between(midnight, midnight + timedelta(days=1)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("begin", "amount", "due"),
    [
        ("2026-03-10T11:30", "1h", "2026-03-10T14:00"),  # lunch
        ("2026-03-13T17:30", "1h", "2026-03-16T09:30"),  # a weekend: later, never earlier
        ("2026-03-14T10:00", "30m", "2026-03-16T09:30"),  # begun while closed
        ("2026-10-01T10:00", "1h", "2026-10-08T10:00"),  # begun on a holiday that lasts a week
        ("2026-03-10T17:00", "1h", "2026-03-10T18:00"),  # used up as it closes, not as it opens again
        ("2026-03-14T10:00", "0s", "2026-03-14T10:00"),  # nothing to use up
        ("2026-12-30T17:00", "2h", "2027-01-04T10:00"),  # over the year's end, with its holidays
    ],
)
def test_deadlines_of_an_office(begin, amount, due):
    spans = {"1h": timedelta(hours=1), "30m": timedelta(minutes=30), "0s": timedelta(), "2h": timedelta(hours=2)}
    assert OFFICE.after(shanghai(begin), spans[amount]) == shanghai(due)


def test_a_saturday_that_is_worked_for_a_bridge_counts():
    assert OFFICE.between(shanghai("2025-10-11T00:00"), shanghai("2025-10-12T00:00")) == timedelta(hours=7.5)


def test_a_calendar_whose_days_are_all_past_never_gets_there():
    hours = Hours.parse(timezone="UTC", weekly={}, opened={"2026-01-02": ["09:00-10:00"]})
    assert Calendar(hours).after(datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=30)) is not None
    assert Calendar(hours).after(datetime(2026, 1, 3, tzinfo=UTC), timedelta(minutes=30)) is None


def test_a_deadline_over_a_year_with_holidays_takes_microseconds():
    begin = shanghai("2026-01-05T09:00")
    OFFICE.after(begin, timedelta(hours=7.5 * 200))
    quickest = min(_seconds(begin) for _ in range(5))
    assert quickest < 50e-6


def _seconds(begin: datetime) -> float:
    started = process_time()
    for _ in range(100):
        OFFICE.after(begin, timedelta(hours=7.5 * 200))
    return (process_time() - started) / 100
