"""One order for all waiting work: how old it looks; and what is asked of whoever takes it, the longer it has waited."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from callcenter.domain.duration import format_duration, parse_duration
from callcenter.domain.needs import LANGUAGE, Needs, Written, both, understand

# How free agents of a queue are put in order.
Strategy = Literal["longest_idle", "fewest", "round_robin", "best_skill", "weighted"]
# With the strategy weighted: how much longer an agent's idle time looks for each level above what is asked.
PROFICIENCY_WEIGHT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a queue asks for. `language`: the level at which the customer's language is to be spoken; 0: not at all."""

    needs: Written
    language: int = 0

    def of_work_in(self, language: str | None) -> Needs:
        """With the language that a piece of work has, if any."""
        needs = understand(self.needs)
        if not self.language or language is None:
            return needs
        return both(needs, ({f"{LANGUAGE}{language}": self.language},))


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked for after so long in the queue; None: the same as before."""

    after: timedelta
    needs: Written | None = None
    language: int | None = None


def read_step(written: Mapping[str, Any]) -> Step:
    """As the database keeps it."""
    return Step(parse_duration(written["after"]), written.get("needs"), written.get("language"))


def write_step(step: Step) -> dict[str, Any]:
    pairs = {"after": format_duration(step.after), "needs": step.needs, "language": step.language}
    return {key: value for key, value in pairs.items() if value is not None}


def place(queued_at: datetime, *, priority: int, shift: timedelta) -> datetime:
    """Since when work seems to wait: priority (minutes), its customer's value and contract make it older."""
    return queued_at - shift - timedelta(minutes=priority)


def asked_after(asked: Asked, steps: Iterable[Step], waited: timedelta) -> Asked:
    """What a queue asks for of work that has waited so long; `steps` in the order of their times."""
    for step in steps:
        if step.after <= waited:
            asked = Asked(
                asked.needs if step.needs is None else step.needs,
                asked.language if step.language is None else step.language,
            )
    return asked
