"""Why nobody has it yet, in words."""

from datetime import datetime, timedelta

from callcenter.domain.duration import format_duration
from callcenter.domain.interaction import State
from callcenter.domain.needs import NOTHING, in_words, missing
from callcenter.domain.order import Asked, asked_after, place, tier_shift
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
    said += await _asked(pool, queue, now - line[ident]["queued_at"])
    doing = await pool.fetch(SQL.members, queue.id)
    if doing:
        parts = ", ".join(f"{row['count']} {row['doing'].replace('_', ' ')}" for row in doing)
        said.append(f"The queue's agents: {parts}.")
    else:
        said.append("The queue has no agents.")
    return " ".join(said)


async def _asked(pool: Pool, queue: Queue, waited: timedelta) -> list[str]:
    """The skills that it asks for at this moment, when it will ask for less, and what those who are free lack."""
    asked = asked_after(Asked(queue.needs, queue.language), queue.steps, waited)
    needs = asked.of_work_in(None)
    if needs == NOTHING:
        return []
    later = next((step.after for step in queue.steps if step.after > waited), None)
    until = "" if later is None else f", until it has waited {format_duration(later)}"
    said = [f"It asks for {in_words(asked.needs)}{until}."]
    free = [(row["name"], missing(row["skills"], needs)) for row in await pool.fetch(SQL.free, queue.id)]
    return said + [f"{name} is free and lacks {lacks}." for name, lacks in free if lacks]
