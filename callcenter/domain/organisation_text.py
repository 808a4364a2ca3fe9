"""An organisation written as a file that reads back to the same; passwords are left out."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from callcenter.domain.announce import Announce
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY
from callcenter.domain.duration import format_duration
from callcenter.domain.interaction import WrapUpMode
from callcenter.domain.needs import LANGUAGE
from callcenter.domain.order import Step
from callcenter.domain.organisation import (
    DEFAULT_HANDLING,
    PAUSES,
    HoursEntry,
    Member,
    Organisation,
    PolicyEntry,
    QueueEntry,
    ServiceLevel,
    UserEntry,
    WrapUp,
)
from callcenter.domain.overflow import Overflow
from callcenter.domain.survey import BAD, SurveyRules

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Keys of a table, without those that have their default."""

    pairs: tuple[tuple[str, Any], ...]

    def lines(self) -> Iterator[str]:
        return (f"{_key(key)} = {_value(value)}" for key, value in self.pairs)


def to_toml(organisation: Organisation) -> str:
    """The text of the file."""
    blocks = []
    if organisation.general is not None:
        general = organisation.general
        keys: dict[str, Any] = {"name": general.name, "region": general.region, "timezone": general.timezone}
        keys["languages"] = general.languages
        keys["default_handling"] = None if general.default_handling == DEFAULT_HANDLING else general.default_handling
        keys["capacity"] = _other_than(CAPACITY, general.capacity)
        keys["interrupted_by"] = _other_than(INTERRUPTED_BY, general.interrupted_by)
        blocks.append(_block("[organisation]", keys))
    blocks += [_block("[[users]]", _user(each)) for each in organisation.users]
    blocks += [_block("[[hours]]", _hours(each)) for each in organisation.hours]
    blocks += [_block("[[queues]]", _queue(each)) for each in organisation.queues]
    blocks += [_block("[[sla_policies]]", _policy(each)) for each in organisation.policies]
    return "\n".join(blocks)


def _block(header: str, keys: Mapping[str, Any]) -> str:
    pairs = tuple((key, value) for key, value in keys.items() if value not in (None, {}, (), []))
    return "\n".join([header, *_Pairs(pairs).lines(), ""])


def _other_than(default: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value != default.get(key)}


def _user(user: UserEntry) -> dict[str, Any]:
    return {
        "name": user.name,
        "full_name": user.full_name,
        "role": str(user.role),
        "endpoint": user.endpoint,
        "manager": user.manager,
        "language": user.language,
        "skills": {skill: level for skill, level in user.skills.items() if not skill.startswith(LANGUAGE)},
        "languages": {
            skill.removeprefix(LANGUAGE): level for skill, level in user.skills.items() if skill.startswith(LANGUAGE)
        },
        "capacity": user.capacity,
        "demo": True if user.demo else None,
    }


def _hours(hours: HoursEntry) -> dict[str, Any]:
    return {
        "name": hours.name,
        "timezone": hours.timezone,
        "weekly": hours.weekly,
        "holidays": hours.holidays,
        "closed": [day.isoformat() for day in hours.closed],
        "open": hours.open,
    }


def _queue(queue: QueueEntry) -> dict[str, Any]:
    default = QueueEntry(name=queue.name)
    level, wrap_up = queue.service_level, queue.wrap_up
    return {
        "name": queue.name,
        "numbers": queue.numbers,
        "default": True if queue.default else None,
        "hours": queue.hours,
        "members": [_member(member) for member in queue.members],
        "needs": queue.needs,
        "steps": [_step(step) for step in queue.steps],
        "language": _spoken(queue.language) or None,
        "default_language": queue.default_language,
        "prefer": queue.prefer,
        "prefer_for": None if queue.prefer_for == default.prefer_for else queue.prefer_for,
        "prefer_within": None if queue.prefer_within == default.prefer_within else queue.prefer_within,
        "strategy": None if queue.strategy == default.strategy else queue.strategy,
        "service_level": None if level == ServiceLevel() else {"target": level.target, "within": level.within},
        "ring_timeout": None if queue.ring_timeout == default.ring_timeout else queue.ring_timeout,
        "wrap_up": None if wrap_up == WrapUp() else _wrap_up(wrap_up),
        "tiers": queue.tiers,
        "overflow": [_rule(rule) for rule in queue.overflow],
        "greeting": queue.greeting,
        "closed_announcement": queue.closed_announcement,
        "announce": _announce(queue.announce),
        "survey": None if queue.survey is None else _survey(queue.survey),
    }


def _announce(announce: Announce | None) -> dict[str, Any]:
    if announce is None:
        return {}
    keys = {"position": announce.position or None, "wait": announce.wait or None, "every": announce.every}
    return {key: value for key, value in keys.items() if value is not None}


def _step(step: Step) -> dict[str, Any]:
    keys = {"after": step.after, "needs": step.needs, "language": _spoken(step.language)}
    return {key: value for key, value in keys.items() if value is not None}


def _spoken(level: int | None) -> bool | int | None:
    return bool(level) if level in (0, 1) else level


def _member(member: Member) -> Any:
    if not member.delay and not member.age_shift:
        return member.agent
    keys = {"agent": member.agent, "delay": member.delay or None, "age_shift": member.age_shift or None}
    return {key: value for key, value in keys.items() if value is not None}


def _rule(rule: Overflow) -> dict[str, Any]:
    keys = {
        "after": rule.after,
        "expected": rule.expected,
        "to": rule.to,
        "lend": rule.lend,
        "treatment": None if rule.treatment is None else str(rule.treatment),
    }
    return {key: value for key, value in keys.items() if value is not None}


def _wrap_up(wrap_up: WrapUp) -> dict[str, Any]:
    keys: dict[str, Any] = {"mode": str(wrap_up.mode) if wrap_up.mode is not WrapUpMode.OPTIONAL else None}
    keys |= {"limit": wrap_up.limit, "dispositions": wrap_up.dispositions or None}
    return {key: value for key, value in keys.items() if value is not None}


def _survey(rules: SurveyRules) -> dict[str, Any]:
    default = SurveyRules(ask=rules.ask, bad=BAD[rules.ask])
    keys = {name: getattr(rules, name) for name in ("bad", "delay", "not_again", "valid", "change_within")}
    return {"ask": str(rules.ask)} | {key: value for key, value in keys.items() if value != getattr(default, key)}


def _policy(policy: PolicyEntry) -> dict[str, Any]:
    return {
        "name": policy.name,
        "when": policy.when,
        "hours": policy.hours,
        # Not a tuple: that nothing pauses must be said.
        "pauses": None if policy.pauses == PAUSES else dict.fromkeys(policy.pauses).keys(),
        **policy.targets,
        "escalations": policy.escalations,
    }


def _key(key: str) -> str:
    return key if key and set(key) <= _BARE else _text(key)


def _text(text: str) -> str:
    # JSON's escapes are among TOML's; TOML wants DEL escaped too.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case timedelta():
            return _text(format_duration(value))
        case date():
            return value.isoformat()
        case str():
            return _text(value)
        case int() | float():
            return repr(value)
        case Mapping():
            inner = ", ".join(_Pairs(tuple(value.items())).lines())
            return f"{{ {inner} }}" if inner else "{}"
        case Iterable():
            return f"[{', '.join(_value(each) for each in value)}]"
        case _:
            raise TypeError(f"{type(value).__name__} has no place in an organisation file")
