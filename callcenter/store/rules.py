"""The rules of the organisation: kept as the file has them, read as what can be carried out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg

from callcenter.domain.business import Calendar
from callcenter.domain.duration import parse_duration
from callcenter.domain.hours import Hours
from callcenter.domain.notice import Way
from callcenter.domain.organisation import RuleEntry
from callcenter.domain.rules import Automation, Macro, Step, Trigger
from callcenter.domain.sla import OPTIONS
from callcenter.store.log import Connection
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A task to be opened. `assignee`: agent:NAME, queue:NAME or owner; `hours`: in whose time it is due."""

    title: str
    assignee: str | None = None
    due: timedelta | None = None
    hours: str | None = None
    remind: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Checklist:
    name: str
    title: str
    in_order: bool
    required: bool
    steps: tuple[TaskPlan, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules, by what they are, in the order of the file."""

    triggers: tuple[Trigger, ...] = ()
    automations: tuple[Automation, ...] = ()
    macros: Mapping[str, Macro] = field(default_factory=dict)
    checklists: Mapping[str, Checklist] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)

    def calendar(self, name: str | None) -> Calendar:
        """Hours by name; day and night without a name, and where the hours are gone."""
        return self.calendars.get(name or "", Calendar())


def task_plan(kept: Mapping[str, Any]) -> TaskPlan:
    spans = {key: parse_duration(kept[key]) for key in ("due", "remind") if key in kept}
    return TaskPlan(kept["title"], kept.get("assignee"), hours=kept.get("hours"), **spans)


async def read(connection: Connection) -> dict[str, tuple[RuleEntry, ...]]:
    """As a file would say them, by kind."""
    found: dict[str, list[RuleEntry]] = {"triggers": [], "automations": [], "macros": [], "checklists": []}
    for row in await connection.fetch(SQL.rules):
        found[row["kind"]].append(RuleEntry(name=row["name"], body=row["body"]))
    return {kind: tuple(entries) for kind, entries in found.items()}


async def put(connection: Connection, kind: str, entries: Sequence[RuleEntry]) -> None:
    """These and no others."""
    await connection.execute(SQL.drop_rules, kind, [entry.name for entry in entries])
    rows = [(kind, entry.name, place, dict(entry.body)) for place, entry in enumerate(entries)]
    await connection.executemany(SQL.put_rule, rows)


async def load(connection: Connection) -> Rulebook:
    """What is to be carried out."""
    found = await read(connection)
    calendars = {row["name"]: Calendar(_hours(row)) for row in await connection.fetch(SQL.hours)}
    return Rulebook(
        triggers=tuple(trigger_of(entry) for entry in found["triggers"]),
        automations=tuple(automation_of(entry, calendars) for entry in found["automations"]),
        macros={entry.name: Macro(entry.name, entry.body["title"], _steps(entry.body)) for entry in found["macros"]},
        checklists={entry.name: _checklist(entry) for entry in found["checklists"]},
        calendars=calendars,
    )


def trigger_of(entry: RuleEntry) -> Trigger:
    body = entry.body
    return Trigger(entry.name, frozenset(body["on"]), body.get("when", {}), body.get("unless", {}), _steps(body))


def automation_of(entry: RuleEntry, calendars: Mapping[str, Calendar]) -> Automation:
    body = entry.body
    return Automation(
        name=entry.name,
        since=body["since"],
        after=parse_duration(body["after"]),
        calendar=calendars.get(body.get("hours", ""), Calendar()),
        when=body.get("when", {}),
        unless=body.get("unless", {}),
        then=_steps(body),
    )


def _steps(body: Mapping[str, Any]) -> tuple[Step, ...]:
    return tuple(_step(kept) for kept in body["then"])


def _step(kept: Mapping[str, Any]) -> Step:
    [(verb, what)] = ((key, kept[key]) for key in kept if key not in OPTIONS)
    by = tuple(Way(way) for way in kept["by"]) if "by" in kept else None
    return Step(verb, what, by, kept.get("respect_hours", False))


def _checklist(entry: RuleEntry) -> Checklist:
    body = entry.body
    return Checklist(
        name=entry.name,
        title=body.get("title", entry.name),
        in_order=body.get("in_order", False),
        required=body.get("required", False),
        steps=tuple(map(task_plan, body["steps"])),
    )


def _hours(row: asyncpg.Record) -> Hours:
    return Hours.parse(
        timezone=row["timezone"],
        weekly=row["weekly"],
        holidays=row["holidays"],
        closed=row["closed"],
        opened=row["open"],
    )
