"""An exchange with a customer on one channel, and the offer of it to an agent: states and what may follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Channel(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    CHAT = "chat"
    FORM = "form"
    CALLBACK = "callback"
    VISIT = "visit"
    LETTER = "letter"
    FAX = "fax"
    MESSAGE = "message"
    TICKET = "ticket"  # a ticket that nobody owns
    TASK = "task"  # a task that nobody has


# Work that a queue offers by itself, which is no exchange with anybody.
OFFERED_WORK = frozenset({Channel.TICKET, Channel.TASK})


class State(StrEnum):
    NEW = "new"  # arrived; nobody is asked yet (greeting, announcement, menu)
    QUEUED = "queued"  # waits for an agent; queued_at is its place, whatever happens afterwards
    OFFERED = "offered"  # exactly one pending reservation
    ACTIVE = "active"  # customer and agent are connected, or an agent has it in hand
    WRAPPING = "wrapping"  # the customer has left; at least one agent wraps up
    CLOSED = "closed"  # has an outcome; only identity, ticket and note may still change


class Outcome(StrEnum):
    HANDLED = "handled"
    ABANDONED = "abandoned"
    SHORT_ABANDONED = "short_abandoned"
    FLOW_OUT = "flow_out"
    MISSED = "missed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Verb(StrEnum):
    ENQUEUE = "enqueue"
    ADOPT = "adopt"
    MOVE = "move"
    TAKE_OUT = "take_out"
    OVERFLOW = "overflow"
    TREAT = "give_treatment"
    PUT_OFF = "put_off"
    GIVE = "give_to_agent"
    CONNECT = "connect_call"
    RESERVE = "reserve"
    OFFER = "offer"
    ANSWER = "answer"
    RETURN = "return_to_queue"
    LEAVE_UNSERVED = "leave_unserved"
    TRANSFER = "transfer"
    RELEASE = "release"
    HOLD = "hold"
    HAND_OVER = "hand_over"
    END = "end_interaction"
    CLOSE = "close"


TRANSITIONS: dict[tuple[State, Verb], State] = {
    (State.NEW, Verb.ENQUEUE): State.QUEUED,
    (State.NEW, Verb.ADOPT): State.NEW,
    (State.QUEUED, Verb.ADOPT): State.QUEUED,
    (State.QUEUED, Verb.MOVE): State.QUEUED,
    (State.QUEUED, Verb.OVERFLOW): State.QUEUED,
    (State.QUEUED, Verb.TREAT): State.QUEUED,
    (State.QUEUED, Verb.PUT_OFF): State.NEW,
    (State.NEW, Verb.GIVE): State.OFFERED,
    (State.NEW, Verb.CONNECT): State.ACTIVE,
    (State.OFFERED, Verb.ADOPT): State.OFFERED,
    (State.ACTIVE, Verb.ADOPT): State.ACTIVE,
    (State.QUEUED, Verb.TAKE_OUT): State.CLOSED,
    (State.OFFERED, Verb.TAKE_OUT): State.CLOSED,
    (State.QUEUED, Verb.RESERVE): State.OFFERED,
    (State.OFFERED, Verb.OFFER): State.OFFERED,
    (State.OFFERED, Verb.ANSWER): State.ACTIVE,
    (State.OFFERED, Verb.RETURN): State.QUEUED,
    (State.NEW, Verb.LEAVE_UNSERVED): State.CLOSED,
    (State.QUEUED, Verb.LEAVE_UNSERVED): State.CLOSED,
    (State.OFFERED, Verb.LEAVE_UNSERVED): State.CLOSED,
    (State.ACTIVE, Verb.TRANSFER): State.ACTIVE,
    (State.ACTIVE, Verb.RELEASE): State.ACTIVE,
    (State.ACTIVE, Verb.HOLD): State.ACTIVE,
    (State.ACTIVE, Verb.HAND_OVER): State.QUEUED,
    (State.ACTIVE, Verb.END): State.WRAPPING,
    (State.WRAPPING, Verb.CLOSE): State.CLOSED,
}


class ReservationState(StrEnum):
    PENDING = "pending"  # the agent is asked; holds the agent's slot
    ACCEPTED = "accepted"  # talking, then wrapping up; holds the agent's slot
    REJECTED = "rejected"  # the agent declined
    TIMED_OUT = "timed_out"  # nobody answered in time
    FAILED = "failed"  # busy or unreachable: the phone's fault, not the agent's
    CANCELLED = "cancelled"  # the customer left, or the offer was taken back
    COMPLETED = "completed"  # wrapped up


class ReservationVerb(StrEnum):
    ANSWER = "answer"
    REJECT = "rejected"
    TIME_OUT = "timed_out"
    FAIL = "failed"
    CANCEL = "cancelled"
    WRAP_UP = "wrap_up"


RESERVATION_TRANSITIONS: dict[tuple[ReservationState, ReservationVerb], ReservationState] = {
    (ReservationState.PENDING, ReservationVerb.ANSWER): ReservationState.ACCEPTED,
    (ReservationState.PENDING, ReservationVerb.REJECT): ReservationState.REJECTED,
    (ReservationState.PENDING, ReservationVerb.TIME_OUT): ReservationState.TIMED_OUT,
    (ReservationState.PENDING, ReservationVerb.FAIL): ReservationState.FAILED,
    (ReservationState.PENDING, ReservationVerb.CANCEL): ReservationState.CANCELLED,
    (ReservationState.ACCEPTED, ReservationVerb.WRAP_UP): ReservationState.COMPLETED,
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A first contact as its channel saw it. `address_kind` is None when the address identifies nobody.

    `asks`: the `language` and the agents (`preferred`, the best first) that it asks for itself. Where these are not
    `preferred`, those are whom its queue prefers for the customer; with None not even that is looked at.
    """

    channel: Channel
    external_id: str | None
    address_kind: str | None
    address: str | None
    address_name: str | None = None
    called: str | None = None
    direction: str = "inbound"
    pbx: str | None = None
    leg: str | None = None
    subject: str | None = None
    priority: int = 0
    asks: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """The agent who is to be asked for work of a queue, if both still are as they were, and why.

    `revision`: of the organisation by which it was decided; None: it does not matter.
    """

    queue: int
    agent: int
    agent_version: int
    reason: str
    why: Mapping[str, Any]
    revision: int | None = field(default=None, kw_only=True)


class WrapUpMode(StrEnum):
    OPTIONAL = "optional"  # a disposition may be left out
    DISCRETIONARY = "discretionary"  # a disposition is asked for; no time limit
    TIME_BOXED = "time_boxed"  # a disposition is asked for; ends by itself at the limit
    TIME_BOXED_FIXED = "time_boxed_fixed"  # as time_boxed, and cannot be ended earlier


# What is written when the time box ran out before the agent chose.
TIME_BOX_DISPOSITION = "timed_out"
