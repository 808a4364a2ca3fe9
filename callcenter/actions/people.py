"""Who is meant: the people behind `owner`, `manager:2`, `agent:bo`, `queue:billing` or `role:supervisor`."""

from collections.abc import Iterator

from callcenter.domain.agent import Role
from callcenter.store.directory import Directory, User


def people(directory: Directory, what: str, *, owner: int | None) -> list[User]:
    """Those who still work here; nobody where it leads to nobody."""
    kind, _, name = what.partition(":")
    match kind:
        case "owner":
            found = [user for user in [directory.users.get(owner or 0)] if user is not None]
        case "manager":
            line = list(_managers(directory, owner))[: int(name or 1)]
            found = line[-1:]
        case "role":
            found = [user for user in directory.users.values() if user.role == name]
        case "queue":
            queue = next((each for each in directory.queues.values() if each.name == name), None)
            found = [directory.users[ident] for ident in sorted(queue.members)] if queue is not None else []
        case _:
            found = [user for user in directory.users.values() if user.name == name]
    return [user for user in found if user.active]


def _managers(directory: Directory, owner: int | None) -> Iterator[User]:
    """Up the line; who has left is passed over."""
    users, seen = directory.users, set()
    user = users.get(owner or 0)
    while user is not None and user.manager is not None and user.manager not in seen:
        seen.add(user.manager)
        user = users.get(user.manager)
        if user is not None and user.active:
            yield user


def somebody(directory: Directory, what: str, *, owner: int | None) -> list[User]:
    """The same; where nobody is meant all supervisors are, rather than nobody."""
    for who in (what, f"role:{Role.SUPERVISOR}", f"role:{Role.ADMINISTRATOR}"):
        if found := people(directory, who, owner=owner):
            return found
    return []


def followers_of_work(directory: Directory, user: int | None, queue: int | None) -> list[User]:
    """Whose a task is: a person's, or that of all members of a queue; supervisors for one that is nobody's."""
    found = directory.queues.get(queue or 0)
    what = f"queue:{found.name}" if user is None and found is not None else "owner"
    return somebody(directory, what, owner=user)
