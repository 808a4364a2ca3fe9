"""Durations as people write them: `20s`, `1m30s`, `-30s`, `8h`, `2d`."""

import re
from datetime import timedelta

from callcenter.errors import Invalid

_UNITS = (("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))
_FORM = re.compile(r"-?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+(?:\.\d+)?s)?(?:\d+ms)?")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
_LONGEST = timedelta(days=366)


def parse_duration(text: str) -> timedelta:
    """Raises Invalid unless it is numbers with their units, the largest first."""
    parts = _PART.findall(text)
    if not parts or not _FORM.fullmatch(text):
        raise Invalid(f"expected a duration like 20s, 5m or 1h30m, not {text!r}")
    seconds = sum(float(number) * dict(_UNITS)[unit] for number, unit in parts)
    if seconds > _LONGEST.total_seconds():
        raise Invalid(f"expected a duration of at most a year, not {text!r}")
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def format_duration(duration: timedelta) -> str:
    """The shortest form that `parse_duration` reads back to the same."""
    millis = round(abs(duration).total_seconds() * 1000)
    text = ""
    for unit, size in _UNITS:
        number, millis = divmod(millis, round(size * 1000))
        text += f"{number}{unit}" if number else ""
    return ("-" if duration < timedelta() else "") + text if text else "0s"
