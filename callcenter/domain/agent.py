"""A user who takes work: what they choose (presence) and what the system knows (routing status) are two axes."""

from datetime import timedelta
from enum import StrEnum


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


# Each role may do what those before it may.
RANK = {Role.AGENT: 1, Role.SUPERVISOR: 2, Role.ADMINISTRATOR: 3}


class Presence(StrEnum):
    OFFLINE = "offline"
    ON_QUEUE = "on_queue"
    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    BREAK = "break"
    MEAL = "meal"
    MEETING = "meeting"
    TRAINING = "training"
    OUT_OF_OFFICE = "out_of_office"


class RoutingStatus(StrEnum):
    OFF_QUEUE = "off_queue"  # presence is not on_queue, and nothing in hand
    IDLE = "idle"  # on queue with nothing in hand
    OFFERED = "offered"  # has a pending reservation, beside whatever else
    INTERACTING = "interacting"  # has at least one contact
    WRAP_UP = "wrap_up"  # the customers have left, the agent notes what came of it
    NOT_RESPONDING = "not_responding"  # let an offer run out or declined it; stays until they choose on_queue
    PRIVATE_CALL = "private_call"  # the phone is in use for something that is no work of ours


class IdleOrder(StrEnum):
    """Since when an agent counts as idle."""

    LAST_CONTACT = "last_contact"  # since their last contact was over, whatever they chose since
    AVAILABLE = "available"  # since they were last ready for work after a contact, a break or not responding


def on_shift(presence: str, routing_status: str) -> bool:
    """Whether it is worth waiting for somebody: on queue, and free or merely busy."""
    resting = (RoutingStatus.OFF_QUEUE, RoutingStatus.NOT_RESPONDING)
    return presence == Presence.ON_QUEUE and routing_status not in resting


class Hand(StrEnum):
    """What is in an agent's hand, told by the most pressing of it."""

    NOTHING = "nothing"
    OFFER = "offer"  # one is pending
    LIVE = "live"  # at least one contact
    WRAPPING = "wrapping"  # only wrap-ups


_FOLLOWS: dict[Hand, RoutingStatus] = {
    Hand.OFFER: RoutingStatus.OFFERED,
    Hand.LIVE: RoutingStatus.INTERACTING,
    Hand.WRAPPING: RoutingStatus.WRAP_UP,
}
# In these an agent may be offered work, if there is capacity left.
TAKES_WORK = frozenset({RoutingStatus.IDLE, RoutingStatus.INTERACTING, RoutingStatus.WRAP_UP})


def routing_status(was: RoutingStatus, presence: Presence, hand: Hand) -> RoutingStatus:
    """What follows from presence and what is in hand; not responding and a private call stay until they are ended."""
    on_queue = presence is Presence.ON_QUEUE
    if was is RoutingStatus.PRIVATE_CALL or (was is RoutingStatus.NOT_RESPONDING and on_queue):
        return was
    return _FOLLOWS.get(hand, RoutingStatus.IDLE if on_queue else RoutingStatus.OFF_QUEUE)


def chosen(was: RoutingStatus, presence: Presence) -> RoutingStatus:
    """Choosing on_queue ends not responding."""
    ends = was is RoutingStatus.NOT_RESPONDING and presence is Presence.ON_QUEUE
    return RoutingStatus.IDLE if ends else was


# How long an agent whose desk connection was lost is still offered work
# (Genesys: a reconnect under 60 s restores the state).
DESK_GRACE = timedelta(seconds=60)
