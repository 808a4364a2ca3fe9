"""Who of a queue is not asked about something that waits, and why, in sentences."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from callcenter.domain.agent import TAKES_WORK, Presence, RoutingStatus
from callcenter.domain.duration import format_duration
from callcenter.domain.eligible import Asking, Bar, Colleague, bars
from callcenter.web.said import Said, counted

# Why members of the queue are not asked, beside what they do (presence, routing status), as the router counts them.
LEFT_OUT = {
    "skills": "without the skills or the language",
    "capacity": "with enough in hand",
    "later_step": "asked later, by steps or delay",
    "not_preferred": "not preferred",
    "not_lent": "not lent out",
    "left_alone": "unreachable a moment before",
    "no_console": "without a console",
    "next_presence": "about to leave",
    "no_phone": "without a phone",
}
# The same of one who is free.
FREE_BUT = {
    "capacity": "%(name)s is free and takes nothing of this kind.",
    "left_alone": "%(name)s is left alone until %(time)s: an offer failed, or work was handed on, a moment before.",
    "next_presence": "%(name)s is free and about to leave.",
    "no_console": "%(name)s is free and has no console open.",
    "no_phone": "%(name)s is free and has no phone.",
    "not_lent": "%(name)s of %(queue)s is free and not lent out.",
}
LACKS = "%(name)s is free and lacks %(lacks)s."
LATER = "%(name)s is asked from %(time)s on, after a delay of %(span)s."
# So many of those who are free are told by name.
_MOST = 10


def left_out(
    agents: Sequence[Colleague], work: Asking, now: datetime, *, at: Callable[[datetime], str]
) -> Iterator[Said]:
    """Everybody on queue who might take work and not this, those who are free by name. `at`: a moment in words.

    Who may take it is not spoken of: their turn comes.
    """
    takes = [agent for agent in agents if agent.presence == Presence.ON_QUEUE and agent.routing_status in TAKES_WORK]
    found = [(agent, bars(agent, work, now)) for agent in takes]
    free = [each for each in found if each[1] and each[0].routing_status == RoutingStatus.IDLE]
    for agent, why in free[:_MOST]:
        yield from (_of(agent, bar, at) for bar in why if bar.lacks or bar.until or bar.why in FREE_BUT)
    if more := Counter(why[0].why for _, why in free[_MOST:]):
        parts = counted(more, LEFT_OUT)
        yield Said("%(num)d more are free and may not take it: %(parts)s.", {"num": more.total(), "parts": parts})
    # Who is lent nowhere has other work to do.
    own = [why for agent, why in found if agent.lender is None]
    if own and all(why and why[0].why == "capacity" for why in own):
        yield Said("Nobody at work has room for it.")
    elif busy := Counter(
        why[0].why
        for agent, why in found
        if why and agent.routing_status != RoutingStatus.IDLE and agent.lender is None
    ):
        yield Said("Of those with work in hand: %(parts)s.", {"parts": counted(busy, LEFT_OUT)})


def _of(agent: Colleague, bar: Bar, at: Callable[[datetime], str]) -> Said:
    if bar.lacks:
        return Said(LACKS, {"name": agent.name, "lacks": bar.lacks})
    time = "" if bar.until is None else at(bar.until)
    if bar.why == "later_step":
        return Said(LATER, {"name": agent.name, "time": time, "span": format_duration(_whole(agent.delay))})
    return Said(FREE_BUT[bar.why], {"name": agent.name, "time": time, "queue": agent.lender or ""})


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=round(span.total_seconds()))
