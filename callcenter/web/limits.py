"""How often one address may ask for what is open to everybody."""

from datetime import datetime

from aiohttp import web

from callcenter.errors import TooMany
from callcenter.web.auth import limited_address
from callcenter.web.keys import CLOCK

_MOST_KEPT = 10_000


class Buckets:
    """A bucket for each key that fills with `rate` a second up to `burst`; of this process alone."""

    def __init__(self, *, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._left: dict[str, tuple[float, datetime]] = {}

    def take(self, key: str, *, now: datetime, amount: float = 1) -> None:
        """Raises TooMany, with the seconds until there is as much again."""
        left, at = self._left.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + max(0.0, (now - at).total_seconds()) * self._rate)
        if left < amount:
            self._left[key] = left, now
            raise TooMany("That was often; wait a moment.", retry_after=(amount - left) / self._rate)
        self._left[key] = left - amount, now
        if len(self._left) > _MOST_KEPT:
            # Whoever asked longest ago has a full bucket again, or nearly.
            del self._left[next(iter(self._left))]


PUBLIC: web.AppKey[Buckets] = web.AppKey("public_buckets")


def public_buckets() -> Buckets:
    """A person who reads and searches; one a second, thirty at once."""
    return Buckets(rate=1.0, burst=30)


def asking_buckets() -> Buckets:
    """Somebody asks to be called: one a minute, five at once."""
    return Buckets(rate=1 / 60, burst=5)


def check_rate(request: web.Request) -> None:
    """For what is open to everybody. Raises TooMany."""
    request.app[PUBLIC].take(limited_address(request), now=request.app[CLOCK]())
