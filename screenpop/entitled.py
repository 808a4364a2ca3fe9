"""What a customer is entitled to, what of it has run out, and what they are worth to us, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from typing_extensions import TypedDict

from screenpop import words
from screenpop.i18n import Language

_MOST_POINTS = 15


class ContractCard(TypedDict):
    """`used` of the quota until before `period_next_on`; state: coming, in_force, ended or cancelled."""

    id: int
    name: str
    kind: str
    title: str
    starts_on: str
    ends_on: str | None
    state: str
    queues: list[str]
    categories: list[str]
    products: list[str]
    hours: str | None
    quota: dict[str, Any] | None
    used: int | None
    period_begins_on: str | None
    period_next_on: str | None


class ValueCard(TypedDict):
    """A customer's value: points of 15, stage, signs of leaving, and what they were worked out from."""

    tier: str | None
    by_hand: bool
    hand_reason: str | None
    hand_until: str | None
    points: int | None
    stage: str | None
    signals: list[str]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ContractView:
    """`left`: of the quota; `out`: nothing of it is left, or the contract is over."""

    id: int
    title: str
    state: str
    state_name: str
    until: str
    left: str
    out: bool
    hours: str
    scope: str


@dataclass(frozen=True, slots=True)
class ValueView:
    stage: str
    stage_name: str
    reasons: Sequence[str]


def contract_view(card: ContractCard, language: Language, *, today: date) -> ContractView:
    left, used_up = _left(card, language, today)
    scope = [*card["products"], *card["categories"], *card["queues"]]
    return ContractView(
        id=card["id"],
        title=card["name"] or card["title"],
        state=card["state"],
        state_name=language.label(words.CONTRACT_STATE, card["state"]),
        until=_until(card, language, today),
        left=left if card["state"] == "in_force" else "",
        out=used_up or card["state"] in ("ended", "cancelled"),
        hours=language.gettext("Hours: %(name)s") % {"name": card["hours"]} if card["hours"] else "",
        scope=language.gettext("For %(what)s") % {"what": ", ".join(scope)} if scope else "",
    )


def _day(text: str, language: Language, today: date) -> str:
    day = date.fromisoformat(text)
    return language.date(datetime(day.year, day.month, day.day), today.year)  # noqa: DTZ001 - a day, no moment


def _until(card: ContractCard, language: Language, today: date) -> str:
    if card["state"] == "coming":
        return language.gettext("begins on %(day)s") % {"day": _day(card["starts_on"], language, today)}
    if card["ends_on"] is None:
        return ""
    said = language.gettext("ended on %(day)s") if card["state"] == "ended" else language.gettext("until %(day)s")
    return said % {"day": _day(card["ends_on"], language, today)}


def _left(card: ContractCard, language: Language, today: date) -> tuple[str, bool]:
    """What is left of the quota, in words, and whether it is nothing."""
    quota, used = card["quota"], card["used"]
    if quota is None or used is None:
        return "", False
    minutes = "minutes" in quota
    amount = int(quota["minutes" if minutes else "cases"])
    values = {"left": amount - used, "amount": amount}
    if used < amount:
        if minutes:
            return language.gettext("%(left)d of %(amount)d minutes left") % values, False
        return language.gettext("%(left)d of %(amount)d cases left") % values, False
    if minutes:
        said = language.gettext("all %(amount)d minutes used up") % values
    else:
        said = language.gettext("all %(amount)d cases used up") % values
    if card["period_next_on"] is not None:
        day = _day(card["period_next_on"], language, today)
        said = language.gettext("%(used_up)s, more from %(day)s on") % {"used_up": said, "day": day}
    return said, True


def value_view(card: ValueCard | None, language: Language, *, today: date, zone: tzinfo) -> ValueView | None:
    """None when there is nothing to say."""
    if card is None:
        return None
    reasons = [*_tier_reason(card, language, today, zone), *_order_reasons(card, language, today)]
    reasons += [_signal(each, card["figures"], language) for each in card["signals"]]
    stage = card["stage"] or ""
    if not (stage or reasons):
        return None
    return ValueView(stage, language.label(words.STAGE, stage), tuple(reasons))


def _tier_reason(card: ValueCard, language: Language, today: date, zone: tzinfo) -> list[str]:
    if not card["tier"]:
        return []
    tier = language.label(words.TIER, card["tier"])
    if not card["by_hand"]:
        said = language.gettext("%(tier)s by rule: %(points)d of %(most)d points")
        return [said % {"tier": tier, "points": card["points"] or 0, "most": _MOST_POINTS}]
    said = language.gettext("%(tier)s, set by hand") % {"tier": tier}
    if card["hand_until"]:
        until = datetime.fromisoformat(card["hand_until"]).astimezone(zone)
        said += " " + language.gettext("until %(day)s") % {"day": language.date(until, today.year)}
    return [said, *([card["hand_reason"]] if card["hand_reason"] else [])]


def _order_reasons(card: ValueCard, language: Language, today: date) -> list[str]:
    figures, found = card["figures"], []
    if figures.get("orders"):
        spent = f"{figures.get('currency', '')} {figures.get('spent', 0):,.0f}".strip()
        said = language.gettext("Orders lately: %(count)d for %(spent)s")
        found.append(said % {"count": figures["orders"], "spent": spent})
    if figures.get("last_on"):
        found.append(language.gettext("Last order: %(day)s") % {"day": _day(figures["last_on"], language, today)})
    return found


def _signal(signal: str, figures: dict[str, Any], language: Language) -> str:
    match signal:
        case "complaints":
            return language.gettext("Complaints lately: %(count)d") % {"count": figures.get("complaints", 0)}
        case "bad_scores":
            return language.gettext("Bad scores lately: %(count)d") % {"count": figures.get("bad_scores", 0)}
        case "fewer_orders":
            said = language.gettext("Orders are fewer: %(now)d after %(before)d")
            return said % {"now": figures.get("orders_lately", 0), "before": figures.get("orders_before", 0)}
        case _:
            said = language.gettext("Contacts are fewer: %(now)d after %(before)d")
            return said % {"now": figures.get("contacts_lately", 0), "before": figures.get("contacts_before", 0)}
