"""Which regions of whose pages an event makes stale; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from callcenter.domain.events import Event

DESK = "desk"
WALL = "wall"
TICKETS = "tickets"  # a list of tickets
TICKET = "ticket"  # the page of one; its view is "ticket:" with the id
HERE = "here"  # who else has it open
SHARED_FOR = 0.25  # seconds; so old may the figures of strip and wall be when a region is fetched


def queue_region(name: str) -> str:
    return f"queue:{name}"


def ticket_of(view: str) -> int | None:
    """The ticket whose page a view is."""
    kind, _, ident = view.partition(":")
    return int(ident) if kind == TICKET and ident.isascii() and ident.isdecimal() and len(ident) < 19 else None


@dataclass(frozen=True, slots=True)
class Stale:
    """`desks`: agents whose own desk shows something that moved; `queues`: ids of queues where those who wait changed;
    `wall`: some figure of the wall did; `everything`: names, members or limits did, so whatever is shown; `tickets`:
    ids of tickets to which something happened."""

    desks: frozenset[int] = frozenset()
    queues: frozenset[int] = frozenset()
    wall: bool = False
    everything: bool = False
    tickets: frozenset[int] = frozenset()

    def __or__(self, other: "Stale") -> "Stale":
        return Stale(
            self.desks | other.desks,
            self.queues | other.queues,
            self.wall or other.wall,
            self.everything or other.everything,
            self.tickets | other.tickets,
        )

    def __bool__(self) -> bool:
        return bool(self.desks or self.queues or self.wall or self.everything or self.tickets)


# After these another number waits in the queue.
_MOVES_QUEUE = frozenset(
    {
        "interaction.queued",
        "interaction.answered",
        "interaction.abandoned",
        "interaction.closed",
        "interaction.reserved",
        "interaction.moved",
        "interaction.transferred",
    }
)
# A desk does not show that it is open.
_SILENT = frozenset({"agent.desk"})


def stale(events: Iterable[Event]) -> Stale:
    """What a batch of events makes stale."""
    desks: set[int] = set()
    queues: set[int] = set()
    tickets: set[int] = set()
    wall = everything = False
    for event in events:
        if event.kind in _SILENT:
            wall = True
            continue
        match event.noun:
            case "interaction" | "reservation" | "agent":
                desks.update(ident for ident in (event.agent, event.actor) if ident is not None)
                wall = True
            case "ticket" | "customer" | "sla" | "notice" | "task" | "message":
                owners = (
                    event.data.get("owner"),
                    event.data.get("before_owner"),
                    event.data.get("before_user"),
                    *event.data.get("notified", ()),
                )
                desks.update(ident for ident in (event.agent, event.actor, *owners) if ident is not None)
                told = event.kind == "ticket.escalated" or "notified" in event.data
                wall = wall or told or event.noun in ("sla", "notice")
            case "organisation" if event.kind == "organisation.user_changed" and event.agent is not None:
                desks.add(event.agent)  # how they read their own console
            case "organisation":
                everything = True
        if event.ticket is not None:
            tickets.add(event.ticket)
        if event.kind in _MOVES_QUEUE and event.queue is not None:
            queues.add(event.queue)
            if (before := event.data.get("from")) is not None:
                queues.add(before)
    return Stale(frozenset(desks), frozenset(queues), wall, everything, frozenset(tickets))
