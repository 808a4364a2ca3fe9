"""A time's interactions as CSV, a page at a time, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from callcenter.domain.agent import Role
from callcenter.errors import Invalid
from callcenter.store.pool import Pool
from callcenter.web.auth import identity
from callcenter.web.body import STRICT, read_query
from callcenter.web.interactions import SQL
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.openapi import operation

COLUMNS = (
    "id", "channel", "direction", "state", "outcome", "external_id", "customer", "customer_name", "queue", "agent",
    "ticket", "address", "arrived_at", "queued_at", "answered_at", "ended_at", "closed_at", "disposition", "note",
)  # fmt: skip
_PAGE = 1000
_LONGEST = timedelta(days=366)
_LATEST_YEAR = 9990
# Spreadsheets take these beginnings for a formula; a plain number is none.
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?\d+$")

Moment = Annotated[str, Field(max_length=40)]


@dataclass(frozen=True, slots=True)
class Span:
    """Days of the organisation (2026-03-10) or moments (RFC 3339); `to` is not part of it. Without: today."""

    __pydantic_config__ = STRICT
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None


def cell(value: Any) -> str:
    """As text that no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.match(text) else text


def _moment(text: str, field: str, zone: ZoneInfo) -> datetime:
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise Invalid(f"{text!r} is neither a day (2026-03-10) nor a moment (RFC 3339).", field=field) from None
    if moment.tzinfo is None:
        raise Invalid("A moment needs its offset from UTC, or Z.", field=field)
    return moment


def read_span(query: Span, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """Its beginning and end. Raises Invalid."""
    today = now.astimezone(zone).date().isoformat()
    begin = _moment(query.from_ or today, "from", zone)
    if begin.year > _LATEST_YEAR:
        raise Invalid("The time is too far ahead.", field="from")
    end = begin + timedelta(days=1) if query.to is None else _moment(query.to, "to", zone)
    if not begin < end:
        raise Invalid("The time ends before it begins.", field="to")
    if end - begin > _LONGEST:
        raise Invalid("At most a year at once.", field="to")
    return begin, end


async def _pages(pool: Pool, begin: datetime, end: datetime) -> AsyncIterator[list[list[str]]]:
    ends = await pool.fetchrow(SQL.day, begin, end)
    assert ends is not None
    if ends["first"] is None:
        return
    after = ends["first"] - 1
    while after < ends["last"]:
        rows = await pool.fetch(SQL.export, begin, end, after, ends["last"], _PAGE)
        if not rows:
            return
        after = rows[-1]["id"]
        yield [[cell(row[column]) for column in COLUMNS] for row in rows]


def _text(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


@operation(
    "GET", "/interactions.csv", summary="Interactions that arrived in a time, as CSV", tag="interactions",
    role=Role.SUPERVISOR, query=Span, answer=str, answer_type="text/csv",
)  # fmt: skip
async def get_csv(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Span)
    now = request.app[CLOCK]()
    begin, end = read_span(query, ZoneInfo(request.app[DIRECTORY].organisation.timezone), now)
    async with request.app[LOG].transaction() as tx:
        data = {"from": begin.isoformat(), "to": end.isoformat()}
        await tx.append("interactions.exported", actor=identity(request).user_id, data=data, now=now)
    name = f"interactions-{begin:%Y%m%d}.csv"
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8; header=present",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
    )
    await response.prepare(request)
    await response.write(_text([list(COLUMNS)]))
    async for page in _pages(request.app[POOL], begin, end):
        await response.write(_text(page))
    await response.write_eof()
    return response


def routes() -> list[web.RouteDef]:
    return [get_csv.route()]
