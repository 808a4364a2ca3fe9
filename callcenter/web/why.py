"""Why this agent, and why nobody has it yet, in sentences that a reader's language can replace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

import asyncpg

from callcenter.domain.agent import on_shift
from callcenter.domain.duration import format_duration
from callcenter.domain.interaction import Channel, State
from callcenter.domain.needs import LANGUAGE, NOTHING, fulfils, in_words, missing, spoken
from callcenter.domain.order import Asked, asked_after
from callcenter.domain.overflow import Treatment
from callcenter.ports import Due, Wait
from callcenter.store.directory import Directory, Queue
from callcenter.store.pool import Pool
from callcenter.web.interactions import SQL

# What a preferred agent is to the customer.
PREFERRED = {"last_agent": "last agent", "owner": "account owner", "named": "named on arrival"}


Value: TypeAlias = "str | int | Said | Sequence[Said]"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or a part of one: English text with places for values, which may be parts themselves."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.put(lambda text: text)

    def put(self, translate: Callable[[str], str]) -> str:
        """With every text replaced by what `translate` makes of it."""
        values: dict[str, str | int] = {}
        for name, value in self.values.items():
            if isinstance(value, Said):
                values[name] = value.put(translate)
            elif isinstance(value, str | int):
                values[name] = value
            else:
                values[name] = ", ".join([part.put(translate) for part in value])
        return translate(self.text) % values if values else translate(self.text)


async def waiting_because(
    pool: Pool, directory: Directory, row: asyncpg.Record, wait: Wait | None, *, now: datetime
) -> list[Said]:
    """Nothing when somebody has it, or nobody will. `row`: how it stands (callcenter.web.interactions)."""
    match row["state"]:
        case State.NEW:
            return [Said("It is not in a queue yet.")]
        case State.OFFERED:
            return [Said("It is offered to an agent, who has not answered yet.")]
        case State.QUEUED:
            said = await _in_queue(pool, directory, directory.queue(row["queue_id"]), row["id"], now)
            return said if wait is None else [_place(wait), *said, *_outlook(wait)]
        case _:
            return []


def _place(wait: Wait) -> Said:
    ahead = wait.position - 1
    return Said("%(num)d wait in front of it.", {"num": ahead}) if ahead else Said("It is the first in line.")


async def _in_queue(pool: Pool, directory: Directory, queue: Queue, ident: int, now: datetime) -> list[Said]:
    work = await pool.fetchrow(SQL.waiting, ident)
    if work is None:
        return [Said("It has just been offered.")]
    said: list[Said] = []
    waited = now - work["queued_at"]
    language = spoken(work["language"]) or queue.default_language
    # A language that no member speaks is asked of nobody.
    if language is not None and not await pool.fetchval(SQL.speakers, queue.id, f"{LANGUAGE}{language}"):
        language = None
    if waited < queue.prefer_for and work["preferred_as"] is not None:
        said += await _waits_for(pool, directory, queue, work, language)
    said += await _asked(pool, queue, waited, language)
    if work["channel"] == Channel.PHONE:
        free = await pool.fetch(SQL.free, queue.id)
        said += [Said("%(name)s is free and has no phone.", {"name": row["name"]}) for row in free if row["phoneless"]]
    doing = await pool.fetch(SQL.members, queue.id)
    if doing:
        parts = [
            Said("%(num)d %(doing)s", {"num": row["count"], "doing": Said(row["doing"].replace("_", " "))})
            for row in doing
        ]
        said.append(Said("The queue's agents: %(parts)s.", {"parts": parts}))
    else:
        said.append(Said("The queue has no agents."))
    return said


def _outlook(wait: Wait) -> list[Said]:
    said = [Said("How long it will take is unknown: nobody is at work there.")]
    if wait.expected_seconds is not None:
        said = [Said("Expected to wait %(span)s more.", {"span": _span(wait.expected_seconds)})]
    return said if wait.due is None else [*said, _coming(wait.due)]


# What the rules of a queue do with who waits in it.
COMING: Mapping[str, str] = {
    "to": "It overflows to %(queue)s %(when)s.",
    "lend": "Agents of %(queue)s may help out %(when)s, as long as %(queue)s keeps its own promise.",
    Treatment.CALLBACK: "It is offered a call back %(when)s.",
    Treatment.VOICEMAIL: "It is offered to leave a message %(when)s.",
    Treatment.CLOSED: "It is treated as outside the opening hours %(when)s.",
}


def _coming(due: Due) -> Said:
    if due.in_seconds is not None:
        when = Said("in %(span)s", {"span": _span(due.in_seconds)})
    else:
        when = Said("once the expected wait is over %(span)s", {"span": _span(due.longer_than_seconds or 0)})
    return Said(COMING[due.action], {"queue": due.queue or "", "when": when})


def _span(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))


async def _waits_for(
    pool: Pool, directory: Directory, queue: Queue, work: asyncpg.Record, language: str | None
) -> list[Said]:
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
    kind = Said(PREFERRED[work["preferred_as"]])
    values: dict[str, str | int | Said | Sequence[Said]] = {
        "names": ", ".join(names),
        "time": f"{until:%H:%M:%S}",
        "kind": kind,
    }
    return [Said("It waits for %(names)s until %(time)s (%(kind)s).", values)]


async def _asked(pool: Pool, queue: Queue, waited: timedelta, language: str | None) -> list[Said]:
    """What it asks for at this moment, when it will ask for less, and what those who are free lack."""
    asked = asked_after(Asked(queue.needs, queue.language), queue.steps, waited)
    needs = asked.of_work_in(language)
    if needs == NOTHING:
        return []
    parts = [in_words(asked.needs)] if asked.needs else []
    if asked.language and language is not None:
        parts.append(in_words({f"{LANGUAGE}{language}": asked.language}))
    later = next((step.after for step in queue.steps if step.after > waited), None)
    values = {"needs": " and ".join(parts)}
    said = [Said("It asks for %(needs)s.", values)]
    if later is not None:
        values["span"] = format_duration(later)
        said = [Said("It asks for %(needs)s, until it has waited %(span)s.", values)]
    free = [(row["name"], missing(row["skills"], needs)) for row in await pool.fetch(SQL.free, queue.id)]
    return said + [
        Said("%(name)s is free and lacks %(lacks)s.", {"name": name, "lacks": lacks}) for name, lacks in free if lacks
    ]
