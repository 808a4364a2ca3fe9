"""Why nobody has it yet, in sentences that a reader's language can replace."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from callcenter.domain.agent import on_shift
from callcenter.domain.duration import format_duration
from callcenter.domain.eligible import Asking, Colleague
from callcenter.domain.interaction import Channel, State
from callcenter.domain.needs import LANGUAGE, NOTHING, Needs, fulfils, in_words, spoken
from callcenter.domain.order import Asked, asked_after
from callcenter.domain.overflow import Treatment
from callcenter.ports import Due, Wait
from callcenter.store.directory import Directory, Queue
from callcenter.store.pool import Pool
from callcenter.web.interactions import SQL
from callcenter.web.left_out import left_out
from callcenter.web.said import Said, counted

# What a preferred agent is to the customer.
PREFERRED = {"last_agent": "last agent", "owner": "account owner", "named": "named on arrival"}


async def waiting_because(
    pool: Pool, directory: Directory, row: asyncpg.Record, wait: Wait | None, *, require_console: bool, now: datetime
) -> list[Said]:
    """Nothing when somebody has it, or nobody will. `row`: how it stands (callcenter.web.interactions).

    `require_console`: whether only those are asked who have a console open.
    """
    match row["state"]:
        case State.NEW:
            return [Said("It is not in a queue yet.")]
        case State.OFFERED:
            return [Said("It is offered to an agent, who has not answered yet.")]
        case State.QUEUED:
            queue = directory.queue(row["queue_id"])
            said = await _in_queue(pool, directory, queue, row["id"], require_console=require_console, now=now)
            return said if wait is None else [_place(wait), *said, *_outlook(wait)]
        case _:
            return []


def _place(wait: Wait) -> Said:
    ahead = wait.position - 1
    return Said("%(num)d wait in front of it.", {"num": ahead}) if ahead else Said("It is the first in line.")


async def _in_queue(
    pool: Pool, directory: Directory, queue: Queue, ident: int, *, require_console: bool, now: datetime
) -> list[Said]:
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
    needs = _needs(queue, waited, language)
    said += _asked(queue, needs[0], waited, language)
    interrupted_by = await pool.fetchval(SQL.interrupted_by)
    asking = Asking(
        channel=work["channel"],
        queued_at=work["queued_at"],
        needs=needs,
        interrupted_by=interrupted_by,
        require_console=require_console,
    )
    zone = ZoneInfo(directory.organisation.timezone)
    agents = [_colleague(row) for row in await pool.fetch(SQL.colleagues, queue.id)]
    said += left_out(agents, asking, now, at=lambda moment: f"{moment.astimezone(zone):%H:%M:%S}")
    doing = {row["doing"]: row["count"] for row in await pool.fetch(SQL.members, queue.id)}
    said.append(
        Said("The queue's agents: %(parts)s.", {"parts": counted(doing, {})})
        if doing
        else Said("The queue has no agents.")
    )
    return said


def _colleague(row: asyncpg.Record) -> Colleague:
    capacity = {**row["capacity"], Channel.PHONE.value: 0} if row["phoneless"] else row["capacity"]
    return Colleague(**{**row, "capacity": capacity})


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


def _needs(queue: Queue, waited: timedelta, language: str | None) -> list[Needs]:
    """What it asks for at this moment, and after each step to come."""
    moments = (waited, *(step.after for step in queue.steps if step.after > waited))
    asked = (asked_after(Asked(queue.needs, queue.language), queue.steps, moment) for moment in moments)
    return [each.of_work_in(language) for each in asked]


def _asked(queue: Queue, needs: Needs, waited: timedelta, language: str | None) -> list[Said]:
    """What it asks for at this moment, and when it will ask for less."""
    if needs == NOTHING:
        return []
    asked = asked_after(Asked(queue.needs, queue.language), queue.steps, waited)
    parts = [in_words(asked.needs)] if asked.needs else []
    if asked.language and language is not None:
        parts.append(in_words({f"{LANGUAGE}{language}": asked.language}))
    later = next((step.after for step in queue.steps if step.after > waited), None)
    values = {"needs": " and ".join(parts)}
    if later is None:
        return [Said("It asks for %(needs)s.", values)]
    values["span"] = format_duration(later)
    return [Said("It asks for %(needs)s, until it has waited %(span)s.", values)]
