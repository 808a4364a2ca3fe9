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
    BREAK = "break"
    MEAL = "meal"
    MEETING = "meeting"
    TRAINING = "training"


class RoutingStatus(StrEnum):
    OFF_QUEUE = "off_queue"  # presence is not on_queue, and no work in hand
    IDLE = "idle"  # may be offered work
    OFFERED = "offered"  # has a pending reservation
    INTERACTING = "interacting"  # has a contact
    WRAP_UP = "wrap_up"  # the customer has left, the agent notes what came of it
    NOT_RESPONDING = "not_responding"  # let an offer run out or declined it; ends by choosing on_queue
    PRIVATE_CALL = "private_call"  # the phone is in use for something that is no work of ours


class AgentVerb(StrEnum):
    GO_ON_QUEUE = "go_on_queue"
    LEAVE_QUEUE = "leave_queue"
    RESERVE = "reserve"
    ANSWER = "answer"
    MISS = "miss"  # not answered or declined
    FREE = "free"  # the offer ended without fault of the agent
    RELEASE = "release"
    WRAP_UP = "wrap_up"
    TAKE_OVER = "take_over"  # got a transferred conversation


_IDLE = RoutingStatus.IDLE
# The rows of an agent who is on queue; one who has left it meanwhile ends at off_queue (see `after_work`).
TRANSITIONS: dict[tuple[RoutingStatus, AgentVerb], RoutingStatus] = {
    (RoutingStatus.OFF_QUEUE, AgentVerb.GO_ON_QUEUE): _IDLE,
    (RoutingStatus.NOT_RESPONDING, AgentVerb.GO_ON_QUEUE): _IDLE,
    **{
        (status, AgentVerb.GO_ON_QUEUE): status
        for status in RoutingStatus
        if status not in (RoutingStatus.OFF_QUEUE, RoutingStatus.NOT_RESPONDING)
    },
    (_IDLE, AgentVerb.LEAVE_QUEUE): RoutingStatus.OFF_QUEUE,
    (RoutingStatus.NOT_RESPONDING, AgentVerb.LEAVE_QUEUE): RoutingStatus.OFF_QUEUE,
    **{
        (status, AgentVerb.LEAVE_QUEUE): status
        for status in RoutingStatus
        if status not in (_IDLE, RoutingStatus.NOT_RESPONDING)
    },
    (_IDLE, AgentVerb.RESERVE): RoutingStatus.OFFERED,
    (RoutingStatus.OFFERED, AgentVerb.ANSWER): RoutingStatus.INTERACTING,
    (RoutingStatus.OFFERED, AgentVerb.MISS): RoutingStatus.NOT_RESPONDING,
    (RoutingStatus.OFFERED, AgentVerb.FREE): _IDLE,
    (RoutingStatus.INTERACTING, AgentVerb.RELEASE): RoutingStatus.WRAP_UP,
    (RoutingStatus.WRAP_UP, AgentVerb.WRAP_UP): _IDLE,
    (_IDLE, AgentVerb.TAKE_OVER): RoutingStatus.INTERACTING,
    (RoutingStatus.OFF_QUEUE, AgentVerb.TAKE_OVER): RoutingStatus.INTERACTING,
    (RoutingStatus.NOT_RESPONDING, AgentVerb.TAKE_OVER): RoutingStatus.INTERACTING,
    # Only of what they wrap up: it was transferred back to them.
    (RoutingStatus.WRAP_UP, AgentVerb.TAKE_OVER): RoutingStatus.INTERACTING,
}

# How long an agent whose desk connection was lost is still offered work
# (Genesys: a reconnect under 60 s restores the state).
DESK_GRACE = timedelta(seconds=60)


def after_work(status: RoutingStatus, presence: Presence) -> RoutingStatus:
    """A break chosen during a call begins when its work is over."""
    return status if presence is Presence.ON_QUEUE else RoutingStatus.OFF_QUEUE
