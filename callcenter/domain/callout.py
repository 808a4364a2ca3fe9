"""A call to somebody who is to know of a ticket: its states."""

from datetime import timedelta
from enum import StrEnum


class CalloutState(StrEnum):
    WAITING = "waiting"  # to be called when it is due, or being called under a lease
    ACKNOWLEDGED = "acknowledged"  # they pressed the key, or saw the notice on their console first
    FAILED = "failed"  # nobody pressed the key: the next one up the line is told


class CalloutVerb(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    CALL = "call"
    GIVE_UP = "give_up"


TRANSITIONS: dict[tuple[CalloutState, CalloutVerb], CalloutState] = {
    (CalloutState.WAITING, CalloutVerb.CALL): CalloutState.WAITING,
    (CalloutState.WAITING, CalloutVerb.ACKNOWLEDGE): CalloutState.ACKNOWLEDGED,
    (CalloutState.WAITING, CalloutVerb.GIVE_UP): CalloutState.FAILED,
    # Who presses the key late knows all the same; the next one has been told already.
    (CalloutState.FAILED, CalloutVerb.ACKNOWLEDGE): CalloutState.FAILED,
    (CalloutState.ACKNOWLEDGED, CalloutVerb.ACKNOWLEDGE): CalloutState.ACKNOWLEDGED,
}

# How often one person is called before the next one is.
ATTEMPTS = 3
# From one attempt to the next: longer than the phone rings and the notice is read out.
EVERY = timedelta(seconds=90)
