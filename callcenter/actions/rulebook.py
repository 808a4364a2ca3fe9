"""Rules once it is known who works here: what they name must be there, and none may set each other off for ever."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from callcenter.domain.organisation import Organisation, RuleEntry, UserEntry
from callcenter.domain.organisation_file import OrganisationFile
from callcenter.domain.rule_keys import KINDS, mentions, undeclared
from callcenter.domain.rules import find_loop
from callcenter.domain.ticket_rules import TicketRules
from callcenter.store import rules as store
from callcenter.store.log import Connection
from callcenter.store.rules import SQL
from callcenter.toml import Problem

# Other servers hear of an application within a second; tickets' turns are worked out when all of them know.
_KNOWN_AFTER = timedelta(seconds=3)


class _Plan(Protocol):
    """The lines of an application."""

    @property
    def created(self) -> Sequence[str]: ...
    @property
    def changed(self) -> Sequence[str]: ...
    @property
    def removed(self) -> Sequence[str]: ...


def problems(
    file: OrganisationFile,
    rules: Mapping[str, Sequence[RuleEntry]],
    *,
    users: Sequence[UserEntry],
    names: Mapping[str, Collection[str]],
    tickets: TicketRules,
) -> Iterator[Problem]:
    """`rules`, `users`, `names` (of users, hours and queues) and what `tickets` may be: all there will be."""
    there: dict[str, Collection[str]] = {
        **names,
        "checklists": {entry.name for entry in rules["checklists"]},
        "roles": {user.role.value for user in users},
    }
    for kind in KINDS:
        for at, entry in enumerate(getattr(file.organisation, kind)):
            for table, name, where in mentions(entry.body):
                here = (kind, at, *where)
                if table == "managers":
                    if not any(user.manager is not None for user in users):
                        yield file.document.problem(here, "this leads to nobody: no user has a manager")
                elif name not in there[table]:
                    yield file.document.problem(here, f"there are no {table} of the name {name!r}")
            for complaint, where in undeclared(entry.body, tickets):
                yield file.document.problem((kind, at, *where), complaint)
    yield from _circles(file, rules)


def _circles(file: OrganisationFile, rules: Mapping[str, Sequence[RuleEntry]]) -> Iterator[Problem]:
    """Rules of the file and rules that are here may make a circle together; the first one in the file is blamed."""
    triggers = [store.trigger_of(entry) for entry in rules["triggers"]]
    circle = find_loop(triggers, [store.automation_of(entry, {}) for entry in rules["automations"]])
    if not circle:
        return
    way = " → ".join(circle)
    for kind in ("triggers", "automations"):
        for at, entry in enumerate(getattr(file.organisation, kind)):
            if entry.name in circle:
                yield file.document.problem((kind, at, "then"), f"these rules set each other off for ever: {way}")
                return
    yield file.document.problem((), f"these rules set each other off for ever: {way}")


async def write(
    connection: Connection, before: Organisation, wanted: Organisation, *, prune: bool, plan: _Plan, now: datetime
) -> None:
    """All rules there will be; turns on tickets are worked out anew where the plan touches what they depend on."""
    for kind in KINDS:
        given: Sequence[RuleEntry] = getattr(wanted, kind)
        names = {entry.name for entry in given}
        kept = [] if prune else [entry for entry in getattr(before, kind) if entry.name not in names]
        await store.put(connection, kind, [*kept, *given])
    lines = (*plan.created, *plan.changed, *plan.removed)
    counts = before.automations or wanted.automations
    if counts and any(line.startswith(("automation", "hours ")) for line in lines):
        await connection.execute(SQL.revise_timers, now + _KNOWN_AFTER)
