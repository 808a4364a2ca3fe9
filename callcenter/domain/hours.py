"""Opening hours: split days, holidays by country, special days that win over both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays as holiday_calendars

from callcenter.errors import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_AHEAD = 400


@dataclass(frozen=True, slots=True)
class Interval:
    """Wall-clock times of one day; until 24:00 is time.max."""

    begin: time
    end: time


@lru_cache(maxsize=64)
def _calendar(country: str, year: int) -> holiday_calendars.HolidayBase:
    return holiday_calendars.country_holidays(country, years=year)


def _clock(text: str) -> time:
    hours, _, minutes = text.partition(":")
    if (hours, minutes) == ("24", "00"):
        return time.max
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        raise Invalid(f"{text!r} is no time of day; expected HH:MM.") from None


def parse_intervals(texts: Sequence[str]) -> tuple[Interval, ...]:
    """`["09:00-12:00", "13:30-18:00"]`. Raises Invalid when one ends before it begins or two overlap."""
    found = []
    for text in texts:
        begin, separator, end = text.partition("-")
        if not separator:
            raise Invalid(f"{text!r} is no interval; expected HH:MM-HH:MM.")
        interval = Interval(_clock(begin.strip()), _clock(end.strip()))
        if interval.begin >= interval.end:
            raise Invalid(f"{text!r} ends before it begins; split it at midnight.")
        found.append(interval)
    found.sort(key=lambda interval: interval.begin)
    for earlier, later in pairwise(found):
        if later.begin < earlier.end:
            raise Invalid(f"{later.begin:%H:%M} lies inside the interval before it.")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Hours:
    """A calendar of one place. All days are days of its time zone."""

    zone: ZoneInfo
    weekly: tuple[tuple[Interval, ...], ...]
    holidays: str | None = None
    closed: frozenset[date] = frozenset()
    opened: tuple[tuple[date, tuple[Interval, ...]], ...] = ()

    @classmethod
    def parse(
        cls,
        *,
        timezone: str,
        weekly: Mapping[str, Sequence[str]],
        holidays: str | None = None,
        closed: Iterable[date] = (),
        opened: Mapping[str, Sequence[str]] | None = None,
    ) -> Self:
        """Raises Invalid with what was wrong, and with a calendar that never opens."""
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise Invalid(f"There is no time zone {timezone!r}.", field="timezone") from None
        for day in weekly:
            if day not in DAYS:
                raise Invalid(f"{day!r} is no day; expected one of {', '.join(DAYS)}.", field="weekly")
        if holidays is not None and holidays not in holiday_calendars.list_supported_countries(include_aliases=False):
            raise Invalid(f"There is no holiday calendar {holidays!r}.", field="holidays")
        special = []
        for day, texts in (opened or {}).items():
            try:
                special.append((date.fromisoformat(day), parse_intervals(texts)))
            except ValueError:
                raise Invalid(f"{day!r} is no date; expected YYYY-MM-DD.", field="open") from None
        week = tuple(parse_intervals(weekly.get(day, ())) for day in DAYS)
        if not any(week) and not any(intervals for _, intervals in special):
            raise Invalid("These hours are never open.", field="weekly")
        return cls(zone, week, holidays, frozenset(closed), tuple(sorted(special)))

    def intervals(self, day: date) -> tuple[Interval, ...]:
        """Special days win over closed days, these over holidays and make-up days, these over the week."""
        for special, intervals in self.opened:
            if special == day:
                return intervals
        if day in self.closed:
            return ()
        if self.holidays is not None:
            calendar = _calendar(self.holidays, day.year)
            if day in calendar:
                return ()
            # A make-up working day (a Saturday worked for a bridged holiday) has the hours of a Monday.
            if day.weekday() >= 5 and not self.weekly[day.weekday()] and calendar.is_working_day(day):
                return self.weekly[0]
        return self.weekly[day.weekday()]

    def is_open(self, now: datetime) -> bool:
        local = now.astimezone(self.zone)
        moment = local.time()
        return any(interval.begin <= moment < interval.end for interval in self.intervals(local.date()))

    def next_opening(self, now: datetime) -> datetime | None:
        """When it opens next, in UTC terms; now when it is open; None when not within 400 days."""
        local = now.astimezone(self.zone)
        for ahead in range(_LOOK_AHEAD):
            day = local.date() + timedelta(days=ahead)
            for interval in self.intervals(day):
                begin = datetime.combine(day, interval.begin, self.zone)
                end = datetime.combine(day, interval.end, self.zone)
                if now < end:
                    return max(now, begin)
        return None
