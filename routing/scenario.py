"""What a simulation plays: the keys of a scenario file, and the laws by which times are drawn."""

from collections.abc import Mapping
from datetime import timedelta
from math import exp, log, sqrt
from random import Random
from typing import Annotated

from pydantic import Field, TypeAdapter, model_validator

from callcenter.domain.agent import IdleOrder
from callcenter.domain.order import PROFICIENCY_WEIGHT, Strategy
from callcenter.domain.organisation_keys import Duration, Needs, Positive, Skills, Slug, StepTable, Table

Count = Annotated[int, Field(ge=1, le=100_000, strict=True)]
PerHour = Annotated[float, Field(ge=0, le=1_000_000)]


class Spread(Table):
    """A log-normal law by its own mean and standard deviation."""

    mean: Positive
    sd: Positive


class Law(Table):
    """How long something takes: exactly one of the three."""

    exponential: Positive | None = None
    lognormal: Spread | None = None
    fixed: Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> "Law":
        if sum(each is not None for each in (self.exponential, self.lognormal, self.fixed)) != 1:
            raise ValueError("expected one of exponential, lognormal and fixed")
        return self

    def draw(self, dice: Random) -> float:
        """Seconds."""
        if self.fixed is not None:
            return self.fixed.total_seconds()
        if self.exponential is not None:
            return dice.expovariate(1 / self.exponential.total_seconds())
        assert self.lognormal is not None
        mean, sd = self.lognormal.mean.total_seconds(), self.lognormal.sd.total_seconds()
        # Of the normal law behind it: mean and variance of exp(N(m, s²)) solved for m and s².
        variance = log(1 + (sd / mean) ** 2)
        return exp(dice.gauss(log(mean) - variance / 2, sqrt(variance)))


class Stretch(Table):
    until: Positive
    per_hour: PerHour


class Within(Table):
    target: Annotated[float, Field(gt=0, le=1)] = 0.8
    within: Positive


class Flow(Table):
    """The calls of one queue, and what the queue asks for."""

    queue: Slug
    per_hour: PerHour | None = None
    arrivals: tuple[Stretch, ...] = ()
    handle: Law
    patience: Law | None = None
    service_level: Within
    priority: Annotated[int, Field(ge=-1440, le=1440)] = 0
    needs: Needs = Field(default_factory=dict)
    steps: tuple[StepTable, ...] = ()
    strategy: Strategy = "longest_idle"
    proficiency_weight: Positive = PROFICIENCY_WEIGHT

    @model_validator(mode="after")
    def _one_rate(self) -> "Flow":
        if (self.per_hour is None) == (not self.arrivals):
            raise ValueError("expected either per_hour or arrivals")
        ends = [stretch.until for stretch in self.arrivals]
        if ends != sorted(set(ends)):
            raise ValueError("each of arrivals must end later than the one before it")
        return self

    def stretches(self) -> list[tuple[float, float]]:
        """(end in seconds, calls a second), without end for a steady rate."""
        if self.per_hour is not None:
            return [(float("inf"), self.per_hour / 3600)]
        return [(stretch.until.total_seconds(), stretch.per_hour / 3600) for stretch in self.arrivals]


class Shift(Table):
    begin: Duration = timedelta()
    end: Positive | None = None


class Staff(Table):
    """So many agents of one kind. Without shifts they are there all the time."""

    count: Count
    queues: tuple[Slug, ...] = Field(min_length=1)
    skills: Skills = Field(default_factory=dict)
    delay: Duration = timedelta()
    shifts: tuple[Shift, ...] = ()


class General(Table):
    length: Positive
    warm_up: Duration = timedelta()
    replications: Annotated[int, Field(ge=2, le=10_000, strict=True)] = 20
    seed: Annotated[int, Field(strict=True)] = 1
    idle_order: IdleOrder = IdleOrder.LAST_CONTACT

    @model_validator(mode="after")
    def _measures_something(self) -> "General":
        if self.warm_up >= self.length:
            raise ValueError("the warm_up is not shorter than the length")
        return self


class Scenario(Table):
    simulation: General
    flows: tuple[Flow, ...] = Field(min_length=1)
    staff: tuple[Staff, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> "Scenario":
        names = [flow.queue for flow in self.flows]
        if len(set(names)) != len(names):
            raise ValueError("two flows have the same queue")
        for staff in self.staff:
            for queue in staff.queues:
                if queue not in names:
                    raise ValueError(f"staff for the queue {queue}, which no flow has")
        return self

    @property
    def queue_ids(self) -> Mapping[str, int]:
        return {flow.queue: ident for ident, flow in enumerate(self.flows, 1)}


SCENARIO = TypeAdapter(Scenario)
