"""Which names an organisation's file refers to, and where; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from callcenter.domain.rule_keys import task_mentions
from callcenter.domain.sla import Action
from callcenter.toml import Document, Location


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a file names something: `table` is that of the names, as `queues`."""

    table: str
    name: str
    location: Location


def tables(document: Document, name: str) -> Iterator[tuple[Location, Mapping[str, Any]]]:
    """The tables of an array, whatever else is wrong with the file."""
    found = document.data.get(name)
    for index, table in enumerate(found if isinstance(found, list) else ()):
        if isinstance(table, dict):
            yield (name, index), table


def references(document: Document) -> Iterator[Reference]:
    """Of a file that is right in itself."""
    for where, table in tables(document, "users"):
        if table.get("manager") is not None:
            yield Reference("users", table["manager"], (*where, "manager"))
    for kind in ("users", "queues", "sla_policies", "contracts"):
        for where, table in tables(document, kind):
            if table.get("hours") is not None:
                yield Reference("hours", table["hours"], (*where, "hours"))
    for where, table in tables(document, "queues"):
        for index, member in enumerate(table.get("members", ())):
            yield Reference("users", member["agent"], (*where, "members", index))
    yield from _overflow_references(document)
    yield from _form_references(document)
    yield from _policy_references(document)
    yield from _contract_references(document)
    yield from _door_references(document)


def _door_references(document: Document) -> Iterator[Reference]:
    """What comes in by these, or goes out, has a queue."""
    for kind in ("mailboxes", "widgets", "letters", "canned_answers", "web_forms", "gateways", "fax_gateways"):
        for where, table in tables(document, kind):
            if table.get("queue") is not None:
                yield Reference("queues", table["queue"], (*where, "queue"))
    for where, table in tables(document, "widgets"):
        if table.get("form") is not None:
            yield Reference("web_forms", table["form"], (*where, "form"))
    if isinstance(portal := document.data.get("portal"), dict):
        yield Reference("queues", portal["queue"], ("portal", "queue"))
    for name, queue in document.data.get("callbacks", {}).get("doors", {}).items():
        yield Reference("queues", queue, ("callbacks", "doors", name))


def _policy_references(document: Document) -> Iterator[Reference]:
    for where, table in tables(document, "sla_policies"):
        if table.get("when", {}).get("queue") is not None:
            yield Reference("queues", table["when"]["queue"], (*where, "when", "queue"))
        if table.get("when", {}).get("contract") is not None:
            yield Reference("contracts", table["when"]["contract"], (*where, "when", "contract"))
        yield from _escalation_references(where, table)


def _contract_references(document: Document) -> Iterator[Reference]:
    for where, table in tables(document, "contracts"):
        for index, name in enumerate(table.get("queues", ())):
            yield Reference("queues", name, (*where, "queues", index))
        for key in ("visits", "renewal"):
            if table.get(key, {}).get("queue") is not None:
                yield Reference("queues", table[key]["queue"], (*where, key, "queue"))


def _escalation_references(where: Location, table: Mapping[str, Any]) -> Iterator[Reference]:
    of = {"agent": "users", "queue": "queues"}
    for index, level in enumerate(table.get("escalations", ())):
        here = (*where, "escalations", index)
        for number, each in enumerate(level["actions"]):
            action = Action.read(each)
            location = (*here, "actions", number, action.verb)
            kind, _, name = action.value.partition(":")
            if action.verb == "webhook":
                yield Reference("webhooks", action.value, location)
            elif action.task is not None:
                yield from (Reference(*each) for each in task_mentions(action.task, location))
            elif action.verb != "tag" and kind in of:
                yield Reference(of[kind], name, location)
        yield from _condition_references(here, level.get("when", {}))


def _condition_references(where: Location, when: Mapping[str, Any]) -> Iterator[Reference]:
    for key, table in (("queue", "queues"), ("owner", "users")):
        names = when.get(key, ())
        for name in [names] if isinstance(names, str) else names:
            if key == "queue" or name not in ("none", "any"):
                yield Reference(table, name, (*where, "when", key))


def _overflow_references(document: Document) -> Iterator[Reference]:
    for where, table in tables(document, "queues"):
        for index, rule in enumerate(table.get("overflow", ())):
            for key in rule.keys() & {"to", "lend"}:
                yield Reference("queues", rule[key], (*where, "overflow", index, key))


def _form_references(document: Document) -> Iterator[Reference]:
    for where, table in tables(document, "queues"):
        survey = table.get("survey")
        if isinstance(survey, dict) and survey.get("form") is not None:
            yield Reference("surveys", survey["form"], (*where, "survey", "form"))
    for where, table in tables(document, "sampling"):
        yield Reference("scorecards", table["scorecard"], (*where, "scorecard"))
        if table.get("queue") is not None:
            yield Reference("queues", table["queue"], (*where, "queue"))
