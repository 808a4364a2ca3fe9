"""What is wrong with promises once it is known who works here: escalations that reach nobody, managers in a circle."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from callcenter.domain.organisation import Organisation, PolicyEntry, UserEntry
from callcenter.domain.organisation_file import OrganisationFile
from callcenter.domain.overflow import find_circle
from callcenter.toml import Location, Problem


def problems(file: OrganisationFile, users: Sequence[UserEntry], policies: Sequence[PolicyEntry]) -> Iterator[Problem]:
    """`users` and `policies`: all there will be."""
    yield from _circles(file, users)
    names = {entry.name for entry in file.organisation.policies}
    others = [entry.name for entry in policies if not entry.when and entry.name not in names]
    for at, entry in enumerate(file.organisation.policies):
        if not entry.when and others:
            expected = f"{others[0]} has no `when` already; one policy is for all other tickets"
            yield file.document.problem(("sla_policies", at), expected)
    roles = {user.role.value for user in users}
    someone_manages = any(user.manager is not None for user in users)
    for where, what in _recipients(file.organisation.policies):
        kind, _, name = what.partition(":")
        if kind == "role" and name not in roles:
            yield file.document.problem(where, f"this escalates to nobody: there is no {name}")
        elif kind == "manager" and not someone_manages:
            yield file.document.problem(where, "this escalates to nobody: no user has a manager")


def warnings(before: Organisation, wanted: Organisation) -> Iterator[str]:
    members = {queue.name: queue.members for queue in (*before.queues, *wanted.queues)}
    for where, what in _recipients(wanted.policies):
        kind, _, name = what.partition(":")
        if kind == "queue" and not members.get(name):
            policy = wanted.policies[int(where[1])].name
            yield f"sla_policy {policy}: the queue {name} that it escalates to has no members"
    for entry in wanted.policies:
        if "contract" in entry.when:
            yield f"sla_policy {entry.name}: no customer has a contract yet, so it is chosen for nobody"


def _circles(file: OrganisationFile, users: Sequence[UserEntry]) -> Iterator[Problem]:
    """Managers that are in the file and managers that are here may make a circle together."""
    circle = find_circle({user.name: [user.manager] for user in users if user.manager})
    for at, user in enumerate(file.organisation.users):
        if user.manager is not None and (user.name, user.manager) in pairwise(circle):
            way = " → ".join(circle)
            yield file.document.problem(("users", at, "manager"), f"managers lead back to where they began: {way}")
            return


def _recipients(policies: Sequence[PolicyEntry]) -> Iterator[tuple[Location, str]]:
    for at, policy in enumerate(policies):
        for index, level in enumerate(policy.escalations):
            actions: Sequence[Mapping[str, str]] = level["actions"]
            for number, action in enumerate(actions):
                for verb, what in action.items():
                    yield ("sla_policies", at, "escalations", index, "actions", number, verb), what
