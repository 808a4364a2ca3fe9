"""The keys of an organisation file, and what may stand in each."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import available_timezones

import phonenumbers
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    model_validator,
)
from pydantic_core import core_schema

from callcenter.domain.agent import IdleOrder, Role
from callcenter.domain.capacity import MOST
from callcenter.domain.duration import parse_duration
from callcenter.domain.hours import Hours, parse_intervals
from callcenter.domain.interaction import Channel, WrapUpMode
from callcenter.domain.letter_text import check_signature
from callcenter.domain.needs import LEVELS, Written, more_than, understand
from callcenter.domain.notice import Way
from callcenter.domain.order import PROFICIENCY_WEIGHT, Asked, Step, Strategy, asked_after
from callcenter.domain.organisation import DEFAULT_HANDLING
from callcenter.domain.overflow import Treatment
from callcenter.domain.survey import THANKS, TRY_AGAIN, Question, SurveyRules, Via
from callcenter.errors import Invalid

T = TypeVar("T")


def in_words(rule: Callable[[Any], T]) -> Callable[[Any], T]:
    """A rule of the domain as a validator: its words become the complaint."""

    def check(value: Any) -> T:
        try:
            return rule(value)
        except Invalid as error:
            raise ValueError(str(error).rstrip(".")) from None

    return check


def _refused(rule: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The same for a rule that is wrapped around another."""

    def check(value: Any, inner: Any) -> Any:
        return in_words(lambda given: rule(given, inner))(value)

    return check


def _duration(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise Invalid('expected a duration in quotes, like "20s"')
    return parse_duration(value)


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta():
        raise Invalid("expected a duration above zero")
    return value


def _seldom(value: timedelta) -> timedelta:
    """An announcement takes up to ten seconds, and music is to be heard between two."""
    if value < timedelta(seconds=15):
        raise Invalid("expected at least 15s from one announcement to the next")
    return value


# Looks through the machine's folders each time, which takes 45 ms.
_zones = cache(available_timezones)


def _zone(value: Any) -> str:
    if value not in _zones():
        raise Invalid(f"expected a time zone like Asia/Shanghai, not {value!r}")
    return str(value)


def _region(value: Any) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid(f"expected a country code like CN, not {value!r}")
    return str(value)


def _day(value: Any) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid(f"expected a date like 2026-12-31, not {value!r}") from None


def _others(value: dict[Channel, tuple[Channel, ...]]) -> dict[Channel, tuple[Channel, ...]]:
    for channel, others in value.items():
        if channel in others:
            raise Invalid(f"{channel} cannot interrupt itself; how many fit beside each other is its capacity")
    return value


def _intervals(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Invalid('expected a list of intervals like ["09:00-12:00", "13:30-18:00"]')
    parse_intervals(value)
    return tuple(value)


def _needs(value: Any, as_table: Callable[[Any], Any]) -> Any:
    if isinstance(value, str):
        understand(value)
        return value
    if not isinstance(value, dict):
        raise Invalid('expected { skill = level, … }, or an expression like "billing >= 2 or sales >= 4"')
    return as_table(value)


def _tongue(value: Any) -> str:
    """A customer's `zh_TW` and an agent's `zh` are one language."""
    if not isinstance(value, str) or not re.fullmatch("[a-z]{2,8}", value):
        raise Invalid(f"expected a language like zh, without country, not {value!r}")
    return value


def _level(value: Any) -> int:
    """How well a language is to be spoken: true is level 1, false not at all."""
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, int) or value not in LEVELS:
        raise Invalid("expected true, false or a level from 1 to 5")
    return value


Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$")]
# An endpoint goes into Asterisk's Dial: no separator of its arguments may be in it.
Endpoint = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+/[A-Za-z0-9_.@+-]{1,80}$")]
Duration = Annotated[timedelta, BeforeValidator(in_words(_duration))]
Signature = Annotated[str, AfterValidator(in_words(check_signature))]
Positive = Annotated[timedelta, BeforeValidator(in_words(lambda value: _positive(_duration(value))))]
Repeat = Annotated[timedelta, BeforeValidator(in_words(lambda value: _seldom(_duration(value))))]
Zone = Annotated[str, BeforeValidator(in_words(_zone))]
Region = Annotated[str, BeforeValidator(in_words(_region))]
Day = Annotated[date, BeforeValidator(in_words(_day))]
Intervals = Annotated[tuple[str, ...], BeforeValidator(in_words(_intervals))]
Level = Annotated[int, Field(ge=1, le=5, strict=True)]
Skills = dict[Slug, Level]
# An expression, or a table: two forms that need no words about which of them was meant.
Needs = Annotated[
    Written,
    GetPydanticSchema(lambda _, schema: core_schema.no_info_wrap_validator_function(_refused(_needs), schema(Skills))),
]
Tongue = Annotated[str, BeforeValidator(in_words(_tongue))]
Spoken = Annotated[int, BeforeValidator(in_words(_level))]
Capacity = dict[Channel, Annotated[int, Field(ge=0, le=MOST, strict=True)]]
Interruptions = Annotated[dict[Channel, tuple[Channel, ...]], AfterValidator(in_words(_others))]
# Dialplan applications take a comma as the next argument.
Prompt = Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,200}$")]
Disposition = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,60}$")]


