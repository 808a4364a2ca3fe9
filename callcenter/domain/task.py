"""Something to be done, for a ticket or by itself: its states, and when somebody is reminded of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class TaskState(StrEnum):
    WAITING = "waiting"  # a step of a checklist whose turn has not come
    OPEN = "open"  # to be done
    DONE = "done"
    CANCELLED = "cancelled"  # no longer to be done


class TaskVerb(StrEnum):
    BEGIN = "begin"  # the step before it is over
    FINISH = "finish"
    CANCEL = "cancel"
    REOPEN = "reopen"


LIVE = frozenset({TaskState.WAITING, TaskState.OPEN})
TRANSITIONS: dict[tuple[TaskState, TaskVerb], TaskState] = {
    (TaskState.WAITING, TaskVerb.BEGIN): TaskState.OPEN,
    (TaskState.OPEN, TaskVerb.FINISH): TaskState.DONE,
    **{(state, TaskVerb.CANCEL): TaskState.CANCELLED for state in (TaskState.WAITING, TaskState.OPEN)},
    **{(state, TaskVerb.REOPEN): TaskState.OPEN for state in (TaskState.DONE, TaskState.CANCELLED)},
}
# What leads to each state, as a client that changes a task names only the state.
VERBS = {TaskState.OPEN: TaskVerb.REOPEN, TaskState.DONE: TaskVerb.FINISH, TaskState.CANCELLED: TaskVerb.CANCEL}


class Call(StrEnum):
    """What somebody is told of a task, once for each due moment."""

    REMINDED = "reminded"  # it is due soon
    OVERDUE = "overdue"  # it was due


@dataclass(frozen=True, slots=True)
class Reminders:
    """When a task is due, how long before that somebody is reminded, and what they were told already.

    A task that got another due moment has none of these behind it.
    """

    due_at: datetime | None
    remind_before: timedelta | None = None
    reminded: bool = False
    overdue: bool = False

    def next(self, state: TaskState) -> tuple[Call, datetime] | None:
        """What is to be told next, and when; None when nothing is."""
        if state is not TaskState.OPEN or self.due_at is None or self.overdue:
            return None
        if self.remind_before is not None and not self.reminded:
            return Call.REMINDED, self.due_at - self.remind_before
        return Call.OVERDUE, self.due_at

    def due_calls(self, state: TaskState, now: datetime) -> tuple[Call, ...]:
        """What is to be told now. Of a task that is overdue already nobody is reminded any more."""
        following = self.next(state)
        if following is None or following[1] > now:
            return ()
        assert self.due_at is not None
        return (Call.OVERDUE,) if self.due_at <= now else (following[0],)
