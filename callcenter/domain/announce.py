"""What callers of a queue are told while they wait, as an organisation's file says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from callcenter.domain.duration import format_duration, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Their place in line, the wait that is expected, or both: once, and with `every` again and again."""

    position: bool = False
    wait: bool = False
    every: timedelta | None = None


def read_announce(kept: Mapping[str, Any] | None) -> Announce | None:
    """As the table queue has it."""
    if kept is None:
        return None
    every = parse_duration(kept["every"]) if "every" in kept else None
    return Announce(position=kept["position"], wait=kept["wait"], every=every)


def write_announce(announce: Announce | None) -> dict[str, Any] | None:
    if announce is None:
        return None
    every = {} if announce.every is None else {"every": format_duration(announce.every)}
    return {"position": announce.position, "wait": announce.wait, **every}
