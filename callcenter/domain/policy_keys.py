"""The keys of a policy in an organisation file: what tickets are promised, and who hears of it when it runs out."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ValidationError, model_validator

from callcenter.domain.agent import Role
from callcenter.domain.duration import parse_duration
from callcenter.domain.interaction import Channel
from callcenter.domain.notice import Way
from callcenter.domain.organisation import CLOCKS, PAUSES
from callcenter.domain.organisation_keys import Line, Positive, Slug, Table, in_words
from callcenter.domain.rule_keys import TaskTable
from callcenter.domain.sla import OPTIONS, ClockName, used_at
from callcenter.domain.ticket import Priority
from callcenter.domain.ticket_rules import tag_of
from callcenter.domain.value import Stage
from callcenter.errors import Invalid
from callcenter.toml import Document, Location, Problem

# What each action may say; the part behind a colon names somebody.
_FORMS = {
    "notify": re.compile(rf"owner|manager(:[1-9])?|followers|supervisors|agent:.+|role:({'|'.join(Role)})"),
    "reassign": re.compile(r"manager|agent:.+|queue:.+"),
    "priority": re.compile("|".join(Priority)),
    "tag": re.compile(".+"),
    "webhook": re.compile(".+"),
}
_VERBS = (*_FORMS, "task")
_EXPECTED = {
    "notify": "owner, manager, manager:2 (up the line), followers, supervisors (of the queue), agent:NAME or "
    f"role:{'|'.join(Role)}",
    "reassign": "agent:NAME, queue:NAME or manager",
    "priority": ", ".join(Priority),
    "tag": "a tag",
    "webhook": "the name of a webhook",
}
# Whoever is relied on must be able to do it: a file that is accepted does what it says.
_NOT_YET = {
    **dict.fromkeys(("mail", "email"), 'a mail is a notice: { notify = "owner", by = ["email"] }'),
    **dict.fromkeys(("phone", "call"), 'a call is a notice: { notify = "owner", by = ["phone"] }'),
}


def _at(value: Any) -> str:
    if isinstance(value, str):
        if re.fullmatch(r"[1-9]\d{0,2}%", value):
            return value
        if value[:1] in ("+", "-"):
            parse_duration(value.removeprefix("+"))
            return value
    raise Invalid(
        f'expected a share of the target like "80%", or an offset from it like "-30m" or "+2h", not {value!r}'
    )


def _check_task(value: Any) -> None:
    """As rules open them. Raises Invalid."""
    if not isinstance(value, dict):
        raise Invalid('task: expected a table like { title = "Call them", assignee = "owner", due = "2h" }')
    try:
        TaskTable.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise Invalid(f"task{'.' if key else ''}{key}: {first['msg'].removeprefix('Value error, ')}") from None


def _action(value: Any) -> Any:
    verbs = [key for key in value if key not in OPTIONS] if isinstance(value, dict) else []
    if len(verbs) != 1:
        raise Invalid('expected one thing to do, like { notify = "owner" }')
    verb, what = verbs[0], value[verbs[0]]
    if verb in _NOT_YET:
        raise Invalid(f"{_NOT_YET[verb]}; expected one of {', '.join(_VERBS)}")
    if verb not in _VERBS:
        raise Invalid(f"there is no action {verb!r}; expected one of {', '.join(_VERBS)}")
    if verb == "task":
        _check_task(what)
    elif not isinstance(what, str) or not _FORMS[verb].fullmatch(what):
        raise Invalid(f"{verb}: expected {_EXPECTED[verb]}, not {what!r}")
    if verb != "notify" and len(value) > 1:
        raise Invalid(f"{verb} takes no {' and no '.join(sorted(value.keys() & OPTIONS))}: these are for notify")
    if verb == "tag":
        value = {verb: tag_of(what)}
    _check_options(value)
    return value


def _check_options(value: dict[str, Any]) -> None:
    ways = value.get("by", [])
    if not isinstance(ways, list) or not all(way in tuple(Way) for way in ways):
        raise Invalid(f"by: expected a list of {' and '.join(Way)} (a notice stands on the console always)")
    if not isinstance(value.get("respect_hours", False), bool):
        raise Invalid("respect_hours: expected true or false")


def _some(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        raise Invalid('expected a list of what to do, like [{ notify = "owner" }]')
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class LevelWhen(Table):
    """What must be so when a level is due; several values of a key: one of them."""

    priority: Annotated[tuple[Priority, ...], BeforeValidator(_listed)] | None = None
    state: Annotated[tuple[Literal["new", "open", "pending", "on_hold"], ...], BeforeValidator(_listed)] | None = None
    queue: Annotated[tuple[Line, ...], BeforeValidator(_listed)] | None = None
    owner: Annotated[tuple[Line, ...], BeforeValidator(_listed)] | None = None


class When(Table):
    tier: Slug | None = None
    stage: Stage | None = None
    queue: str | None = None
    channel: Channel | None = None
    priority: Priority | None = None
    category: Line | None = None
    contract: Line | None = None


class EscalationTable(Table):
    clock: ClockName
    at: Annotated[str, BeforeValidator(in_words(_at))]
    actions: Annotated[
        tuple[Annotated[dict[str, Any], BeforeValidator(in_words(_action))], ...], BeforeValidator(in_words(_some))
    ]
    when: LevelWhen | None = None

    def kept(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


class PolicyTable(Table):
    """A promise for tickets; at least one target."""

    name: Slug
    when: When | None = None
    hours: str | None = None
    pauses: tuple[Literal["pending", "on_hold"], ...] = PAUSES  # type: ignore[assignment]
    own: Positive | None = None
    first_response: Positive | None = None
    next_response: Positive | None = None
    resolution: Positive | None = None
    escalations: tuple[EscalationTable, ...] = ()

    @model_validator(mode="after")
    def _promises_something(self) -> "PolicyTable":
        if not any((self.own, self.first_response, self.next_response, self.resolution)):
            raise ValueError("a policy needs own, first_response, next_response or resolution")
        return self


def misfits(document: Document, where: Location, table: Mapping[str, Any]) -> Iterator[Problem]:
    """What does not fit together in a policy, whatever else is wrong with it."""
    targets = {clock: target for clock in CLOCKS if (target := _duration(table.get(clock))) is not None}
    for clock, target in targets.items():
        if "resolution" in targets and target > targets["resolution"]:
            yield document.problem((*where, clock), "this is longer than resolution")
    levels = table.get("escalations")
    seen: set[tuple[str, str]] = set()
    for index, level in enumerate(levels if isinstance(levels, list) else ()):
        if not isinstance(level, dict):
            continue
        here = (*where, "escalations", index)
        clock, at = str(level.get("clock")), str(level.get("at"))
        if clock in CLOCKS and clock not in targets:
            yield document.problem((*here, "clock"), f"this policy has no {clock}")
        if (clock, at) in seen:
            yield document.problem((*here, "at"), f"{clock} has a level at {at} already; put its actions together")
        seen.add((clock, at))
        if clock in targets and _fires_at_once(at, targets[clock]):
            yield document.problem((*here, "at"), f"this is due before {clock} begins to run; its target is shorter")
        yield from _nobodies(document, here, level)


def _nobodies(document: Document, here: Location, level: Mapping[str, Any]) -> Iterator[Problem]:
    """The clock `own` runs while a ticket has no owner."""
    actions = level.get("actions")
    for index, action in enumerate(actions if isinstance(actions, list) else ()):
        for verb, what in action.items() if isinstance(action, dict) else ():
            people = verb in ("notify", "reassign") and level.get("clock") == ClockName.OWN
            if people and str(what).partition(":")[0] in ("owner", "manager"):
                expected = "while own runs nobody owns the ticket: expected agent:NAME or role:ROLE"
                yield document.problem((*here, "actions", index, verb), expected)


def _duration(value: Any) -> timedelta | None:
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except Invalid:
        return None  # said elsewhere


def _fires_at_once(at: Any, target: timedelta) -> bool:
    try:
        return used_at(_at(at), target) <= timedelta()
    except Invalid:
        return False  # said elsewhere
