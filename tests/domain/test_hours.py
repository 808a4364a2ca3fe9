"""When we are open."""

from datetime import UTC, date, datetime

import pytest

from callcenter.domain.hours import Hours, parse_intervals
from callcenter.errors import Invalid

WEEK = {day: ["09:00-12:00", "13:30-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def office(**changes: object) -> Hours:
    return Hours.parse(**{"timezone": "Asia/Shanghai", "weekly": WEEK, **changes})  # type: ignore[arg-type]


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-10T09:00", True),
        ("2026-03-10T11:59", True),
        ("2026-03-10T12:00", False),
        ("2026-03-10T13:30", True),
        ("2026-03-10T18:00", False),
        ("2026-03-14T10:00", False),
    ],
)
def test_lunch_and_weekends_are_closed(moment: str, is_open: bool) -> None:
    assert office().is_open(shanghai(moment)) is is_open


def test_special_days_win_over_closed_days_and_these_over_the_week() -> None:
    hours = office(closed=[date(2026, 3, 10)], opened={"2026-03-14": ["10:00-11:00"], "2026-03-11": []})
    assert not hours.is_open(shanghai("2026-03-10T10:00"))
    assert hours.is_open(shanghai("2026-03-14T10:30"))
    assert not hours.is_open(shanghai("2026-03-11T10:00"))


def test_chinas_national_day_is_a_holiday_and_its_make_up_day_is_worked() -> None:
    hours = office(holidays="CN")
    assert not hours.is_open(shanghai("2025-10-01T10:00"))
    assert hours.is_open(shanghai("2025-10-11T10:00"))  # a Saturday worked for the bridge
    assert not office().is_open(shanghai("2025-10-11T10:00"))


def test_the_next_opening_is_after_lunch_or_on_monday() -> None:
    assert office().next_opening(shanghai("2026-03-10T12:10")) == shanghai("2026-03-10T13:30")
    assert office().next_opening(shanghai("2026-03-13T18:30")) == shanghai("2026-03-16T09:00")
    assert office().next_opening(shanghai("2026-03-13T10:00")) == shanghai("2026-03-13T10:00")


def test_a_day_with_a_clock_change_opens_by_its_own_clock() -> None:
    hours = Hours.parse(timezone="Europe/Berlin", weekly={"sun": ["09:00-10:00"]})
    assert hours.is_open(datetime(2026, 3, 29, 7, 30, tzinfo=UTC))
    assert hours.is_open(datetime(2026, 3, 22, 8, 30, tzinfo=UTC))


@pytest.mark.parametrize("wrong", [["9-10"], ["10:00-09:00"], ["09:00-12:00", "11:00-13:00"], ["25:00-26:00"]])
def test_intervals_that_make_no_sense_are_refused(wrong: list[str]) -> None:
    with pytest.raises(Invalid):
        parse_intervals(wrong)


def test_hours_that_never_open_are_refused() -> None:
    with pytest.raises(Invalid):
        Hours.parse(timezone="UTC", weekly={})
