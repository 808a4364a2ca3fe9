"""One order for all waiting work: how old it looks."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from callcenter.domain.duration import parse_duration

Needs = Mapping[str, int]


def place(queued_at: datetime, *, priority: int, shift: timedelta) -> datetime:
    """Since when work seems to wait: priority (minutes) and its customer's value make it older. It never changes."""
    return queued_at - shift - timedelta(minutes=priority)


def tier_shift(tiers: Mapping[str, str], tier: str | None) -> timedelta:
    """How much older a customer's tier makes work look; `tiers` as the organisation file has them."""
    shift = tiers.get(tier or "")
    return timedelta() if shift is None else parse_duration(shift)


def asked_after(needs: Needs, steps: Sequence[tuple[timedelta, Needs]], waited: timedelta) -> Needs:
    """The skills that a queue asks for of work that has waited so long; `steps` in the order of their times."""
    for after, fewer in steps:
        if after <= waited:
            needs = fewer
    return needs
