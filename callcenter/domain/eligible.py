"""Why an agent is not asked about something that waits: the router's rules, for whoever must say so in words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from callcenter.domain.agent import DESK_GRACE, TAKES_WORK, Presence
from callcenter.domain.capacity import Load, may_take
from callcenter.domain.interaction import Channel
from callcenter.domain.needs import Needs, Skills, fulfils, missing

NEXT_PRESENCE = "next_presence"
LEFT_ALONE = "left_alone"
NO_CONSOLE = "no_console"


class OnFloor(Protocol):
    """What is looked at whatever the work is. `idle_since` None: has never been on queue."""

    @property
    def presence(self) -> str: ...
    @property
    def routing_status(self) -> str: ...
    @property
    def next_presence(self) -> str | None: ...
    @property
    def idle_since(self) -> datetime | None: ...
    @property
    def not_before(self) -> datetime | None: ...
    @property
    def desk(self) -> bool: ...
    @property
    def desk_lost_at(self) -> datetime | None: ...


def withheld(agent: OnFloor, now: datetime, *, require_console: bool) -> tuple[str, datetime | None]:
    """Why an agent gets no work of any kind (empty: may get some), and when time alone will change that answer."""
    if agent.presence != Presence.ON_QUEUE:
        return agent.presence, None
    if agent.next_presence is not None:
        return NEXT_PRESENCE, None
    if agent.routing_status not in TAKES_WORK or agent.idle_since is None:
        return agent.routing_status, None
    if agent.not_before is not None and now < agent.not_before:
        return LEFT_ALONE, agent.not_before
    if require_console and not agent.desk:
        if agent.desk_lost_at is None or now - agent.desk_lost_at >= DESK_GRACE:
            return NO_CONSOLE, None
        return "", agent.desk_lost_at + DESK_GRACE
    return "", None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """One of a queue's agents. `lender`: a member of that queue only, who may help out in this one."""

    name: str
    presence: str
    routing_status: str
    next_presence: str | None
    idle_since: datetime | None
    not_before: datetime | None
    desk: bool
    desk_lost_at: datetime | None
    load: Load
    skills: Skills
    capacity: Mapping[str, int]
    delay: timedelta = timedelta()
    phoneless: bool = False
    lender: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Work that waits, and what it asks for: `needs` now and after each later step."""

    channel: str
    queued_at: datetime
    needs: Sequence[Needs]
    interrupted_by: Mapping[str, Collection[str]] = field(default_factory=dict)
    require_console: bool = True


@dataclass(frozen=True, slots=True)
class Bar:
    """`why`: as the router counts those whom it leaves out. `until`: when time alone ends it."""

    why: str
    until: datetime | None = None
    lacks: str = ""


def bars(agent: Colleague, work: Asking, now: datetime) -> list[Bar]:
    """All that keeps an agent from it, in the router's order; empty for one who may take it now.

    Whether somebody's agents are lent at the moment is the leader's to know: nobody who is free keeps work of theirs
    waiting longer than it takes to ask them, so who is free and fit and lent nowhere is told as not lent.
    """
    why, until = withheld(agent, now, require_console=work.require_console)
    found = [Bar(why, until)] if why else []
    # What a step asks beyond the one before it is asked of nobody's good: they must be fit for all that follows.
    lacks = next((missing(agent.skills, needs) for needs in work.needs if not fulfils(agent.skills, needs)), "")
    ever = fulfils(agent.skills, work.needs[-1])
    if lacks and not ever:
        found.append(Bar("skills", None, lacks))
    if work.channel == Channel.PHONE and agent.phoneless:
        found.append(Bar("no_phone"))
    elif not may_take(work.channel, agent.load, capacity=agent.capacity, interrupted_by=work.interrupted_by):
        found.append(Bar("capacity"))
    if lacks and ever:
        found.append(Bar("later_step", None, lacks))
    if now < (sees_at := work.queued_at + agent.delay):
        found.append(Bar("later_step", sees_at))
    return found or ([] if agent.lender is None else [Bar("not_lent")])
