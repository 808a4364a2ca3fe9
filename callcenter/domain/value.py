"""What a customer is worth and where they stand: tier by recency, frequency and money; stage; signs of leaving."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

# Customers are looked at anew by night, at this time of the organisation.
NIGHT = time(3, 0)
_DAY = timedelta(days=1)


class Stage(StrEnum):
    """Where a customer stands, by what they ordered and when."""

    PROSPECT = "prospect"  # never ordered
    NEW = "new"  # ordered for the first time not long ago
    ACTIVE = "active"  # orders
    AT_RISK = "at_risk"  # has not ordered for a while, or several signs speak for their leaving
    LAPSED = "lapsed"  # has not ordered for so long that they are taken as gone
    WON_BACK = "won_back"  # was gone, and ordered again not long ago


class Signal(StrEnum):
    """What speaks for a customer's leaving."""

    COMPLAINTS = "complaints"
    BAD_SCORES = "bad_scores"
    FEWER_ORDERS = "fewer_orders"
    FEWER_CONTACTS = "fewer_contacts"


class Method(StrEnum):
    THRESHOLDS = "thresholds"  # the marks are those of the file
    QUANTILES = "quantiles"  # the marks part those who ordered into fifths, worked out anew every night


@dataclass(frozen=True, slots=True)
class Cuts:
    """The marks between the points 1, 2, 3 … of each figure, ascending: days since the last order, orders, money."""

    recency: tuple[float, ...] = (30, 90, 180, 365)
    frequency: tuple[float, ...] = (2, 4, 8, 12)
    monetary: tuple[float, ...] = (500, 2000, 5000, 20000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """When figures of the last `within` speak for leaving. 0: that one never does. `signals`: so many put at risk.

    `fewer`: of the orders (or contacts) in the stretch before, at most this share is left; from `least` of them on.
    """

    within: timedelta = timedelta(days=90)
    complaints: int = 2
    categories: tuple[str, ...] = ("complaint",)
    bad_scores: int = 1
    fewer: float = 0.5
    least: int = 4
    signals: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRules:
    """`tiers`: from so many points on (of 3 to 15). Orders in other currencies count by `rates`, else not.

    `within`: how far back orders count for frequency and money.
    """

    currency: str = "CNY"
    rates: Mapping[str, float] = field(default_factory=dict)
    within: timedelta = timedelta(days=365)
    method: Method = Method.THRESHOLDS
    cuts: Cuts = Cuts()
    tiers: Mapping[str, int] = field(default_factory=dict)
    new_for: timedelta = timedelta(days=60)
    active_within: timedelta = timedelta(days=180)
    lapsed_after: timedelta = timedelta(days=365)
    churn: Churn = Churn()

    def all_rates(self) -> dict[str, float]:
        return {**self.rates, self.currency: 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is known of a customer on a day. `comeback_on`: their latest order after a gap of at least `lapsed_after`.

    `*_lately` and `*_before`: in the last stretch that churn looks at, and in the one before it.
    """

    first_on: date | None = None
    last_on: date | None = None
    comeback_on: date | None = None
    orders: int = 0
    spent: float = 0
    orders_lately: int = 0
    orders_before: int = 0
    contacts_lately: int = 0
    contacts_before: int = 0
    complaints: int = 0
    bad_scores: int = 0


@dataclass(frozen=True, slots=True)
class Points:
    """1 to 5 each; 0 for whoever has not ordered in the time that counts."""

    recency: int = 0
    frequency: int = 0
    monetary: int = 0

    @property
    def total(self) -> int:
        return self.recency + self.frequency + self.monetary


@dataclass(frozen=True, slots=True)
class Assessment:
    """`tier` None: too few points for any."""

    points: Points
    tier: str | None
    stage: Stage
    signals: tuple[Signal, ...]


def points(figures: Figures, cuts: Cuts, today: date) -> Points:
    """RFM: the later, the oftener and the more, the more points (Hughes, Strategic Database Marketing, 1994)."""
    if figures.last_on is None or figures.orders <= 0:
        return Points()
    age = max(0, (today - figures.last_on).days)
    return Points(
        1 + len(cuts.recency) - bisect_left(cuts.recency, age),
        1 + bisect_right(cuts.frequency, figures.orders),
        1 + bisect_right(cuts.monetary, figures.spent),
    )


def tier(total: int, tiers: Mapping[str, int]) -> str | None:
    """The tier that asks for the most of these points. Ties go to the first by name, so that the answer is one."""
    reached = [(asks, name) for name, asks in tiers.items() if 0 < asks <= total]
    return min(reached, key=lambda each: (-each[0], each[1]))[1] if reached else None


def signals(figures: Figures, churn: Churn) -> tuple[Signal, ...]:
    found = []
    if 0 < churn.complaints <= figures.complaints:
        found.append(Signal.COMPLAINTS)
    if 0 < churn.bad_scores <= figures.bad_scores:
        found.append(Signal.BAD_SCORES)
    if _fell(figures.orders_lately, figures.orders_before, churn):
        found.append(Signal.FEWER_ORDERS)
    if _fell(figures.contacts_lately, figures.contacts_before, churn):
        found.append(Signal.FEWER_CONTACTS)
    return tuple(found)


def _fell(lately: int, before: int, churn: Churn) -> bool:
    return churn.fewer > 0 and before >= churn.least and lately <= before * churn.fewer


def stage(figures: Figures, found: Sequence[Signal], rules: ValueRules, today: date) -> Stage:
    if figures.first_on is None or figures.last_on is None:
        return Stage.PROSPECT
    age = today - figures.last_on
    if age >= rules.lapsed_after:
        return Stage.LAPSED
    # Signs of leaving weigh more than a first order, or a new beginning.
    if age >= rules.active_within or 0 < rules.churn.signals <= len(found):
        return Stage.AT_RISK
    if figures.comeback_on is not None and today - figures.comeback_on < rules.new_for:
        return Stage.WON_BACK
    return Stage.NEW if today - figures.first_on < rules.new_for else Stage.ACTIVE


def assess(figures: Figures, rules: ValueRules, cuts: Cuts, today: date) -> Assessment:
    """`cuts`: the rules' own, or those of the last night for quantiles."""
    found = signals(figures, rules.churn)
    earned = points(figures, cuts, today)
    return Assessment(earned, tier(earned.total, rules.tiers), stage(figures, found, rules, today), found)


def tier_in_force(
    rule_tier: str | None, hand_tier: str | None, hand_until: datetime | None, now: datetime
) -> str | None:
    """What somebody set by hand wins, until its end."""
    return hand_tier if hand_tier is not None and (hand_until is None or now < hand_until) else rule_tier


def next_night(now: datetime, zone: ZoneInfo) -> datetime:
    """The next time at which everybody is looked at anew."""
    day = now.astimezone(zone).date()
    tonight = datetime.combine(day, NIGHT, zone)
    return tonight if tonight > now else datetime.combine(day + _DAY, NIGHT, zone)
