"""What a service contract promises: whom it covers when, how often somebody is sent, how much of a quota is left."""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import count, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from callcenter.domain.business import Calendar
from callcenter.domain.sla import ClockName, Policy
from callcenter.errors import Invalid

_DAY = timedelta(days=1)


class ContractState(StrEnum):
    """Where a contract stands at a moment."""

    COMING = "coming"  # it has not begun
    IN_FORCE = "in_force"  # it covers its customer
    ENDED = "ended"  # its last day is over
    CANCELLED = "cancelled"  # somebody ended it before its time


class Period(StrEnum):
    """Of what a quota is given anew, counted from the contract's first day."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    TERM = "term"  # once, for the whole contract


class Unit(StrEnum):
    CASES = "cases"  # tickets opened under the contract
    MINUTES = "minutes"  # of conversation, in contacts that belong to those tickets


@dataclass(frozen=True, slots=True)
class Quota:
    amount: int
    unit: Unit
    per: Period


@dataclass(frozen=True, slots=True)
class Visits:
    """Somebody is sent again and again: `every` so many months or days from the first day, or by an RRULE (RFC 5545).

    `ahead`: so long before the day its ticket is opened, with `subject`, in `queue`.
    """

    every: str | None
    rule: str | None
    ahead: timedelta
    subject: str
    queue: str | None = None
    category: str | None = None
    priority: str = "normal"


@dataclass(frozen=True, slots=True)
class Renewal:
    """`before` the end of a contract its owner is reminded, by a ticket with `subject` in `queue`."""

    before: timedelta
    subject: str
    queue: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """The part of a contract that decides about tickets. Empty queues or categories: all of them.

    `kind` is what policies name; `targets` and `calendar` are the contract's own, in place of the policy's.
    """

    id: int
    kind: str
    starts_at: datetime
    ends_at: datetime | None
    queues: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    targets: Mapping[ClockName, timedelta] | None = None
    calendar: Calendar | None = None

    def is_in_force(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def covers(self, case: Mapping[str, str | None]) -> bool:
        queue, category = case.get("queue"), case.get("category") or ""
        below = any(category == each or category.startswith(f"{each}/") for each in self.categories)
        return (not self.queues or queue in self.queues) and (not self.categories or below)


def in_force(covers: Iterable[Cover], case: Mapping[str, str | None], at: datetime) -> Cover | None:
    """The contract that a ticket stands under at a moment: of several that cover it the one that began last."""
    found = [cover for cover in covers if cover.is_in_force(at) and cover.covers(case)]
    return max(found, key=lambda cover: (cover.starts_at, cover.id), default=None)


def next_change(covers: Iterable[Cover], at: datetime) -> datetime | None:
    """When after `at` a contract begins or ends."""
    moments = (moment for cover in covers for moment in (cover.starts_at, cover.ends_at))
    return min((moment for moment in moments if moment is not None and moment > at), default=None)


def promised(policy: Policy | None, cover: Cover | None) -> Policy | None:
    """The policy as a contract bends it: its own targets and hours win. What would be promised for later than the
    resolution is promised for then, and a level that would be due before its clock begins is left out."""
    if cover is None or (cover.targets is None and cover.calendar is None):
        return policy
    if policy is None:
        if not cover.targets:
            return None
        policy = Policy(cover.kind, {}, Calendar(), {}, frozenset({"pending"}))
    targets = {**policy.targets, **(cover.targets or {})}
    if (resolution := targets.get(ClockName.RESOLUTION)) is not None:
        targets = {clock: min(target, resolution) for clock, target in targets.items()}
    levels = [each for each in policy.levels if each.clock in targets and each.used(targets[each.clock]) > timedelta()]
    return replace(policy, targets=targets, calendar=cover.calendar or policy.calendar, levels=tuple(levels))


# -- days


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """The day's midnight; where the clock skips it, the moment after."""
    return datetime.combine(day, time(), zone)


# Periods and visits are counted from the first day on, and reach beyond the last one.
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)


