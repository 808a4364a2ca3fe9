"""The keys of an organisation file for kinds of contracts and for the value of customers."""

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from callcenter.domain.contract import Renewal, Visits, check_rule, parse_every, parse_quota
from callcenter.domain.duration import parse_duration
from callcenter.domain.organisation import ContractKind
from callcenter.domain.organisation_keys import Duration, Line, Positive, Slug, Table, in_words
from callcenter.domain.ticket import Priority
from callcenter.domain.value import Churn, Cuts, Method, ValueRules
from callcenter.errors import Invalid

# Whoever has no contract comes next after so long, whatever else comes in.
_LONGEST_SHIFT = timedelta(days=1)


def _quota(value: Any) -> Any:
    if not isinstance(value, dict):
        raise Invalid('expected a quota like { cases = 12, per = "year" }')
    parse_quota(value)
    return value


def _every(value: Any) -> str:
    parse_every(str(value))
    return str(value)


def _rule(value: Any) -> str:
    return check_rule(str(value))


def _ascending(value: Any) -> Any:
    if isinstance(value, list) and any(not later > earlier for earlier, later in pairwise(value)):
        raise Invalid("expected each mark to be above the one before it")
    return value


def _age_shift(value: Any) -> timedelta:
    shift = parse_duration(str(value))
    if not timedelta() < shift <= _LONGEST_SHIFT:
        raise Invalid(
            'expected a duration above zero and of at most a day, like "10m": longer, others would wait for days'
        )
    return shift


class VisitsTable(Table):
    every: Annotated[str, BeforeValidator(in_words(_every))] | None = None
    rule: Annotated[str, BeforeValidator(in_words(_rule))] | None = None
    ahead: Duration = timedelta(days=7)
    subject: Line
    queue: str | None = None
    category: Line | None = None
    priority: Priority = Priority.NORMAL

    @model_validator(mode="after")
    def _says_when(self) -> "VisitsTable":
        if (self.every is None) == (self.rule is None):
            raise ValueError("visits say when by either every or rule")
        if self.ahead < timedelta():
            raise ValueError("ahead lies before the visit: expected a duration from zero on")
        return self


class RenewalTable(Table):
    before: Positive
    subject: Line
    queue: str | None = None


class ContractTable(Table):
    name: Slug
    title: Line
    hours: str | None = None
    quota: Annotated[dict[str, int | str], BeforeValidator(in_words(_quota))] | None = None
    visits: VisitsTable | None = None
    renewal: RenewalTable | None = None
    queues: tuple[str, ...] = ()
    categories: tuple[Line, ...] = ()
    products: tuple[Line, ...] = ()
    age_shift: Annotated[timedelta, BeforeValidator(in_words(_age_shift))] | None = None

    def entry(self) -> ContractKind:
        return ContractKind(
            name=self.name,
            title=self.title,
            hours=self.hours,
            quota=parse_quota(self.quota),
            visits=None if self.visits is None else Visits(**self.visits.model_dump(mode="python")),
            renewal=None if self.renewal is None else Renewal(**self.renewal.model_dump()),
            queues=self.queues,
            categories=self.categories,
            products=self.products,
            age_shift=self.age_shift,
        )


Money = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Count = Annotated[int, Field(ge=0, strict=True)]
Marks = Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(max_length=4), BeforeValidator(in_words(_ascending))]


class ChurnTable(Table):
    within: Positive = timedelta(days=90)
    complaints: Count = 2
    categories: tuple[Line, ...] = ("complaint",)
    bad_scores: Count = 1
    fewer: Annotated[float, Field(ge=0, lt=1)] = 0.5
    least: Annotated[int, Field(ge=1, strict=True)] = 4
    signals: Count = 2


Rates = dict[Money, Annotated[float, Field(gt=0)]]
Tiers = dict[Slug, Annotated[int, Field(ge=3, le=15, strict=True)]]


class ValueTable(Table):
    currency: Money = "CNY"
    rates: Rates = Field(default_factory=dict)
    within: Positive = timedelta(days=365)
    method: Method = Method.THRESHOLDS
    recency: tuple[Positive, ...] = ()
    frequency: Marks = ()
    monetary: Marks = ()
    tiers: Tiers = Field(default_factory=dict)
    new_for: Positive = timedelta(days=60)
    active_within: Positive = timedelta(days=180)
    lapsed_after: Positive = timedelta(days=365)
    churn: ChurnTable = ChurnTable()

    @model_validator(mode="after")
    def _fits_together(self) -> "ValueTable":
        if self.lapsed_after <= self.active_within:
            raise ValueError("lapsed_after must be longer than active_within")
        if len(self.recency) > 4 or any(later <= earlier for earlier, later in pairwise(self.recency)):
            raise ValueError("recency: at most 4 durations, each longer than the one before it")
        if self.method is Method.QUANTILES and (self.recency or self.frequency or self.monetary):
            raise ValueError("by quantiles the marks are worked out: leave recency, frequency and monetary out")
        if self.method is Method.THRESHOLDS and self.tiers and not (self.recency and self.frequency and self.monetary):
            raise ValueError("tiers by thresholds need the marks recency, frequency and monetary")
        return self

    def rules(self) -> ValueRules:
        recency = tuple(each.total_seconds() / 86_400 for each in self.recency)
        given = self.model_dump(exclude={"recency", "frequency", "monetary", "churn"})
        cuts = Cuts(recency, self.frequency, self.monetary)
        return ValueRules(**given, cuts=cuts, churn=Churn(**self.churn.model_dump()))
