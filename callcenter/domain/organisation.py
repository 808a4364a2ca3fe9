"""Who works here, when it is open and which queues there are, as an organisation file says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from callcenter.domain.agent import Role
from callcenter.domain.announce import Announce
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY
from callcenter.domain.interaction import WrapUpMode
from callcenter.domain.needs import Written
from callcenter.domain.order import Step
from callcenter.domain.overflow import Overflow
from callcenter.domain.sla import ClockName
from callcenter.domain.survey import SurveyRules
from callcenter.domain.ticket import TicketState

CLOCKS = tuple(clock.value for clock in ClockName)
# The states in which a ticket's clocks stand still, unless its policy says otherwise.
PAUSES = (TicketState.PENDING.value,)

# What a contact is taken to need where none was handled in the last hour.
DEFAULT_HANDLING = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class General:
    """`capacity` and `interrupted_by` name every channel."""

    name: str
    region: str
    timezone: str
    languages: tuple[str, ...]
    capacity: Mapping[str, int] = field(default_factory=lambda: dict(CAPACITY))
    interrupted_by: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(INTERRUPTED_BY))
    default_handling: timedelta = DEFAULT_HANDLING


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEntry:
    """`skills` has the languages that they speak too, as `lang:zh`.

    `capacity`: of the channels where it is another than the organisation's. `password` is what the file gives, or the
    environment; None leaves the one there is.
    """

    name: str
    full_name: str
    role: Role
    endpoint: str | None = None
    manager: str | None = None
    language: str | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    capacity: Mapping[str, int] = field(default_factory=dict)
    demo: bool = False
    password: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursEntry:
    name: str
    timezone: str
    weekly: Mapping[str, tuple[str, ...]]
    holidays: str | None = None
    closed: tuple[date, ...] = ()
    open: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    agent: str
    delay: timedelta = timedelta()
    age_shift: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    target: float = 0.8
    within: timedelta = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUp:
    mode: WrapUpMode = WrapUpMode.OPTIONAL
    limit: timedelta | None = None
    dispositions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    name: str
    numbers: tuple[str, ...] = ()
    default: bool = False
    hours: str | None = None
    members: tuple[Member, ...] = ()
    needs: Written = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    language: int = 0
    default_language: str | None = None
    prefer: str | None = None
    prefer_for: timedelta = timedelta(seconds=20)
    prefer_within: timedelta = timedelta(days=30)
    strategy: str = "longest_idle"
    service_level: ServiceLevel = ServiceLevel()
    ring_timeout: timedelta = timedelta(seconds=15)
    wrap_up: WrapUp = WrapUp()
    tiers: Mapping[str, timedelta] = field(default_factory=dict)
    overflow: tuple[Overflow, ...] = ()
    greeting: str | None = None
    closed_announcement: str | None = None
    announce: Announce | None = None
    survey: SurveyRules | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEntry:
    """What tickets are promised. Targets by clock; `when` and `escalations` as the file has them.

    `pauses`: the states of a ticket in which no time is used up.
    """

    name: str
    when: Mapping[str, str] = field(default_factory=dict)
    hours: str | None = None
    pauses: tuple[str, ...] = PAUSES
    targets: Mapping[str, timedelta] = field(default_factory=dict)
    escalations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """`general` None: the file says nothing about it."""

    general: General | None = None
    users: tuple[UserEntry, ...] = ()
    hours: tuple[HoursEntry, ...] = ()
    queues: tuple[QueueEntry, ...] = ()
    policies: tuple[PolicyEntry, ...] = ()