def term(starts_on: date, ends_on: date | None, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    """From when until when (exclusive). Raises Invalid when it would end before it begins, or lies far from today."""
    if not _FIRST <= starts_on <= _LAST:
        raise Invalid(f"A contract begins from {_FIRST.year} to {_LAST.year}.", field="starts_on")
    if ends_on is not None and ends_on < starts_on:
        raise Invalid("A contract ends on its first day or later.", field="ends_on")
    if ends_on is not None and ends_on > _LAST:
        raise Invalid("Leave the end out for a contract without one.", field="ends_on")
    return first_moment(starts_on, zone), None if ends_on is None else first_moment(ends_on + _DAY, zone)


def state_of(
    starts_at: datetime, ends_at: datetime | None, cancelled_at: datetime | None, now: datetime
) -> ContractState:
    if cancelled_at is not None and cancelled_at <= now:
        return ContractState.CANCELLED
    if now < starts_at:
        return ContractState.COMING
    return ContractState.IN_FORCE if ends_at is None or now < ends_at else ContractState.ENDED


def months_later(day: date, months: int) -> date:
    """The same day of a later month; of a shorter month its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# -- visits

_EVERY = {"day": 1, "week": 7}
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_MOST_VISITS = 1000


def parse_every(text: str) -> tuple[int, int]:
    """`3 months`, `2 weeks`, `1 year` as (months, days). Raises Invalid."""
    number, _, unit = text.partition(" ")
    unit = unit.removesuffix("s")
    if number.isascii() and number.isdecimal() and 0 < int(number) <= 120:
        if unit in _EVERY:
            return 0, int(number) * _EVERY[unit]
        if unit in ("month", "year"):
            return int(number) * (12 if unit == "year" else 1), 0
    raise Invalid(f'expected how often, like "3 months", "2 weeks" or "1 year", not {text!r}')


def check_rule(text: str) -> str:
    """An RRULE of days. Raises Invalid for what is none, and for one that never happens."""
    parts = {part.partition("=")[0].upper(): part.partition("=")[2].upper() for part in text.split(";")}
    if parts.get("FREQ") not in _FREQUENCIES:
        raise Invalid(f'expected a rule like "FREQ=MONTHLY;BYDAY=1MO" (FREQ one of {", ".join(_FREQUENCIES)})')
    if unfit := [key for key in parts if key in ("BYHOUR", "BYMINUTE", "BYSECOND", "DTSTART")]:
        raise Invalid(f"visits are planned by days: {unfit[0]} has no place here")
    try:
        first = next(iter(_rule(text, date(2024, 1, 1), date(2034, 1, 1))), None)
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid(f"this is no rule of RFC 5545: {error}") from None
    if first is None:
        raise Invalid("this rule never happens")
    return text


def _rule(text: str, starts_on: date, until: date) -> Iterator[date]:
    found = rrulestr(text, dtstart=datetime.combine(starts_on, time()))
    assert isinstance(found, rrule)
    return (at.date() for at in takewhile(lambda at: at.date() <= until, found))


def visit_days(visits: Visits, starts_on: date, *, after: date | None, until: date) -> list[date]:
    """The days of visits later than `after` up to `until`, at most 1,000. The first day of a contract is none."""
    days: Iterator[date]
    if visits.rule is not None:
        days = _rule(visits.rule, starts_on, until)
    else:
        assert visits.every is not None
        months, step = parse_every(visits.every)
        # Each from the first day on: from one short month to the next the day would wander.
        each = (months_later(starts_on, n * months) + timedelta(days=n * step) for n in count(1))
        days = takewhile(lambda day: day <= until, each)
    found = [day for day in days if after is None or day > after]
    return found[:_MOST_VISITS]


class DutyKind(StrEnum):
    """What happens to a contract by itself."""

    BEGIN = "begin"
    VISIT = "visit"
    RENEWAL = "renewal"
    END = "end"


_ORDER = {kind: place for place, kind in enumerate(DutyKind)}


@dataclass(frozen=True, slots=True)
class Duty:
    """`day`: of the visit, or the last one of the contract whose renewal it is; else the contract's first."""

    at: datetime
    kind: DutyKind
    day: date


@dataclass(frozen=True, slots=True)
class Visit:
    """A day on which somebody is to be sent, and when its ticket is due."""

    day: date
    plan_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What is known of a contract when it is asked what is to be done for it by itself.

    `since`: visits before it are nobody's, since nobody had entered the contract; `planned_to`: the last visit planned.
    """

    starts_on: date
    starts_at: datetime
    ends_at: datetime | None
    since: datetime
    visits: Visits | None = None
    renewal: Renewal | None = None
    planned_to: date | None = None
    begun: bool = False
    reminded: bool = False
    ended: bool = False

    def coming_visits(self, zone: ZoneInfo, *, until: datetime) -> list[Visit]:
        """Visits whose ticket is due up to `until`, and the one after them; none on a day after the end."""
        if self.visits is None or self.ended:
            return []
        last = min(until, self.ends_at) if self.ends_at is not None else until
        # Far enough for one visit more, however seldom they are.
        horizon = min(last.astimezone(zone).date() + self.visits.ahead + timedelta(days=3700), date.max)
        since = self.since.astimezone(zone).date() - _DAY
        after = max(since, self.planned_to) if self.planned_to is not None else since
        found: list[Visit] = []
        for day in visit_days(self.visits, self.starts_on, after=after, until=horizon):
            at = first_moment(day, zone)
            if self.ends_at is not None and at >= self.ends_at:
                break
            found.append(Visit(day, max(at - self.visits.ahead, self.starts_at, self.since)))
            if found[-1].plan_at > until:
                break
        return found

    def remind_at(self) -> datetime | None:
        """None: nobody is reminded, or has been. A contract entered later than that: at once."""
        if self.renewal is None or self.ends_at is None or self.reminded or self.ended or self.ends_at <= self.since:
            return None
        return max(self.ends_at - self.renewal.before, self.starts_at)

    def moments(self, zone: ZoneInfo, now: datetime) -> list["Duty"]:
        """What is to be done up to `now`, in order, and the first thing after it."""
        found = [Duty(visit.plan_at, DutyKind.VISIT, visit.day) for visit in self.coming_visits(zone, until=now)]
        if not self.begun:
            found.append(Duty(self.starts_at, DutyKind.BEGIN, self.starts_on))
        if (at := self.remind_at()) is not None and self.ends_at is not None:
            found.append(Duty(at, DutyKind.RENEWAL, (self.ends_at - _DAY / 2).astimezone(zone).date()))
        if self.ends_at is not None and not self.ended:
            found.append(Duty(self.ends_at, DutyKind.END, self.starts_on))
        found.sort(key=lambda duty: (duty.at, _ORDER[duty.kind], duty.day))
        return [*(duty for duty in found if duty.at <= now), *[duty for duty in found if duty.at > now][:1]]


def parse_quota(kept: Mapping[str, object] | None) -> Quota | None:
    """As the database and the file have it: `{"cases": 12, "per": "year"}`. Raises Invalid."""
    if kept is None:
        return None
    units = [unit for unit in Unit if unit in kept]
    if len(units) != 1 or kept.keys() - {*Unit, "per"}:
        raise Invalid('expected a quota like { cases = 12, per = "year" } or { minutes = 60, per = "month" }')
    amount, per = kept[units[0]], kept.get("per", Period.TERM)
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount <= 1_000_000:
        raise Invalid(f"{units[0]}: expected a whole number from 1 to 1000000")
    if per not in list(Period):
        raise Invalid(f"per: expected one of {', '.join(Period)}, not {per!r}")
    return Quota(amount, units[0], Period(str(per)))


def write_quota(quota: Quota) -> dict[str, object]:
    return {quota.unit.value: quota.amount, "per": quota.per.value}


def check_targets(targets: Mapping[ClockName, timedelta]) -> None:
    """Raises Invalid for none at all, what is not above zero, and what is longer than the resolution."""
    resolution = targets.get(ClockName.RESOLUTION)
    for clock, target in targets.items():
        if target <= timedelta():
            raise Invalid(f"{clock}: expected a duration above zero", field=f"targets.{clock}")
        if resolution is not None and target > resolution:
            raise Invalid(f"{clock} is longer than resolution", field=f"targets.{clock}")
