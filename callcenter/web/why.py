"""Why nobody has it yet, in words."""

from datetime import datetime, timedelta

from callcenter.domain.duration import format_duration, parse_duration
from callcenter.domain.interaction import State
from callcenter.domain.order import Needs, asked_after, place, tier_shift
from callcenter.store.directory import Directory, Queue
from callcenter.store.pool import Pool
from callcenter.web.interactions import SQL, standing


async def waiting_because(pool: Pool, directory: Directory, ident: int, *, now: datetime) -> str | None:
    """None when somebody has it, or nobody will. Raises NotFound."""
    row = await standing(pool, ident, asks=0)
    match row["state"]:
        case State.NEW:
            return "It is not in a queue yet."
        case State.OFFERED:
            return "It is offered to an agent, who has not answered yet."
        case State.QUEUED:
            return await _in_queue(pool, directory.queue(row["queue_id"]), ident, now)
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
