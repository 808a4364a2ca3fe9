"""What an organisation file says of queues, seen with the people and the queues that are here already."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from callcenter.domain.needs import understand
from callcenter.domain.organisation import QueueEntry, UserEntry
from callcenter.domain.organisation_file import OrganisationFile
from callcenter.domain.overflow import find_circle
from callcenter.toml import Location, Problem


def problems(file: OrganisationFile, queues: Sequence[QueueEntry], users: Sequence[UserEntry]) -> Iterator[Problem]:
    """`queues` and `users`: all that there are afterwards, those of the file last."""
    wanted = file.organisation.queues
    kept = queues[: -len(wanted) or None]
    for at, queue in enumerate(wanted):
        yield from _clashes(file, at, queue, [other for other in kept if other.name != queue.name])
    yield from _overflow_circles(file, queues)
    yield from _unknown_skills(file, {skill for user in users for skill in user.skills})


def _unknown_skills(file: OrganisationFile, known: set[str]) -> Iterator[Problem]:
    """Work that asks for what nobody has would wait for its last step, or for ever."""
    for at, queue in enumerate(file.organisation.queues):
        here: Location = ("queues", at)
        steps = (((*here, "steps", number, "needs"), step.needs) for number, step in enumerate(queue.steps))
        for where, written in (((*here, "needs"), queue.needs), *steps):
            asked = {skill for each in understand(written or {}) for skill in each}
            for skill in sorted(asked - known):
                others = f"; there are {', '.join(sorted(known))}" if known else ""
                yield file.document.problem(where, f"no user has the skill {skill}{others}")


def _overflow_circles(file: OrganisationFile, queues: Sequence[QueueEntry]) -> Iterator[Problem]:
    """Work that overflows must not come back to a queue where it was."""
    circle = find_circle({queue.name: [rule.to for rule in queue.overflow if rule.to] for queue in queues})
    for at, queue in enumerate(file.organisation.queues):
        for index, rule in enumerate(queue.overflow):
            if rule.to is not None and (queue.name, rule.to) in pairwise(circle):
                where = ("queues", at, "overflow", index, "to")
                yield file.document.problem(where, f"work would come back on the way {' → '.join(circle)}")
                return


def _clashes(file: OrganisationFile, at: int, queue: QueueEntry, others: Sequence[QueueEntry]) -> Iterator[Problem]:
    for other in others:
        for number in sorted(set(queue.numbers) & set(other.numbers)):
            where = ("queues", at, "numbers")
            yield file.document.problem(where, f"{number} leads to the queue {other.name} already")
        if queue.default and other.default:
            where = ("queues", at, "default")
            yield file.document.problem(where, f"the default queue is {other.name} already")
