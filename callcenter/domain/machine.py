"""State machines as tables: {(state, event): state}."""

from collections.abc import Mapping
from typing import TypeVar

from callcenter.errors import IllegalTransition

S = TypeVar("S", bound=str)
E = TypeVar("E", bound=str)


def step(table: Mapping[tuple[S, E], S], state: S, event: E) -> S:
    """The state after the event. Raises IllegalTransition when the table has no such row."""
    try:
        return table[state, event]
    except KeyError:
        raise IllegalTransition(f"{event} is not possible while {state}.") from None


def sources(table: Mapping[tuple[S, E], S], event: E) -> frozenset[S]:
    """All states from which the event is possible."""
    return frozenset(state for state, happened in table if happened == event)
