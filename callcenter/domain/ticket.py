"""A case: its states, priorities and what may follow what."""

from enum import StrEnum


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class TicketState(StrEnum):
    NEW = "new"  # nobody has looked at it
    OPEN = "open"  # somebody works on it
    PENDING = "pending"  # waits for the customer; pauses the clocks
    ON_HOLD = "on_hold"  # waits for a third party; pauses the clocks only where the policy says so
    RESOLVED = "resolved"  # answered; the customer may disagree
    CLOSED = "closed"  # over; only a reopening brings it back


OVER = frozenset({TicketState.RESOLVED, TicketState.CLOSED})


class TicketVerb(StrEnum):
    OPEN = "open"
    WAIT = "pending"
    HOLD = "on_hold"
    RESOLVE = "resolved"
    CLOSE = "closed"


_LIVE = (TicketState.NEW, TicketState.OPEN, TicketState.PENDING, TicketState.ON_HOLD)
TRANSITIONS: dict[tuple[TicketState, TicketVerb], TicketState] = {
    **{(state, TicketVerb.OPEN): TicketState.OPEN for state in TicketState if state is not TicketState.OPEN},
    **{(state, TicketVerb.WAIT): TicketState.PENDING for state in _LIVE if state is not TicketState.PENDING},
    **{(state, TicketVerb.HOLD): TicketState.ON_HOLD for state in _LIVE if state is not TicketState.ON_HOLD},
    **{(state, TicketVerb.RESOLVE): TicketState.RESOLVED for state in _LIVE},
    **{(state, TicketVerb.CLOSE): TicketState.CLOSED for state in TicketState if state is not TicketState.CLOSED},
}
