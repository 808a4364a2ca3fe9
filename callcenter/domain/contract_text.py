"""Kinds of contracts and the rules for value as an organisation file has them."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

from callcenter.domain.contract import Renewal, Visits, write_quota
from callcenter.domain.duration import format_duration
from callcenter.domain.organisation import ContractKind
from callcenter.domain.value import Churn, ValueRules


def contract_table(kind: ContractKind) -> dict[str, Any]:
    """The keys of `[[contracts]]`."""
    return {
        "name": kind.name,
        "title": kind.title,
        "hours": kind.hours,
        "quota": None if kind.quota is None else write_quota(kind.quota),
        "visits": None if kind.visits is None else _given(kind.visits),
        "renewal": None if kind.renewal is None else _given(kind.renewal),
        "queues": kind.queues,
        "categories": kind.categories,
        "products": kind.products,
        "age_shift": kind.age_shift,
    }


def _given(entry: Visits | Renewal) -> dict[str, Any]:
    keys = {each.name: getattr(entry, each.name) for each in fields(entry)}
    return {key: value for key, value in keys.items() if value is not None}


def value_table(rules: ValueRules) -> dict[str, Any]:
    """The keys of `[value]`, without those that have their default; durations as text."""
    default = ValueRules()
    keys: dict[str, Any] = {"currency": rules.currency, "method": rules.method.value}
    if rules.method == "thresholds":
        cuts = rules.cuts
        keys["recency"] = [format_duration(timedelta(days=days)) for days in cuts.recency]
        keys |= {"frequency": list(cuts.frequency), "monetary": list(cuts.monetary)}
    for name in ("rates", "within", "tiers", "new_for", "active_within", "lapsed_after"):
        if (value := getattr(rules, name)) != getattr(default, name):
            keys[name] = _plain(value)
    churn = {each.name: getattr(rules.churn, each.name) for each in fields(Churn)}
    keys["churn"] = {name: _plain(value) for name, value in churn.items() if value != getattr(default.churn, name)}
    return {key: value for key, value in keys.items() if value not in ({}, [])}


def _plain(value: Any) -> Any:
    match value:
        case timedelta():
            return format_duration(value)
        case Mapping():
            return dict(value)
        case tuple():
            return list(value)
        case _:
            return value
