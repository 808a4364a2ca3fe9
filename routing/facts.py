"""What the router knows of one piece of work and of one agent, as a row of a snapshot or an event tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.capacity import Load
from callcenter.domain.interaction import Channel


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work in a queue. `queued_at` is its place; `priority` (minutes), its customer's `tier` and `contract` shift it.

    `preferred`: agents for whom it waits first, the best first; `preferred_as`: what they are to the customer.
    """

    interaction: int
    queue: int
    queued_at: datetime
    version: int
    priority: int = 0
    tier: str | None = None
    channel: str = Channel.PHONE
    language: str | None = None
    preferred: tuple[int, ...] = ()
    preferred_as: str | None = None
    entered_at: datetime | None = None  # into this queue, where that was later than queued_at
    treated: tuple[str, ...] = ()  # the overflow rules that were carried out on it
    contract: timedelta = timedelta()  # how much older a service contract makes it look


@dataclass(frozen=True, slots=True)
class AgentState:
    """`load`: what is in hand, by channel. `next_presence`: chosen for when nothing is; nothing new comes till then."""

    agent: int
    presence: str
    routing_status: str
    idle_since: datetime | None
    not_before: datetime | None
    desk: bool
    desk_lost_at: datetime | None
    version: int
    load: Load = field(default_factory=dict)
    next_presence: str | None = None


def waiting_of(ident: int, queue: int, version: int, data: Mapping[str, Any]) -> Waiting:
    """From the after-image of an event."""
    return Waiting(
        interaction=ident,
        queue=queue,
        queued_at=datetime.fromisoformat(data["queued_at"]),
        version=version,
        priority=data["priority"],
        tier=data.get("tier"),
        channel=data["channel"],
        language=data.get("language"),
        preferred=tuple(data.get("preferred") or ()),
        preferred_as=data.get("preferred_as"),
        entered_at=None if (entered_at := data.get("entered_at")) is None else datetime.fromisoformat(entered_at),
        treated=tuple(data.get("treated") or ()),
        contract=timedelta(seconds=data.get("contract") or 0),
    )


def agent_of(ident: int, version: int, data: Mapping[str, Any]) -> AgentState:
    def moment(key: str) -> datetime | None:
        return None if data[key] is None else datetime.fromisoformat(data[key])

    return AgentState(
        agent=ident,
        presence=data["presence"],
        routing_status=data["routing_status"],
        idle_since=moment("idle_since"),
        not_before=moment("not_before"),
        desk=data["desk"],
        desk_lost_at=moment("desk_lost_at"),
        version=version,
        load=data["load"],
        next_presence=data["next_presence"],
    )
