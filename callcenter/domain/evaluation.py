"""The life of an evaluation, and which conversations are drawn for one; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256

from callcenter.errors import IllegalTransition


class EvaluationState(StrEnum):
    DRAFT = "draft"  # waits for its evaluator, or is being filled in
    GRADED = "graded"  # the grade stands
    DISPUTED = "disputed"  # the agent disagrees, and a supervisor has not decided yet
    UPHELD = "upheld"  # the supervisor let the grade stand after a dispute
    CHANGED = "changed"  # another evaluation has taken its place


class EvaluationVerb(StrEnum):
    GRADE = "grade"
    DISPUTE = "dispute"
    UPHOLD = "uphold"
    REPLACE = "replace"


TRANSITIONS: dict[tuple[EvaluationState, EvaluationVerb], EvaluationState] = {
    (EvaluationState.DRAFT, EvaluationVerb.GRADE): EvaluationState.GRADED,
    (EvaluationState.GRADED, EvaluationVerb.DISPUTE): EvaluationState.DISPUTED,
    (EvaluationState.GRADED, EvaluationVerb.REPLACE): EvaluationState.CHANGED,
    (EvaluationState.DISPUTED, EvaluationVerb.UPHOLD): EvaluationState.UPHELD,
    (EvaluationState.DISPUTED, EvaluationVerb.REPLACE): EvaluationState.CHANGED,
    (EvaluationState.UPHELD, EvaluationVerb.REPLACE): EvaluationState.CHANGED,
}


def after(state: EvaluationState, verb: EvaluationVerb) -> EvaluationState:
    """Raises IllegalTransition."""
    try:
        return TRANSITIONS[state, verb]
    except KeyError:
        raise IllegalTransition(f"An evaluation that is {state} cannot {verb}.") from None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A conversation that a rule allows, and whose it was."""

    interaction: int
    agent: int


def draw(candidates: Iterable[Drawn], *, per_agent: int, seed: int) -> Sequence[Drawn]:
    """At random, so many of each agent, and the same for the same seed, in whatever order they come.

    Each gets a place by the hash of seed and id: which others there are changes nothing about it.
    """

    def place(each: Drawn) -> bytes:
        return sha256(f"{seed}:{each.interaction}:{each.agent}".encode()).digest()

    taken: dict[int, int] = {}
    chosen = []
    for each in sorted(set(candidates), key=place):
        if taken.get(each.agent, 0) < per_agent:
            taken[each.agent] = taken.get(each.agent, 0) + 1
            chosen.append(each)
    return sorted(chosen, key=lambda each: (each.agent, each.interaction))


def last_week(today: date) -> date:
    """The Monday of the week that was over last."""
    return today - timedelta(days=today.weekday() + 7)
