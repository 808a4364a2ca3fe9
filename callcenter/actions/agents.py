"""What agents choose, and whether their desks are open."""

from datetime import datetime

from callcenter.actions.interactions import Events
from callcenter.domain.agent import Presence
from callcenter.errors import Invalid, NotFound
from callcenter.store.log import ContactLog

_MAX_REASON = 100


async def set_presence(
    log: ContactLog, agent: int, *, presence: str, reason: str | None, actor: int, now: datetime
) -> Events:
    """Legal at any time: whoever leaves the queue with work in hand does so when the last of it is over."""
    try:
        chosen = Presence(presence)
    except ValueError:
        raise Invalid(
            f"{presence!r} is no presence; expected one of {', '.join(Presence)}.", field="presence"
        ) from None
    if reason is not None and len(reason) > _MAX_REASON:
        raise Invalid(f"A reason has at most {_MAX_REASON} characters.", field="reason")
    events = await log.write("set_presence", agent, chosen, reason or None, actor, now)
    if not events:
        raise NotFound("There is no such agent.")
    return events


async def open_desk(log: ContactLog, agent: int, *, node: int, now: datetime) -> Events:
    return await log.write("move_desk", agent, node, True, now)


async def lose_desk(log: ContactLog, agent: int, *, node: int, now: datetime) -> Events:
    """Empty when the agent's desk is at another node by now."""
    return await log.write("move_desk", agent, node, False, now)


async def lose_desks(log: ContactLog, *, node: int, now: datetime) -> Events:
    """All desks of a node that died."""
    return await log.write("lose_desks", node, now)
