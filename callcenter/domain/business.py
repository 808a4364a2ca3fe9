"""Business time: how much of a stretch of time a calendar is open, and when so much of it will have passed."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from callcenter.domain.hours import Hours

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
# A calendar that opens for less than a target in so many years is taken never to open.
_HORIZON = 12


@dataclass(frozen=True, slots=True)
class _Year:
    """A year of UTC in microseconds since 1970: openings, closings, and how long it was open before each opening."""

    begins: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]
    total: int

    def open_until(self, at: int) -> int:
        """Microseconds open from the year's beginning to `at`."""
        index = bisect_right(self.begins, at) - 1
        return 0 if index < 0 else self.before[index] + min(at, self.ends[index]) - self.begins[index]

    def reach(self, amount: int) -> int:
        """The earliest moment at which `amount` (above zero, at most `total`) was open."""
        index = bisect_left(self.before, amount) - 1
        return self.begins[index] + amount - self.before[index]


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _spans(hours: Hours, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The stretches of UTC with one offset of the zone: a day on which the clock changes has two."""

    def offset(at: datetime) -> timedelta:
        return at.astimezone(hours.zone).utcoffset() or timedelta()

    since, at = begin, begin
    while at < end:
        following = min(at + _DAY, end)
        if offset(at) != offset(following):
            low, high = at, following
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            yield since, high, offset(at)
            since = high
        at = following
    if since < end:
        yield since, end, offset(end - _TICK)


def _wall(day: date, at: time) -> datetime:
    """A time of day as if the place had the time of Greenwich; time.max is midnight."""
    midnight = datetime.combine(day, time(), UTC)
    return midnight + _DAY if at == time.max else datetime.combine(day, at, UTC)


def _open(hours: Hours, year: int) -> Iterator[tuple[int, int]]:
    """The opening times, in order; a wall-clock time that comes twice is open twice, one that never comes is not."""
    for begin, end, offset in _spans(hours, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)):
        day = (begin + offset).date()
        while day <= (end + offset).date():
            for interval in hours.intervals(day):
                opens = max(begin, _wall(day, interval.begin) - offset)
                closes = min(end, _wall(day, interval.end) - offset)
                if opens < closes:
                    yield _micros(opens), _micros(closes)
            day += _DAY


def _compile(hours: Hours, year: int) -> _Year:
    found = list(_open(hours, year))
    before = [0]
    for begin, end in found:
        before.append(before[-1] + end - begin)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(found))
    return _Year(tuple(b for b, _ in found), tuple(e for _, e in found), tuple(before[:-1]), before[-1])


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Hours with each year worked out once; without hours it is open day and night.

    It is open exactly when `Hours.is_open` says so. A deadline takes a few microseconds, the first one of a year some
    milliseconds.
    """

    hours: Hours | None = None
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False)

    def _year(self, year: int) -> _Year:
        found = self._years.get(year)
        if found is None:
            assert self.hours is not None
            found = self._years[year] = _compile(self.hours, year)
        return found

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """How long it is open from `begin` to `end`; negative when `end` is earlier."""
        if self.hours is None:
            return end - begin
        if end < begin:
            return -self.between(end, begin)
        first, last = begin.astimezone(UTC).year, end.astimezone(UTC).year
        open_for = self._year(last).open_until(_micros(end)) - self._year(first).open_until(_micros(begin))
        return timedelta(microseconds=open_for + sum(self._year(year).total for year in range(first, last)))

    def after(self, begin: datetime, amount: timedelta) -> datetime | None:
        """The earliest moment at which it has been open for `amount` since `begin`; None when that never comes.

        Business time that is used up when the day closes is used up then, not at the next opening.
        """
        if amount <= timedelta():
            return begin
        if self.hours is None:
            return begin + amount
        first = begin.astimezone(UTC).year
        wanted = amount // _TICK + self._year(first).open_until(_micros(begin))
        for year in range(first, first + _HORIZON):
            compiled = self._year(year)
            if wanted <= compiled.total:
                return _moment(compiled.reach(wanted))
            wanted -= compiled.total
        return None
