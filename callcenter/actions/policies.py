"""What is wrong with promises once it is known who works here: escalations that reach nobody, managers in a circle."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from callcenter.domain.notice import Way
from callcenter.domain.organisation import Organisation, PolicyEntry, UserEntry
from callcenter.domain.organisation_file import OrganisationFile
from callcenter.domain.overflow import find_circle
from callcenter.domain.sla import Action
from callcenter.domain.ticket_rules import OURS
from callcenter.toml import Location, Problem


def problems(file: OrganisationFile, users: Sequence[UserEntry], policies: Sequence[PolicyEntry]) -> Iterator[Problem]:
    """`users` and `policies`: all there will be."""
    yield from _circles(file, users)
    yield from _strangers(file)
    names = {entry.name for entry in file.organisation.policies}
    others = [entry.name for entry in policies if not entry.when and entry.name not in names]
    for at, entry in enumerate(file.organisation.policies):
        if not entry.when and others:
            expected = f"{others[0]} has no `when` already; one policy is for all other tickets"
            yield file.document.problem(("sla_policies", at), expected)
    roles = {user.role.value for user in users}
    someone_manages = any(user.manager is not None for user in users)
    for where, action in _recipients(file.organisation.policies):
        kind, _, name = action.value.partition(":")
        if action.verb not in ("notify", "reassign"):
            continue
        if kind == "role" and name not in roles:
            yield file.document.problem(where, f"this escalates to nobody: there is no {name}")
        elif kind == "manager" and not someone_manages:
            yield file.document.problem(where, "this escalates to nobody: no user has a manager")
        else:
            yield from _unreachable(file, where, action, users)


def _unreachable(
    file: OrganisationFile, where: Location, action: Action, users: Sequence[UserEntry]
) -> Iterator[Problem]:
    """A way that is asked for must lead to somebody."""
    kind, _, name = action.value.partition(":")
    by_kind = {"agent": lambda user: user.name == name, "role": lambda user: user.role == name}
    # Whose ticket it will be, and who manages them, no file can tell.
    meant = list(filter(by_kind.get(kind), users)) if kind in by_kind else list(users)
    whom = name if kind == "agent" else f"no {name}" if kind == "role" else "nobody"
    has = "has no" if kind == "agent" else "has an"
    if action.by and Way.EMAIL in action.by and not any(user.email for user in meant):
        yield file.document.problem((*where[:-1], "by"), f"this mail goes to nobody: {whom} {has} email")
    if action.by and Way.PHONE in action.by and not any(user.phone or user.endpoint for user in meant):
        has = "has neither phone nor endpoint" if kind == "agent" else "has a phone or an endpoint"
        yield file.document.problem((*where[:-1], "by"), f"this calls nobody: {whom} {has}")


def _strangers(file: OrganisationFile) -> Iterator[Problem]:
    """Categories that no ticket can have, once there is a tree."""
    rules = file.organisation.tickets
    tree = {*rules.tree(), *OURS} if rules is not None and rules.categories else None
    for at, entry in enumerate(file.organisation.policies):
        category = entry.when.get("category")
        if tree is not None and category is not None and category not in tree:
            where = ("sla_policies", at, "when", "category")
            yield file.document.problem(where, f"there is no category {category!r} in [tickets]")


def warnings(before: Organisation, wanted: Organisation) -> Iterator[str]:
    members = {queue.name: queue.members for queue in (*before.queues, *wanted.queues)}
    for where, action in _recipients(wanted.policies):
        kind, _, name = action.value.partition(":")
        if action.verb == "reassign" and kind == "queue" and not members.get(name):
            policy = wanted.policies[int(where[1])].name
            yield f"sla_policy {policy}: the queue {name} that it escalates to has no members"


def _circles(file: OrganisationFile, users: Sequence[UserEntry]) -> Iterator[Problem]:
    """Managers that are in the file and managers that are here may make a circle together."""
    circle = find_circle({user.name: [user.manager] for user in users if user.manager})
    for at, user in enumerate(file.organisation.users):
        if user.manager is not None and (user.name, user.manager) in pairwise(circle):
            way = " → ".join(circle)
            yield file.document.problem(("users", at, "manager"), f"managers lead back to where they began: {way}")
            return


def _recipients(policies: Sequence[PolicyEntry]) -> Iterator[tuple[Location, Action]]:
    for at, policy in enumerate(policies):
        for index, level in enumerate(policy.escalations):
            actions: Sequence[Mapping[str, Any]] = level["actions"]
            for number, kept in enumerate(actions):
                action = Action.read(kept)
                yield ("sla_policies", at, "escalations", index, "actions", number, action.verb), action
