"""Why somebody was asked, and what became of it, of offers that are past or go on."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg

from callcenter.domain.duration import format_duration
from callcenter.domain.interaction import ReservationState
from callcenter.store.directory import User
from callcenter.store.pool import Pool
from callcenter.web.interactions import SQL
from callcenter.web.left_out import LEFT_OUT
from callcenter.web.said import Said, counted
from callcenter.web.why import PREFERRED

# Why the router chose somebody among those who might have taken it.
CHOSEN = {
    "longest_idle": "%(name)s had been idle longest.",
    "fewest": "%(name)s had had the fewest contacts today.",
    "round_robin": "%(name)s had waited longest for a turn.",
    "best_skill": "%(name)s knows best what is asked for.",
    "weighted": "%(name)s came first by idle time and skills together.",
}
OLDER = "A service contract made it look %(span)s older."
# What became of an offer that was not taken.
CAME = {
    ReservationState.REJECTED: "%(name)s declined.",
    ReservationState.TIMED_OUT: "%(name)s did not answer.",
    ReservationState.FAILED: "%(name)s could not be reached.",
    ReservationState.CANCELLED: "The offer to %(name)s was taken back.",
}


def chosen_because(decision: Mapping[str, Any]) -> Said | None:
    """None for a reason that is no choice of the router's."""
    agent, reason = decision["agent"], decision["reason"]
    if (kind := PREFERRED.get(decision.get("preferred", ""))) is not None:
        return Said("%(name)s was preferred: %(kind)s.", {"name": agent, "kind": Said(kind)})
    if reason == "assigned":
        if "by" in decision:
            return Said("%(by)s chose %(name)s.", {"by": decision["by"], "name": agent})
        return Said("A supervisor chose %(name)s.", {"name": agent})
    if reason == "transfer" and "by" in decision:
        return Said("%(by)s transferred it to %(name)s.", {"by": decision["by"], "name": agent})
    return Said(CHOSEN[reason], {"name": agent}) if reason in CHOSEN else None


async def offers_because(pool: Pool, users: Mapping[int, User], interaction: int) -> list[list[Said]]:
    """The latest offers of an interaction, the first one first, each in its sentences."""
    rows = await pool.fetch(SQL.decisions, interaction)
    return [said for row in reversed(rows) if (said := _offer(row, users))]


def _offer(row: asyncpg.Record, users: Mapping[int, User]) -> list[Said]:
    decision = {"agent": row["agent"], "reason": row["reason"], **(row["decision"] or {})}
    said = [] if (because := chosen_because(decision)) is None else [because]
    others = [
        users[each["agent"]].name
        for each in decision.get("candidates", ())
        if each["agent"] in users and each["agent"] != row["agent_id"]
    ]
    if (older := decision.get("contract")) is not None:
        said.append(Said(OLDER, {"span": format_duration(timedelta(seconds=older))}))
    if others:
        said.append(Said("It might have been %(names)s.", {"names": ", ".join(others)}))
    if excluded := decision.get("excluded"):
        said.append(Said("Left out: %(parts)s.", {"parts": counted(excluded, LEFT_OUT)}))
    if (came := CAME.get(row["state"])) is not None:
        said.append(Said(came, {"name": row["agent"]}))
    return said
