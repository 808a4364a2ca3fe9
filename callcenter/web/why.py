"""Why this agent, and why nobody has it yet, in words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from callcenter.domain.agent import on_shift
from callcenter.domain.duration import format_duration
from callcenter.domain.interaction import State
from callcenter.domain.needs import LANGUAGE, NOTHING, fulfils, in_words, missing, spoken
from callcenter.domain.order import Asked, asked_after, place, tier_shift
from callcenter.domain.overflow import Treatment
from callcenter.ports import Due, Wait
from callcenter.store.directory import Directory, Queue
from callcenter.store.pool import Pool
from callcenter.web.interactions import SQL

# What a preferred agent is to the customer.
PREFERRED = {"last_agent": "last agent", "owner": "account owner", "named": "named on arrival"}
# Why the router chose somebody among those who might have taken it.
CHOSEN = {
    "longest_idle": "had been idle longest",
    "fewest": "had had the fewest contacts today",
    "round_robin": "had waited longest for a turn",
    "best_skill": "knows best what is asked for",
}


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
            said = await _in_queue(pool, directory, directory.queue(row["queue_id"]), row["id"], now)
            return " ".join([said, *([] if wait is None else _outlook(wait))])
        case _:
            return None


async def _in_queue(pool: Pool, directory: Directory, queue: Queue, ident: int, now: datetime) -> str:
    line = {row["id"]: row for row in await pool.fetch(SQL.line, queue.id)}
    if ident not in line:
        return "It has just been offered."
    places = {
        each: (place(row["queued_at"], priority=row["priority"], shift=tier_shift(queue.tiers, row["tier"])), each)
        for each, row in line.items()
    }
    ahead = sum(other < places[ident] for other in places.values())
    said = [f"{ahead} wait in front of it." if ahead else "It is the first in line."]
    work, waited = line[ident], now - line[ident]["queued_at"]
    language = spoken(work["language"]) or queue.default_language
    # A language that no member speaks is asked of nobody.
    if language is not None and not await pool.fetchval(SQL.speakers, queue.id, f"{LANGUAGE}{language}"):
        language = None
    if waited < queue.prefer_for and work["preferred_as"] is not None:
        said += await _waits_for(pool, directory, queue, work, language)
    said += await _asked(pool, queue, waited, language)
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


async def _waits_for(
    pool: Pool, directory: Directory, queue: Queue, work: asyncpg.Record, language: str | None
) -> list[str]:
    """For whom alone, and until when: those who are on shift and may take it by then, as the router sees it."""
    if queue.prefer is None:
        return []
    last = queue.prefer_for - timedelta(microseconds=1)
    needs = asked_after(Asked(queue.needs, queue.language), queue.steps, last).of_work_in(language)
    names = [
        row["name"]
        for row in await pool.fetch(SQL.preferred, work["id"])
        if on_shift(row["presence"], row["routing_status"]) and row["delay"] <= last and fulfils(row["skills"], needs)
    ]
    if not names:
        return []
    until = (work["queued_at"] + queue.prefer_for).astimezone(ZoneInfo(directory.organisation.timezone))
    return [f"It waits for {' or '.join(names)} until {until:%H:%M:%S} ({PREFERRED[work['preferred_as']]})."]


async def _asked(pool: Pool, queue: Queue, waited: timedelta, language: str | None) -> list[str]:
    """What it asks for at this moment, when it will ask for less, and what those who are free lack."""
    asked = asked_after(Asked(queue.needs, queue.language), queue.steps, waited)
    needs = asked.of_work_in(language)
    if needs == NOTHING:
        return []
    parts = [in_words(asked.needs)] if asked.needs else []
    if asked.language and language is not None:
        parts.append(in_words({f"{LANGUAGE}{language}": asked.language}))
    later = next((step.after for step in queue.steps if step.after > waited), None)
    until = "" if later is None else f", until it has waited {format_duration(later)}"
    said = [f"It asks for {' and '.join(parts)}{until}."]
    free = [(row["name"], missing(row["skills"], needs)) for row in await pool.fetch(SQL.free, queue.id)]
    return said + [f"{name} is free and lacks {lacks}." for name, lacks in free if lacks]


def chosen_because(decision: Mapping[str, Any]) -> str | None:
    """None for a reason that is no choice of the router's."""
    agent, reason = decision["agent"], decision["reason"]
    if (kind := PREFERRED.get(decision.get("preferred", ""))) is not None:
        return f"{agent} was preferred: {kind}."
    if reason == "assigned":
        return f"{decision.get('by', 'A supervisor')} chose {agent}."
    return f"{agent} {CHOSEN[reason]}." if reason in CHOSEN else None
