"""The demo company without a database, and a small year of it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callcenter.demo.history import History, Size
from callcenter.domain.agent import Role
from callcenter.domain.hours import Hours
from callcenter.domain.interaction import WrapUpMode
from callcenter.domain.organisation_keys import SurveyTable
from callcenter.store.bulk import COLUMNS, Batch
from callcenter.store.directory import Queue, User

FILE = Path(__file__).resolve().parents[2] / "config" / "demo.org.toml"
UNTIL = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Company:
    users: Mapping[int, User]
    queues: Mapping[int, Queue]
    timezone: str


def read_company() -> Company:
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    users = {n: _user(n, table) for n, table in enumerate(data["users"], start=1)}
    by_name = {user.name: user.id for user in users.values()}
    hours = {table["name"]: _hours(table) for table in data["hours"]}
    queues = {n: _queue(n, table, by_name, hours) for n, table in enumerate(data["queues"], start=1)}
    return Company(users, queues, data["organisation"]["timezone"])


def _user(ident: int, table: Mapping[str, Any]) -> User:
    return User(
        id=ident, name=table["name"], full_name=table["full_name"], role=Role(table["role"]), language=None,
        manager=None, endpoint=table.get("endpoint"), capacity={},
        skills=table.get("skills", {}) | {f"lang:{code}": level for code, level in table.get("languages", {}).items()},
        demo=True, active=True,
    )  # fmt: skip


def _hours(table: Mapping[str, Any]) -> Hours:
    return Hours.parse(timezone=table["timezone"], weekly=table["weekly"], holidays=table.get("holidays"))


def _queue(ident: int, table: Mapping[str, Any], users: Mapping[str, int], hours: Mapping[str, Hours]) -> Queue:
    wrap_up = table["wrap_up"]
    names = [member if isinstance(member, str) else member["agent"] for member in table["members"]]
    return Queue(
        id=ident, name=table["name"], is_default=table.get("default", False), numbers=table["numbers"],
        members=frozenset(users[name] for name in names), ring_timeout=_seconds(table["ring_timeout"]),
        service_level_target=0.8, service_level_within=_seconds("20s"), wrap_up_mode=WrapUpMode(wrap_up["mode"]),
        wrap_up_limit=_seconds(wrap_up["limit"]) if "limit" in wrap_up else None, dispositions=wrap_up["dispositions"],
        tiers={}, greeting=None, closed_announcement=None, announce=None, survey=SurveyTable(**table["survey"]).rules(),
        strategy="longest_idle", needs={}, steps=(), active=True,
        language=0, default_language=None, prefer=None, prefer_for=timedelta(),
        hours=hours[table["hours"]] if "hours" in table else None,
    )  # fmt: skip


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=int(text.removesuffix("s")))


def tell(company: Company, *, seed: int = 7, customers: int = 150, interactions: int = 1500) -> Batch:
    size = Size(customers, interactions)
    return History(
        users=company.users, queues=company.queues, timezone=company.timezone, until=UNTIL, seed=seed, size=size
    ).tell()


def records(batch: Batch, table: str) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS[table], row, strict=True)) for row in batch.rows[table]]


@pytest.fixture(scope="session")
def company() -> Company:
    return read_company()


@pytest.fixture(scope="session")
def year(company: Company) -> Batch:
    """150 customers, about 1,500 contacts."""
    return tell(company)
