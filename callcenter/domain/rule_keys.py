"""The keys of rules in an organisation file: triggers, automations, macros and checklists."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from callcenter.domain.agent import Role
from callcenter.domain.duration import parse_duration
from callcenter.domain.interaction import Channel
from callcenter.domain.notice import Way
from callcenter.domain.organisation import RuleEntry
from callcenter.domain.organisation_keys import Line, Slug, Table, in_words
from callcenter.domain.rule_text import check_text
from callcenter.domain.rules import ANY, BY, CHANGED, HOURS, NONE, TEXT
from callcenter.domain.sla import OPTIONS
from callcenter.domain.ticket import Priority, TicketState
from callcenter.domain.ticket_rules import TicketRules, is_below, tag_of, tags_of
from callcenter.domain.value import Stage
from callcenter.errors import Invalid

# What may happen to a ticket, as `on` calls it.
HAPPENINGS = (
    "opened", "changed", "replied", "noted", "linked", "pending", "on_hold", "resolved", "closed", "reopened",
    "escalated", "task_done", "tasks_done",
)  # fmt: skip
# The moments that an automation counts from.
MOMENTS = ("created", "updated", "pending", "on_hold", "resolved", "closed", "due")
# Fields with the values that they may have (None: any text), and whether they may be empty. Rules may set all but those
# of CONDITIONS_ONLY.
FIELDS: Mapping[str, tuple[tuple[str, ...] | None, bool]] = {
    "state": (tuple(TicketState), False),
    "priority": (tuple(Priority), False),
    "type": (None, True),
    "category": (None, True),
    "tags": (None, True),
    "queue": (None, True),
    "owner": (None, True),
    "tier": (None, True),
    "stage": (tuple(Stage), True),
    "channel": (tuple(Channel), True),
}
CONDITIONS_ONLY = frozenset({"tier", "stage", "channel"})
FREE = "fields."  # what an organisation has declared of its own
_OF_EVENTS = (CHANGED, TEXT, BY, HOURS)
_MOST_STEPS = 50
_SHORTEST = timedelta(minutes=1)
_ADDRESS = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+")
_WHO = {
    "notify": re.compile(rf"owner|manager(:[1-9])?|followers|supervisors|agent:.+|queue:.+|role:({'|'.join(Role)})"),
    "reassign": re.compile(r"manager|agent:.+|queue:.+"),
    "assignee": re.compile(r"owner|agent:.+|queue:.+"),
}
_WHO_EXPECTED = {
    "notify": "owner, manager, manager:2 (up the line), followers, supervisors (of the queue), agent:NAME, "
    f"queue:NAME (its members) or role:{'|'.join(Role)}",
    "reassign": "agent:NAME, queue:NAME or manager",
    "assignee": "agent:NAME, queue:NAME or owner",
}


def _span(value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid('expected a duration in quotes, like "4h"')
    parse_duration(value)
    return value


def _positive_span(value: Any) -> str:
    if parse_duration(_span(value)).total_seconds() <= 0:
        raise Invalid("expected a duration above zero")
    return str(value)


def _who(key: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not _WHO[key].fullmatch(value):
            raise Invalid(f"expected {_WHO_EXPECTED[key]}, not {value!r}")
        return value

    return check


def _some(value: Any) -> Any:
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_STEPS:
        raise Invalid(f"expected a list of one to {_MOST_STEPS} steps")
    return value


def _words(value: Any) -> Any:
    if value in ("", []):
        raise Invalid('expected what happens, like "opened"')
    return [value] if isinstance(value, str) else value


def _flat(value: Any) -> dict[str, Any]:
    """`fields.model = "x"` is a table in TOML; here it is one key."""
    if not isinstance(value, dict):
        raise Invalid('expected a table like { priority = "urgent" }')
    free = value.get("fields")
    if not isinstance(free, dict):
        return dict(value)
    rest = {key: each for key, each in value.items() if key != "fields"}
    return rest | {f"{FREE}{key}": each for key, each in free.items()}


def _known(key: str) -> tuple[tuple[str, ...] | None, bool]:
    if key in FIELDS:
        return FIELDS[key]
    if key.startswith(FREE) and len(key) > len(FREE):
        return None, True
    raise Invalid(f"there is no field {key!r}; expected one of {', '.join(FIELDS)}")


def _conditions(value: Any) -> dict[str, Any]:
    found = _flat(value)
    for key, test in found.items():
        if key in _OF_EVENTS:
            _event_condition(key, test)
        else:
            _field_condition(key, test)
    if "tags" in found and not isinstance(found["tags"], dict):
        tags = found["tags"] if isinstance(found["tags"], list) else [found["tags"]]
        found["tags"] = [tag if tag in (NONE, ANY) else tag_of(tag) for tag in tags]
    return found


def _event_condition(key: str, test: Any) -> None:
    words = test if isinstance(test, list) else [test]
    if not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise Invalid(f"{key}: expected a word or a list of words")
    if key == BY and (wrong := set(words) - {"person", "rule", "system"}):
        raise Invalid(f"by: expected person, rule or system, not {min(wrong)!r}")
    if key == HOURS and (not isinstance(test, str) or not re.fullmatch(r"(in|outside):.+", test)):
        raise Invalid(f'hours: expected "in:NAME" or "outside:NAME", not {test!r}')
    if key == CHANGED:
        for word in words:
            if word not in ("subject", "customer"):
                _known(word)


def _field_condition(key: str, test: Any) -> None:
    allowed, _ = _known(key)
    if isinstance(test, dict):
        if not test or test.keys() - {"above", "below"}:
            raise Invalid(f"{key}: expected {{ above = … }}, {{ below = … }} or both")
        return
    tests = test if isinstance(test, list) else [test]
    if not tests:
        raise Invalid(f"{key}: this list is empty, so it holds for nothing")
    for each in tests:
        if allowed is not None and each not in (*allowed, NONE, ANY):
            raise Invalid(f"{key}: expected one of {', '.join(allowed)}, not {each!r}")
        if not isinstance(each, str | int | float):
            raise Invalid(f"{key}: expected a value, not {each!r}")


def _settings(value: Any) -> dict[str, Any]:
    found = _flat(value)
    if not found:
        raise Invalid("set: nothing stands here to be set")
    for key, given in found.items():
        if key == "subject":
            raise Invalid("set: what a ticket is about is for people to say")
        allowed, empty = _known(key)
        if key in CONDITIONS_ONLY:
            raise Invalid(f"set: {key} belongs to the customer or contact, and cannot be set on a ticket")
        if given == NONE and not empty:
            raise Invalid(f"set: {key} cannot be empty")
        if allowed is not None and given not in (*allowed, NONE):
            raise Invalid(f"set: {key} is one of {', '.join(allowed)}, not {given!r}")
        if key == "state" and given == TicketState.NEW:
            raise Invalid("set: a ticket is new only once")
        if not isinstance(given, str | int | float | list):
            raise Invalid(f"set: {key}: expected a value, not {given!r}")
    if found.get("tags", NONE) != NONE:
        found["tags"] = _tags(found["tags"])
    return found


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise Invalid('set: tags: expected a list like ["vip"]; tag adds one')
    return list(tags_of(value))


Span = Annotated[str, BeforeValidator(in_words(_span))]
PositiveSpan = Annotated[str, BeforeValidator(in_words(_positive_span))]
Assignee = Annotated[str, BeforeValidator(in_words(_who("assignee")))]
FilledText = Annotated[str, AfterValidator(in_words(check_text))]
Conditions = Annotated[dict[str, Any], BeforeValidator(in_words(_conditions))]
Happening = Literal[HAPPENINGS]  # type: ignore[valid-type]


def _reader(value: Any) -> str:
    if not isinstance(value, str) or not (_WHO["notify"].fullmatch(value) or _ADDRESS.fullmatch(value[:255])):
        raise Invalid(f"expected an address or {_WHO_EXPECTED['notify']}, not {value!r}")
    return value


class MailTable(Table):
    """`to`: an address, or people who work here and have one."""

    to: Annotated[str, BeforeValidator(in_words(_reader)), Field(max_length=254)]
    subject: Annotated[Line, AfterValidator(in_words(check_text))]
    text: FilledText


class TaskTable(Table):
    """`due`: so long after its turn came, in `hours`; `remind`: so long before."""

    title: Line
    assignee: Assignee | None = None
    due: PositiveSpan | None = None
    hours: str | None = None
    remind: PositiveSpan | None = None

    @model_validator(mode="after")
    def _has_a_due_moment(self) -> "TaskTable":
        for key in ("hours", "remind"):
            if getattr(self, key) is not None and self.due is None:
                raise ValueError(f"{key} is of no use without due")
        return self


class StepTable(Table):
    """One thing to do."""

    set: Annotated[dict[str, Any], BeforeValidator(in_words(_settings))] | None = None
    priority: Priority | None = None
    tag: Annotated[Line, AfterValidator(in_words(tag_of))] | None = None
    reassign: Annotated[str, BeforeValidator(in_words(_who("reassign")))] | None = None
    note: FilledText | None = None
    reply: FilledText | None = None
    notify: Annotated[str, BeforeValidator(in_words(_who("notify")))] | None = None
    mail: MailTable | None = None
    task: TaskTable | None = None
    checklist: Slug | None = None
    by: tuple[Way, ...] | None = None
    respect_hours: bool = False

    @model_validator(mode="after")
    def _one_thing(self) -> "StepTable":
        if len(self.model_fields_set - OPTIONS) != 1:
            verbs = (each for each in type(self).model_fields if each not in OPTIONS)
            raise ValueError(f"each step is one of {', '.join(verbs)}")
        if self.notify is None and (options := self.model_fields_set & OPTIONS):
            raise ValueError(f"{' and '.join(sorted(options))}: only notify takes this")
        return self


Steps = Annotated[tuple[StepTable, ...], BeforeValidator(in_words(_some))]


class TriggerTable(Table):
    name: Slug
    on: Annotated[tuple[Happening, ...], BeforeValidator(in_words(_words))]
    when: Conditions = Field(default_factory=dict)
    unless: Conditions = Field(default_factory=dict)
    then: Steps


class AutomationTable(Table):
    name: Slug
    since: Literal[MOMENTS]  # type: ignore[valid-type]
    after: Span
    hours: str | None = None
    when: Conditions = Field(default_factory=dict)
    unless: Conditions = Field(default_factory=dict)
    then: Steps

    @model_validator(mode="after")
    def _has_a_moment(self) -> "AutomationTable":
        for key in {*self.when, *self.unless} & set(_OF_EVENTS):
            raise ValueError(f"{key} is a condition for triggers: nothing happens when an automation's time has come")
        if parse_duration(self.after) < _SHORTEST and not self.after.startswith("-"):
            raise ValueError("after: expected at least 1m, or a moment before what is due, like -10m")
        if self.after.startswith("-") and (self.since != "due" or self.hours is not None):
            raise ValueError('only what is due can be preceded, and by the clock: since = "due" without hours')
        return self


class MacroTable(Table):
    name: Slug
    title: Line
    then: Steps


class ChecklistTable(Table):
    """`in_order`: each step's turn comes when the one before it is over; `required`: before the ticket is resolved."""

    name: Slug
    title: Line | None = None
    in_order: bool = False
    required: bool = False
    steps: Annotated[tuple[TaskTable, ...], BeforeValidator(in_words(_some))]


