"""Which regions of whose pages an event makes stale; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from callcenter.domain.events import Event

DESK = "desk"
WALL = "wall"
SHARED_FOR = 0.25  # seconds; so old may the figures of strip and wall be when a region is fetched


def queue_region(name: str) -> str:
    return f"queue:{name}"


@dataclass(frozen=True, slots=True)
class Stale:
    """`desks`: agents whose own desk shows something that moved; `queues`: ids of queues where those who wait changed;
    `wall`: some figure of the wall did; `everything`: names, members or limits did, so whatever is shown."""

    desks: frozenset[int] = frozenset()
    queues: frozenset[int] = frozenset()
    wall: bool = False
    everything: bool = False

    def __or__(self, other: "Stale") -> "Stale":
        return Stale(
            self.desks | other.desks,
            self.queues | other.queues,
            self.wall or other.wall,
            self.everything or other.everything,
        )

    def __bool__(self) -> bool:
        return bool(self.desks or self.queues or self.wall or self.everything)


# After these another number waits in the queue.
_MOVES_QUEUE = frozenset(
    {
        "interaction.queued",
        "interaction.answered",
        "interaction.abandoned",
        "interaction.closed",
        "interaction.reserved",
        "interaction.moved",
    }
)
# A desk does not show that it is open.
_SILENT = frozenset({"agent.desk"})


def stale(events: Iterable[Event]) -> Stale:
    """What a batch of events makes stale."""
    desks: set[int] = set()
    queues: set[int] = set()
    wall = everything = False
    for event in events:
        if event.kind in _SILENT:
            wall = True
            continue
        match event.noun:
            case "interaction" | "reservation" | "agent":
                desks.update(ident for ident in (event.agent, event.actor) if ident is not None)
                wall = True
            case "ticket" | "customer" | "sla" | "notice":
                owners = (event.data.get("owner"), event.data.get("before_owner"), *event.data.get("notified", ()))
                desks.update(ident for ident in (event.agent, event.actor, *owners) if ident is not None)
                wall = wall or event.noun in ("sla", "notice") or event.kind == "ticket.escalated"
            case "organisation" if event.kind == "organisation.user_changed" and event.agent is not None:
                desks.add(event.agent)  # how they read their own console
            case "organisation":
                everything = True
        if event.kind in _MOVES_QUEUE and event.queue is not None:
            queues.add(event.queue)
            if (before := event.data.get("from")) is not None:
                queues.add(before)
    return Stale(frozenset(desks), frozenset(queues), wall, everything)
