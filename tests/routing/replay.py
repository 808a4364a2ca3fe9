"""The contact log read from its beginning: what must never be in it, whoever decided."""

from collections import Counter
from collections.abc import Sequence

from callcenter.domain.events import Event
from callcenter.store.log import COLUMNS, event_of
from callcenter.store.pool import Pool


async def whole_log(pool: Pool) -> list[Event]:
    return [event_of(row) for row in await pool.fetch(f"select {COLUMNS} from contact_log order by epoch, xid, seq")]


def replay(events: Sequence[Event], *, ended: bool = True) -> Counter[str]:
    """Fails when anybody has two offers, or anything is offered twice, at any moment; `ended`: or any offer is left."""
    offered: dict[int, int] = {}  # agent by interaction
    ends: Counter[str] = Counter()
    for event in events:
        ident, kind = event.interaction, event.kind
        if kind == "interaction.reserved":
            assert ident is not None
            assert event.agent is not None
            assert ident not in offered, f"{ident} was offered twice"
            assert event.agent not in offered.values(), f"agent {event.agent} got a second offer"
            offered[ident] = event.agent
        elif kind in ("reservation.cancelled", "interaction.closed"):
            assert ident is not None
            assert offered.pop(ident) == event.agent
            ends[kind] += 1
        elif kind == "interaction.arrived":
            ends["arrived"] += 1
    assert not (ended and offered)
    return ends
