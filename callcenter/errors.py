"""What may go wrong, by what the person or program that asked can do about it; each carries a sentence for people."""


class CallcenterError(Exception):
    """Something was refused or failed; `str()` of it is one sentence that may be shown to a person."""


class Invalid(CallcenterError):
    """What was sent cannot be understood or breaks a rule (422); `field` names the part that does."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(CallcenterError):
    """There is no such thing, or not for whoever asked (404)."""


class Conflict(CallcenterError):
    """Somebody else moved it first, or it is not in a state that allows this (409)."""


class Outdated(Conflict):
    """Somebody else changed it since the version that the writer has seen (412)."""


class IllegalTransition(Conflict):
    """A state machine has no such move from where it stands."""


class Forbidden(CallcenterError):
    """We know who asks, and they may not (403)."""


class Unauthorized(CallcenterError):
    """We do not know who asks (401)."""


class TooMany(CallcenterError):
    """A limit on rate or number is reached (429); `retry_after` in seconds, where it is known."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ChannelError(CallcenterError):
    """A wire to the outside failed; `permanent` says that trying again is of no use."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
