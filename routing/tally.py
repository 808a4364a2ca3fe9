"""What the day has brought each agent so far, for queues that share work out by that; no IO, no clock."""

from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from callcenter.domain.events import Event

# Contacts that are remembered one by one, so that an event which comes twice counts once.
_REMEMBERED = 20_000
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Which transactions a snapshot of the database shows: all before `xmin`, none from `xmax` on, between them those
    that were not `running`. A log of an earlier epoch is in it whole."""

    epoch: int
    xmin: int
    xmax: int
    running: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, epoch: int, snapshot: str) -> "Horizon":
        """As pg_current_snapshot() writes it: xmin:xmax:running,running."""
        xmin, xmax, running = snapshot.split(":")
        return cls(epoch, int(xmin), int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))

    def shows(self, event: Event) -> bool:
        if event.epoch != self.epoch:
            return event.epoch < self.epoch
        return event.xid < self.xmin or (event.xid < self.xmax and event.xid not in self.running)


class Tally:
    """`served`: contacts by agent. `turns`: when something of a queue was last offered to an agent, whoever chose them.

    A contact is what they were connected in: offered, placed or taken over from a colleague. What was noted by hand is
    none: it tells of any time, and nobody asked them. An offer counts for the queue in which the work was then.
    """

    def __init__(self, *, since: datetime = _EVER) -> None:
        """`since`: when the day began; what was before does not count."""
        self.since = since
        self.served: Counter[int] = Counter()
        self.turns: dict[tuple[int, int], datetime] = {}
        self._contacts: OrderedDict[tuple[int, int], None] = OrderedDict()  # interaction and segment

    def note(self, event: Event) -> int | None:
        """The agent whose numbers an interaction's event changed. It may come twice, and late."""
        if event.agent is None or event.interaction is None or event.at < self.since:
            return None
        match event.kind:
            case "interaction.reserved" if event.queue is not None:
                key = event.queue, event.agent
                if (known := self.turns.get(key)) is not None and known >= event.at:
                    return None
                self.turns[key] = event.at
                return event.agent
            case "interaction.answered" | "interaction.transferred" if "segment" in event.data:
                contact = event.interaction, event.data["segment"]
                if contact in self._contacts:
                    return None
                self._contacts[contact] = None
                if len(self._contacts) > _REMEMBERED:
                    self._contacts.popitem(last=False)
                self.served[event.agent] += 1
                return event.agent
        return None