RuleTable = TriggerTable | AutomationTable | MacroTable | ChecklistTable
KINDS = ("triggers", "automations", "macros", "checklists")


def entry(table: RuleTable) -> RuleEntry:
    body = table.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return RuleEntry(name=body.pop("name"), body=body)


def mentions(body: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    """What a rule names: (users, queues, hours, checklists or roles), the name, and where in the rule."""
    if "hours" in body:
        yield "hours", body["hours"], ("hours",)
    for part in ("when", "unless"):
        yield from _named_in(body.get(part, {}), (part,))
    for at, step in enumerate(body.get("steps", ())):
        yield from task_mentions(step, ("steps", at))
    for at, step in enumerate(body.get("then", ())):
        for verb, what in step.items():
            here = ("then", at, verb)
            match verb:
                case "set":
                    yield from _named_in(what, here)
                case "task":
                    yield from task_mentions(what, here)
                case "checklist":
                    yield "checklists", what, here
                case "notify" | "reassign" | "mail":
                    yield from _person(what["to"] if verb == "mail" else what, here)
                case _:
                    pass


_PEOPLE = {"agent": "users", "queue": "queues", "role": "roles", "manager": "managers"}


def _person(what: str, where: tuple[str | int, ...]) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    kind, _, name = what.partition(":")
    if kind in _PEOPLE:
        yield _PEOPLE[kind], name, where


def task_mentions(
    task: Mapping[str, Any], where: tuple[str | int, ...]
) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    if "hours" in task:
        yield "hours", task["hours"], (*where, "hours")
    if "assignee" in task:
        yield from _person(task["assignee"], (*where, "assignee"))


def _named_in(
    values: Mapping[str, Any], where: tuple[str | int, ...]
) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    for key, table in (("queue", "queues"), ("owner", "users")):
        given = values.get(key, ())
        for name in given if isinstance(given, list | tuple) else (given,):
            if name not in (NONE, ANY):
                yield table, str(name), (*where, key)
    if HOURS in values:
        yield "hours", str(values[HOURS]).partition(":")[2], (*where, HOURS)


def undeclared(body: Mapping[str, Any], rules: TicketRules) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """What a rule says of types, categories and the organisation's own fields that these do not have, and where."""
    for part in ("when", "unless"):
        for key, test in body.get(part, {}).items():
            for value in test if isinstance(test, list) else (test,):
                if value not in (NONE, ANY) and (wrong := _condition_complaint(key, value, rules)):
                    yield wrong, (part, key)
    for at, step in enumerate(body.get("then", ())):
        for key, value in step.get("set", {}).items():
            try:
                _check_setting(key, None if value == NONE else value, rules)
            except Invalid as error:
                yield str(error).rstrip("."), ("then", at, "set", key)


def _condition_complaint(key: str, value: Any, rules: TicketRules) -> str | None:
    tree = rules.tree()
    if key == "type" and value not in rules.types:
        return f"there is no ticket type {value!r} in [tickets]"
    if key == "category" and tree and not any(is_below(each, str(value)) for each in tree):
        return f"there is no category {value!r} in [tickets]"
    if key.startswith(FREE) and key.removeprefix(FREE) not in {field.name for field in rules.fields}:
        return f"tickets have no field {key.removeprefix(FREE)!r} in [tickets]"
    return None


def _check_setting(key: str, value: Any, rules: TicketRules) -> None:
    if key == "type":
        rules.type_of(value)
    elif key == "category":
        rules.check_category(value)
    elif key.startswith(FREE):
        rules.merged_fields({}, {key.removeprefix(FREE): value})
