"""Why nobody has it yet, in words."""

from datetime import datetime, timedelta

import asyncpg

from callcenter.domain.duration import format_duration, parse_duration
from callcenter.domain.interaction import State
from callcenter.domain.order import Needs, asked_after, place, tier_shift
from callcenter.domain.overflow import Treatment
from callcenter.ports import Due, Wait
from callcenter.store.directory import Directory, Queue
from callcenter.store.pool import Pool
from callcenter.web.interactions import SQL


async def waiting_because(
    pool: Pool, directory: Directory, row: asyncpg.Record, wait: Wait | None, *, now: datetime
) -> str | None:
    """None when somebody has it, or nobody will. `row`: how it stands (callcenter.web.interactions)."""
    match row["state"]:
        case State.NEW:
            return "It is not in a queue yet."
        case State.OFFERED:
            return "It is offered to an agent, who has not answered yet."
        case State.QUEUED:
            said = await _in_queue(pool, directory.queue(row["queue_id"]), row["id"], now)
            return " ".join([said, *([] if wait is None else _outlook(wait))])
        case _:
            return None


async def _in_queue(pool: Pool, queue: Queue, ident: int, now: datetime) -> str:
    line = {row["id"]: row for row in await pool.fetch(SQL.line, queue.id)}
    if ident not in line:
        return "It has just been offered."
    places = {
        each: (place(row["queued_at"], priority=row["priority"], shift=tier_shift(queue.tiers, row["tier"])), each)
        for each, row in line.items()
    }
    ahead = sum(other < places[ident] for other in places.values())
    said = [f"{ahead} wait in front of it." if ahead else "It is the first in line."]
    said += _asked(queue, now - line[ident]["queued_at"])
    doing = await pool.fetch(SQL.members, queue.id)
    if doing:
        parts = ", ".join(f"{row['count']} {row['doing'].replace('_', ' ')}" for row in doing)
        said.append(f"The queue's agents: {parts}.")
    else:
        said.append("The queue has no agents.")
    return " ".join(said)


def _outlook(wait: Wait) -> list[str]:
    said = ["How long it will take is unknown: nobody is at work there."]
    if wait.expected_seconds is not None:
        said = [f"Expected to wait {_span(wait.expected_seconds)} more."]
    return said if wait.due is None else [*said, _coming(wait.due)]


def _coming(due: Due) -> str:
    """What its queue's rules will do with it."""
    when = (
        f"in {_span(due.in_seconds)}"
        if due.in_seconds is not None
        else f"once the expected wait is over {_span(due.longer_than_seconds or 0)}"
    )
    match due.action:
        case "to":
            return f"It overflows to {due.queue} {when}."
        case "lend":
            return f"Agents of {due.queue} may help out {when}, as long as {due.queue} keeps its own promise."
        case Treatment.CALLBACK:
            return f"It is offered a call back {when}."
        case Treatment.VOICEMAIL:
            return f"It is offered to leave a message {when}."
        case _:
            return f"It is treated as outside the opening hours {when}."


def _span(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))


def _asked(queue: Queue, waited: timedelta) -> list[str]:
    """The skills that it asks for at this moment, and when it will ask for less."""
    steps = [(parse_duration(step["after"]), step["needs"]) for step in queue.steps]
    needs = asked_after(queue.needs, steps, waited)
    if not needs:
        return []
    later = next((after for after, _ in steps if after > waited), None)
    until = "" if later is None else f", until it has waited {format_duration(later)}"
    return [f"It asks for {_skills(needs)}{until}."]


def _skills(needs: Needs) -> str:
    return " and ".join(f"{skill} {level}" for skill, level in sorted(needs.items()))
