"""Who works here, when it is open and which queues there are, as an organisation file says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from callcenter.domain.agent import IdleOrder, Role
from callcenter.domain.announce import Announce
from callcenter.domain.callback import CallbackRules
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY
from callcenter.domain.contract import Quota, Renewal, Visits
from callcenter.domain.form import FormEntry
from callcenter.domain.interaction import WrapUpMode
from callcenter.domain.letter_text import LetterEntry
from callcenter.domain.mail_rules import MailRules
from callcenter.domain.needs import Written
from callcenter.domain.notice import Way
from callcenter.domain.order import PROFICIENCY_WEIGHT, Step
from callcenter.domain.overflow import Overflow
from callcenter.domain.sla import ClockName
from callcenter.domain.survey import SurveyRules
from callcenter.domain.ticket import TicketState
from callcenter.domain.ticket_rules import TicketRules
from callcenter.domain.value import ValueRules
from callcenter.domain.web_form import Portal, WebForm

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
    idle_order: IdleOrder = IdleOrder.LAST_CONTACT


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEntry:
    """`skills` has the languages that they speak too, as `lang:zh`.

    `capacity`: of the channels where it is another than the organisation's. `password` is what the file gives, or the
    environment; None leaves the one there is. `phone`: what the PBX calls for a notice, where it is another than
    `endpoint`; `notify`: how notices go to them besides the console; `hours`: when they may be disturbed.
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
    email: str | None = None
    phone: str | None = None
    notify: tuple[Way, ...] = ()
    hours: str | None = None
    signature: str | None = None
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
    offers_tickets: bool = False
    offers_tasks: bool = False
    prefer: str | None = None
    prefer_for: timedelta = timedelta(seconds=20)
    prefer_within: timedelta = timedelta(days=30)
    strategy: str = "longest_idle"
    proficiency_weight: timedelta = PROFICIENCY_WEIGHT
    service_level: ServiceLevel = ServiceLevel()
    ring_timeout: timedelta = timedelta(seconds=15)
    wrap_up: WrapUp = WrapUp()
    tiers: Mapping[str, timedelta] = field(default_factory=dict)
    overflow: tuple[Overflow, ...] = ()
    greeting: str | None = None
    closed_announcement: str | None = None
    announce: Announce | None = None
    survey: SurveyRules | None = None
    signature: str | None = None


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
class WebhookEntry:
    """Another system that hears of `events`. `secret` None leaves the one there is."""

    name: str
    url: str
    events: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """A trigger, automation, macro or checklist; `body` as the file has it, without what has its default."""

    name: str
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractKind:
    """What customers with such a contract are entitled to. Empty queues or categories: all; products are for people.

    `age_shift`: how much older their waiting work looks to the router.
    """

    name: str
    title: str
    hours: str | None = None
    quota: Quota | None = None
    visits: Visits | None = None
    renewal: Renewal | None = None
    queues: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    age_shift: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxEntry:
    """An address that customers write to; `closed`: a reply to a closed ticket reopens it, or opens a `new` one.

    `new_after`: so does a reply to one that has been closed for longer. `closing_note`: resolved tickets are told of.
    """

    name: str  # the address
    queue: str
    language: str | None = None
    closed: str = "reopen"
    acknowledge: bool = True
    new_after: timedelta | None = None
    closing_note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetEntry:
    """A chat on the pages of `sites`. `greeting`: by language, * for all; `secret` None leaves the one there is."""

    name: str  # the key in the script tag
    queue: str
    sites: tuple[str, ...]
    languages: tuple[str, ...] = ()
    greeting: Mapping[str, str] = field(default_factory=dict)
    ask: tuple[str, ...] = ()
    form: str | None = None
    callback: bool = False
    secret: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedEntry:
    """A prepared answer; `texts` by language, "" for all. `queue` None: in all of them."""

    name: str
    texts: Mapping[str, str]
    queue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaxGatewayEntry:
    """Who sends faxes on by mail: an address, or a domain with its @. `header`: has the caller's number."""

    name: str  # the sender
    queue: str | None = None
    header: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEntry:
    """A system through which customers write; `body` as the file has it, without what has its default. `secrets` that
    are missing stay as they are."""

    name: str
    queue: str
    body: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """`general`, `tickets`, `value`, `mail`, `portal` and `callbacks` None: the file says nothing about them."""

    general: General | None = None
    users: tuple[UserEntry, ...] = ()
    hours: tuple[HoursEntry, ...] = ()
    queues: tuple[QueueEntry, ...] = ()
    policies: tuple[PolicyEntry, ...] = ()
    webhooks: tuple[WebhookEntry, ...] = ()
    tickets: TicketRules | None = None
    triggers: tuple[RuleEntry, ...] = ()
    automations: tuple[RuleEntry, ...] = ()
    macros: tuple[RuleEntry, ...] = ()
    checklists: tuple[RuleEntry, ...] = ()
    forms: tuple[FormEntry, ...] = ()
    contracts: tuple[ContractKind, ...] = ()
    value: ValueRules | None = None
    callbacks: CallbackRules | None = None
    mailboxes: tuple[MailboxEntry, ...] = ()
    letters: tuple[LetterEntry, ...] = ()
    mail: MailRules | None = None
    widgets: tuple[WidgetEntry, ...] = ()
    canned_answers: tuple[CannedEntry, ...] = ()
    web_forms: tuple[WebForm, ...] = ()
    portal: Portal | None = None
    gateways: tuple[GatewayEntry, ...] = ()
    fax_gateways: tuple[FaxGatewayEntry, ...] = ()