# Servers with SMTPUTF8 are few: plain ASCII on both sides.
Email = Annotated[
    str, Field(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class GeneralTable(Table):
    name: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    region: Region = "CN"
    timezone: Zone = "UTC"
    languages: tuple[Literal["en", "zh_CN", "zh_TW"], ...] = ("en",)
    capacity: Capacity = {}
    interrupted_by: Interruptions = {}
    default_handling: Positive = DEFAULT_HANDLING
    idle_order: IdleOrder = IdleOrder.LAST_CONTACT


class UserTable(Table):
    name: Slug
    full_name: Line
    role: Role
    password: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    password_env: str | None = None
    endpoint: Endpoint | None = None
    manager: str | None = None
    language: Literal["en", "zh_CN", "zh_TW"] | None = None
    skills: Skills = {}
    languages: dict[Tongue, Level] = {}
    capacity: Capacity = {}
    demo: bool = False
    email: Email | None = None
    phone: Endpoint | None = None
    notify: tuple[Way, ...] = ()
    hours: str | None = None
    signature: Signature | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> "UserTable":
        if Way.EMAIL in self.notify and self.email is None:
            raise ValueError("notify has email, and there is no email to write to")
        if Way.PHONE in self.notify and self.phone is None and self.endpoint is None:
            raise ValueError("notify has phone, and there is neither phone nor endpoint to call")
        return self

    @model_validator(mode="after")
    def _one_password(self) -> "UserTable":
        if self.password is not None and self.password_env is not None:
            raise ValueError("password and password_env exclude each other")
        return self


class HoursTable(Table):
    name: Slug
    timezone: Zone
    weekly: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Intervals] = {}
    holidays: str | None = None
    closed: tuple[Day, ...] = ()
    open: dict[str, Intervals] = {}

    @model_validator(mode="after")
    def _is_a_calendar(self) -> "HoursTable":
        try:
            Hours.parse(
                timezone=self.timezone,
                weekly=dict(self.weekly.items()),
                holidays=self.holidays,
                closed=self.closed,
                opened=self.open,
            )
        except Invalid as error:
            raise ValueError(str(error).rstrip(".")) from None
        return self


class MemberTable(Table):
    agent: str
    delay: Duration = timedelta()
    age_shift: Duration = timedelta()


class StepTable(Table):
    """What is left out stays as it was."""

    after: Positive
    needs: Needs | None = None
    language: Spoken | None = None

    def step(self) -> Step:
        return Step(self.after, self.needs, self.language)


class ServiceLevelTable(Table):
    target: Annotated[float, Field(gt=0, le=1)] = 0.8
    within: Positive = timedelta(seconds=20)


class WrapUpTable(Table):
    mode: WrapUpMode = WrapUpMode.OPTIONAL
    limit: Positive | None = None
    dispositions: tuple[Disposition, ...] = ()

    @model_validator(mode="after")
    def _boxed(self) -> "WrapUpTable":
        if self.mode in (WrapUpMode.TIME_BOXED, WrapUpMode.TIME_BOXED_FIXED) and self.limit is None:
            raise ValueError(f"{self.mode} needs a limit")
        return self


class OverflowTable(Table):
    after: Positive | None = None
    expected: Positive | None = None
    to: str | None = None
    lend: str | None = None
    treatment: Treatment | None = None

    @model_validator(mode="after")
    def _says_when_and_what(self) -> "OverflowTable":
        if (self.after is None) == (self.expected is None):
            raise ValueError("a rule says when by either after or expected")
        if [self.to, self.lend, self.treatment].count(None) != 2:
            raise ValueError("a rule says what by one of to, lend and treatment")
        return self


class AnnounceTable(Table):
    position: bool = False
    wait: bool = False
    every: Repeat | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "AnnounceTable":
        if not (self.position or self.wait):
            raise ValueError("an announcement says position, wait or both")
        return self


def _listed(value: Any) -> Any:
    """One way to ask may stand without its brackets."""
    return [value] if isinstance(value, str) else value


class SurveyTable(Table):
    ask: Question
    bad: Annotated[int, Field(strict=True)] | None = None
    delay: Duration = timedelta(minutes=10)
    not_again: Positive = timedelta(days=30)
    valid: Positive = timedelta(days=14)
    change_within: Duration = timedelta(hours=24)
    by: Annotated[tuple[Literal[Via.MAIL, Via.KEYPAD], ...], BeforeValidator(_listed)] = (Via.MAIL,)
    prompt: Prompt | None = None
    again: Prompt = TRY_AGAIN
    thanks: Prompt = THANKS
    form: str | None = None

    @model_validator(mode="after")
    def _can_be_answered(self) -> "SurveyTable":
        in_words(lambda table: table.rules())(self)
        return self

    def rules(self) -> SurveyRules:
        return SurveyRules.checked(**self.model_dump())


class QueueTable(Table):
    name: Slug
    numbers: tuple[Annotated[str, Field(pattern=r"^[+*#0-9A-Za-z_.-]{1,40}$")], ...] = ()
    default: bool = False
    hours: str | None = None
    members: tuple[MemberTable, ...] = ()
    needs: Needs = {}
    steps: tuple[StepTable, ...] = ()
    language: Spoken = 0
    default_language: Tongue | None = None
    offers_tickets: bool = False
    offers_tasks: bool = False
    prefer: Literal["last_agent", "owner", "named"] | None = None
    prefer_for: Positive = timedelta(seconds=20)
    prefer_within: Positive = timedelta(days=30)
    strategy: Strategy = "longest_idle"
    proficiency_weight: Positive = PROFICIENCY_WEIGHT
    service_level: ServiceLevelTable = ServiceLevelTable()
    ring_timeout: Positive = timedelta(seconds=15)
    wrap_up: WrapUpTable = WrapUpTable()
    tiers: dict[Slug, Duration] = {}
    overflow: tuple[OverflowTable, ...] = ()
    greeting: Prompt | None = None
    closed_announcement: Prompt | None = None
    announce: AnnounceTable | None = None
    survey: SurveyTable | None = None
    signature: Signature | None = None

    @model_validator(mode="after")
    def _relaxes(self) -> "QueueTable":
        after, asked = timedelta(), Asked(self.needs, self.language)
        for number, step in enumerate(self.steps, 1):
            if step.after <= after:
                raise ValueError(f"step {number} comes after {step.after}, not later than the one before it")
            then = asked_after(asked, [step.step()], step.after)
            more = more_than(understand(asked.needs), understand(then.needs))
            if not more and then.language > asked.language:
                more = f"language {then.language}"
            if more:
                raise ValueError(f"step {number} asks for {more}, more than before it: steps only relax")
            after, asked = step.after, then
        return self
