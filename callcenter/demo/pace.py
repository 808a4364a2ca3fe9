"""When customers get in touch: the shape of the day, the week and the year; how long they wait, talk and write."""

import math
from bisect import bisect
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from callcenter.store.directory import Queue

# Contacts by hour of the day: slow nights, a peak before lunch, another after work.
HOURS = (2, 1, 1, 1, 1, 2, 5, 12, 30, 55, 70, 66, 48, 42, 50, 54, 52, 48, 44, 46, 42, 30, 16, 6)
# Where customers live all around the world, there is no night.
ROUND_THE_CLOCK = (30, 28, 26, 24, 22, 20, 18, 18, 20, 24, 26, 26, 24, 24, 26, 28, 30, 34, 38, 40, 40, 38, 36, 32)
WEEK = (1.25, 1.1, 1.0, 1.0, 1.05, 0.75, 0.65)
# Days when everybody buys, and the week in which nobody does; (month, day): factor.
_SEASONS = {(6, 18): 2.2, (6, 19): 1.8, (6, 20): 1.5, (11, 11): 2.6, (11, 12): 2.2, (11, 13): 1.7, (12, 12): 1.5}
_NEW_YEAR = {(2, day): 0.5 for day in range(1, 15)}


def of_the_hour(at: datetime, *, around_the_clock: bool = False) -> float:
    """How busy it is at a local moment, 1.0 at the peak of a usual Monday; moves gently from hour to hour."""
    shape = ROUND_THE_CLOCK if around_the_clock else HOURS
    ahead = at.minute / 60
    level = shape[at.hour] * (1 - ahead) + shape[(at.hour + 1) % 24] * ahead
    return level / max(shape) * WEEK[at.weekday()] / max(WEEK)


class Calendar:
    """Draws the moments of first contacts between two dates."""

    def __init__(self, since: datetime, until: datetime, zone: ZoneInfo) -> None:
        self._zone = zone
        first = since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self._days = [first + timedelta(days=n) for n in range((until - since).days + 2)]
        self._sums = list(accumulate(self._weight(day, n) for n, day in enumerate(self._days)))

    def _weight(self, day: datetime, n: int) -> float:
        season = _SEASONS.get((day.month, day.day), 1.0) * _NEW_YEAR.get((day.month, day.day), 1.0)
        # A company that grows a little: a third more at the end of the year than at its beginning.
        return WEEK[day.weekday()] * season * (1 + 0.33 * n / len(self._days))

    def first_contact(self, queue: Queue, dice: Random, *, abroad: bool) -> datetime:
        for _ in range(60):
            day = self._days[bisect(self._sums, dice.random() * self._sums[-1])]
            at = moment_of(day, dice, abroad=abroad)
            if is_open(queue, at):
                return at
        raise ValueError(f"{queue.name} is hardly ever open")

    def soon_after(self, queue: Queue, at: datetime, dice: Random, *, abroad: bool) -> datetime:
        """The first fitting moment not before `at`: people do not ring at three in the morning to follow up."""
        local = at.astimezone(self._zone)
        if is_open(queue, local) and dice.random() < of_the_hour(local, around_the_clock=abroad) + 0.3:
            return at
        for attempt in range(120):
            moment = moment_of(local + timedelta(days=attempt // 6), dice, abroad=abroad)
            if moment > at and is_open(queue, moment):
                return moment
        return at + timedelta(days=20)


def moment_of(day: datetime, dice: Random, *, abroad: bool) -> datetime:
    hour = dice.choices(range(24), ROUND_THE_CLOCK if abroad else HOURS)[0]
    return day.replace(
        hour=hour, minute=dice.randrange(60), second=dice.randrange(60), microsecond=dice.randrange(1000) * 1000
    )


def is_open(queue: Queue, at: datetime) -> bool:
    return queue.hours is None or queue.hours.is_open(at)


def seconds(low: float, usual: float, high: float, dice: Random) -> timedelta:
    """A duration that is mostly near `usual` and now and then much longer (log-normal), within its limits."""
    drawn = usual * math.exp(dice.gauss(0, 0.55))
    return timedelta(seconds=round(min(max(drawn, low), high), 3))


def a_little_more_or_less(duration: timedelta, dice: Random) -> timedelta:
    return duration * dice.uniform(0.6, 1.5)


def chosen(weights: Sequence[float], dice: Random) -> int:
    return dice.choices(range(len(weights)), weights)[0]
