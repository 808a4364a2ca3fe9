"""Calling people back: what may be asked for, when they may be called, and how often it is tried; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import PhoneNumberType

from callcenter.domain.duration import format_duration, parse_duration
from callcenter.domain.hours import Hours
from callcenter.domain.phone import NumberKind, parse_number
from callcenter.errors import Invalid

# What whoever has such a number earns from each call to it: nobody may make us call them.
_DEAR = frozenset([PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER])
# Moments that are offered for a choice lie this far apart.
STEP = timedelta(minutes=30)
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRules:
    """`attempts` in all, `again` after one in which nobody was reached; `ahead`: the latest moment that may be chosen.

    `countries`: ISO 3166 codes of those that are called (none: the organisation's own). `doors`: names under which the
    public may ask, and the queues that call. `prompt`: what a caller hears before the offer to be called back.
    """

    attempts: int = 3
    again: timedelta = timedelta(minutes=15)
    ahead: timedelta = timedelta(days=14)
    countries: tuple[str, ...] = ()
    doors: Mapping[str, str] = field(default_factory=dict)
    prompt: str | None = None


_DURATIONS = ("again", "ahead")


def write_callbacks(rules: CallbackRules) -> dict[str, Any]:
    """As JSON and as a table of an organisation file, without what has its default."""
    default = CallbackRules()
    keys: dict[str, Any] = {"attempts": rules.attempts, "again": rules.again, "ahead": rules.ahead}
    keys |= {"countries": list(rules.countries), "doors": dict(rules.doors), "prompt": rules.prompt}
    plain: dict[str, Any] = {"attempts": 3, "countries": [], "doors": {}, "prompt": None}
    plain |= {name: getattr(default, name) for name in _DURATIONS}
    changed = {name: value for name, value in keys.items() if value != plain[name]}
    return {name: format_duration(value) if name in _DURATIONS else value for name, value in changed.items()}


def read_callbacks(kept: Mapping[str, Any]) -> CallbackRules:
    keys: dict[str, Any] = dict(kept)
    keys |= {name: parse_duration(keys[name]) for name in _DURATIONS if name in keys}
    return CallbackRules(**{**keys, "countries": tuple(keys.get("countries", ()))})


def number_to_call(raw: str, *, region: str, rules: CallbackRules) -> str:
    """In E.164. Raises Invalid for what is no number of a person in a country that is called."""
    number = parse_number(raw, region)
    if number.kind is not NumberKind.VALID:
        raise Invalid("That is no telephone number that could be called.", field="number")
    parsed = phonenumbers.parse(number.value)
    countries = rules.countries or (region,)
    if phonenumbers.region_code_for_number(parsed) not in countries:
        raise Invalid(f"Numbers of {', '.join(countries)} are called back, and no others.", field="number")
    if phonenumbers.number_type(parsed) in _DEAR:
        raise Invalid("Numbers that cost extra are not called.", field="number")
    return number.value


def zone_named(name: str) -> ZoneInfo:
    """Raises Invalid for a time zone that there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"There is no time zone {name!r}.", field="timezone") from None


def moment(at: datetime, zone: ZoneInfo) -> datetime:
    """What was chosen by a clock in that zone, unless it says itself in which."""
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def planned(at: datetime | None, hours: Hours | None, *, rules: CallbackRules, now: datetime) -> datetime | None:
    """When it enters its queue; None: at once. Without a chosen moment that is as soon as somebody is there.

    Raises Invalid for a moment that has passed, is too far off, or lies outside the opening hours.
    """
    if at is None or now - _CLOCKS_DIFFER <= at <= now:
        return None if hours is None or hours.is_open(now) else opening(hours, now)
    if at < now:
        raise Invalid("That moment has passed.", field="at")
    if at > now + rules.ahead:
        raise Invalid(f"That is further ahead than {format_duration(rules.ahead)}.", field="at")
    if hours is not None and not hours.is_open(at):
        local = opening(hours, at).astimezone(hours.zone)
        raise Invalid(f"Nobody is there then; open again {local:%Y-%m-%d %H:%M} ({hours.zone}).", field="at")
    return at


def opening(hours: Hours, now: datetime) -> datetime:
    """When somebody is there next. Raises Invalid when nobody will be within a year."""
    found = hours.next_opening(now)
    if found is None:
        raise Invalid("Nobody is there to call back.")
    return found


def next_try(hours: Hours | None, *, rules: CallbackRules, now: datetime) -> datetime:
    """After nobody was reached: later, and while somebody is there."""
    due = now + rules.again
    return due if hours is None else hours.next_opening(due) or due


def _rounded(at: datetime) -> datetime:
    """Up to the next full or half hour."""
    step = STEP.total_seconds()
    return datetime.fromtimestamp(-(-at.timestamp() // step) * step, at.tzinfo)


def choices(hours: Hours | None, *, rules: CallbackRules, now: datetime, most: int) -> Iterator[datetime]:
    """The next moments that may be chosen."""
    at = _rounded(now)
    while at <= now + rules.ahead and most > 0:
        if hours is None or hours.is_open(at):
            yield at
            most -= 1
            at += STEP
        elif (begin := hours.next_opening(at)) is not None:
            at = _rounded(begin)
        else:
            return
