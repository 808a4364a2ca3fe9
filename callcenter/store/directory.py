"""Who works here and which queues there are: kept in memory, loaded again when the organisation changes."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg

from callcenter.domain.agent import Role
from callcenter.domain.announce import Announce, read_announce
from callcenter.domain.callback import CallbackRules, read_callbacks
from callcenter.domain.events import Event
from callcenter.domain.hours import Hours
from callcenter.domain.interaction import WrapUpMode
from callcenter.domain.needs import Written
from callcenter.domain.notice import Way
from callcenter.domain.order import Step, read_step
from callcenter.domain.organisation import DEFAULT_HANDLING
from callcenter.domain.phone import parse_number
from callcenter.domain.survey import SurveyRules
from callcenter.domain.ticket_rules import TicketRules, read_rules
from callcenter.errors import NotFound
from callcenter.store import rules
from callcenter.store.organisation import survey_of
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.store.rules import Rulebook

_SQL = Queries(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    full_name: str
    role: Role
    language: str | None
    manager: int | None
    endpoint: str | None
    skills: Mapping[str, int]
    capacity: Mapping[str, int]
    demo: bool
    active: bool
    email: str | None = None
    phone: str | None = None
    notify: tuple[Way, ...] = ()
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    id: int
    name: str
    is_default: bool
    numbers: Sequence[str]
    members: frozenset[int]
    ring_timeout: timedelta
    service_level_target: float
    service_level_within: timedelta
    wrap_up_mode: WrapUpMode
    wrap_up_limit: timedelta | None
    dispositions: Sequence[str]
    tiers: Mapping[str, str]
    greeting: str | None
    closed_announcement: str | None
    announce: Announce | None
    strategy: str
    needs: Written
    steps: Sequence[Step]
    language: int
    default_language: str | None
    prefer: str | None
    prefer_for: timedelta
    survey: SurveyRules | None
    active: bool
    hours: Hours | None
    offers_tickets: bool = False
    offers_tasks: bool = False


@dataclass(frozen=True, slots=True)
class Organisation:
    name: str
    region: str
    timezone: str
    languages: Sequence[str]
    default_handling: timedelta = DEFAULT_HANDLING


class Directory:
    """Look-ups by id and by name; `load` replaces all of it at once.

    `able`: the ways in which notices leave this house, besides the console.
    """

    def __init__(self, pool: Pool, *, able: Collection[Way] = tuple(Way)) -> None:
        self._pool = pool
        self.able = able
        self.organisation = Organisation("", "CN", "UTC", ("en",))
        self.ticket_rules = TicketRules()
        self.callback_rules = CallbackRules()
        self.users: Mapping[int, User] = {}
        self.queues: Mapping[int, Queue] = {}
        self.rules = Rulebook()
        self._users_by_name: dict[str, User] = {}
        self._users_by_endpoint: dict[str, User] = {}
        self._queues_by_name: dict[str, Queue] = {}
        self._queues_by_number: dict[str, Queue] = {}
        self._default: Queue | None = None
        self._changes = 1
        self._loaded = 0
        self._loading = asyncio.Lock()

    def note(self, events: Sequence[Event]) -> None:
        """A subscriber of the feed: whoever runs `load_when_stale` will load again."""
        if any(event.noun == "organisation" for event in events):
            self._changes += 1

    @property
    def stale(self) -> bool:
        """Whether something changed since the last load began."""
        return self._loaded != self._changes

    async def load(self) -> None:
        # One after the other: what was read first must not come last.
        async with self._loading:
            await self._load()

    async def _load(self) -> None:
        changes = self._changes  # what comes from now on makes it stale again
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            organisation = await connection.fetchrow(_SQL.organisation)
            users = await connection.fetch(_SQL.users)
            queues = await connection.fetch(_SQL.queues)
            book = await rules.load(connection)
        assert organisation is not None
        self._loaded = changes
        *facts, ticket_rules, callbacks = organisation
        self.organisation = Organisation(*facts)
        self.ticket_rules = read_rules(ticket_rules)
        self.callback_rules = read_callbacks(callbacks)
        self.users = {row["id"]: _user(row) for row in users}
        self.queues = {row["id"]: _queue(row) for row in queues}
        self.rules = book
        active = [user for user in self.users.values() if user.active]
        self._users_by_name = {user.name: user for user in self.users.values()}
        self._users_by_endpoint = {user.endpoint: user for user in active if user.endpoint}
        self._queues_by_name = {queue.name: queue for queue in self.queues.values()}
        self._queues_by_number = {}
        self._default = None
        for queue in self.queues.values():
            if not queue.active:
                continue
            if queue.is_default:
                self._default = queue
            for number in queue.numbers:
                self._queues_by_number[number] = queue
                self._queues_by_number[parse_number(number, self.organisation.region).value] = queue

    def user(self, ident: int) -> User:
        try:
            return self.users[ident]
        except KeyError:
            raise NotFound(f"There is no user {ident}.") from None

    def user_named(self, name: str) -> User:
        try:
            return self._users_by_name[name]
        except KeyError:
            raise NotFound(f"There is no user named {name}.") from None

    def user_at(self, endpoint: str) -> User | None:
        """Whose phone this is (PJSIP/1001)."""
        return self._users_by_endpoint.get(endpoint)

    def queue(self, ident: int) -> Queue:
        try:
            return self.queues[ident]
        except KeyError:
            raise NotFound(f"There is no queue {ident}.") from None

    def queue_named(self, name: str) -> Queue:
        try:
            return self._queues_by_name[name]
        except KeyError:
            raise NotFound(f"There is no queue named {name}.") from None

    def queue_for_number(self, called: str) -> Queue | None:
        """The queue of a called number, as it came or in E.164; else the default queue, if there is one."""
        found = self._queues_by_number.get(called)
        if found is None:
            found = self._queues_by_number.get(parse_number(called, self.organisation.region).value)
        return found or self._default


def _user(row: asyncpg.Record) -> User:
    return User(
        id=row["id"],
        name=row["name"],
        full_name=row["full_name"],
        role=Role(row["role"]),
        language=row["language"],
        manager=row["manager_id"],
        endpoint=row["endpoint"],
        skills=row["skills"],
        capacity=row["capacity"],
        demo=row["demo"],
        active=row["active"],
        email=row["email"],
        phone=row["phone"],
        notify=tuple(Way(way) for way in row["notify"]),
        hours=_hours(row),
    )


def _queue(row: asyncpg.Record) -> Queue:
    return Queue(
        id=row["id"],
        name=row["name"],
        is_default=row["is_default"],
        numbers=tuple(row["numbers"]),
        members=frozenset(row["members"]),
        ring_timeout=row["ring_timeout"],
        service_level_target=row["service_level_target"],
        service_level_within=row["service_level_within"],
        wrap_up_mode=WrapUpMode(row["wrap_up_mode"]),
        wrap_up_limit=row["wrap_up_limit"],
        dispositions=tuple(row["dispositions"]),
        tiers=row["tiers"],
        greeting=row["greeting"],
        closed_announcement=row["closed_announcement"],
        announce=read_announce(row["announce"]),
        strategy=row["strategy"],
        needs=row["needs"],
        steps=tuple(map(read_step, row["steps"])),
        language=row["language"],
        default_language=row["default_language"],
        prefer=row["prefer"],
        prefer_for=row["prefer_for"],
        survey=None if row["survey"] is None else survey_of(row["survey"]),
        active=row["active"],
        hours=_hours(row),
        offers_tickets=row["offers_tickets"],
        offers_tasks=row["offers_tasks"],
    )


def _hours(row: asyncpg.Record) -> Hours | None:
    if row["hours_name"] is None:
        return None
    return Hours.parse(
        timezone=row["hours_timezone"],
        weekly=row["weekly"],
        holidays=row["holidays"],
        closed=row["closed"],
        opened=row["open"],
    )


async def lacks_phone(pool: Pool, interaction: int, agent: int) -> bool:
    """Whether the interaction is a call, and the agent has nothing that could ring."""
    return bool(await pool.fetchval(_SQL.lacks_phone, interaction, agent))
