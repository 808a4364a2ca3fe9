"""Pages of contracts, and what the pop says of them and of a customer's value."""

from datetime import UTC
from typing import Any, cast

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import understand
from screenpop.entitled import ContractCard, ValueCard, contract_view, value_view
from screenpop.i18n import load_languages
from tests.builders import NOW, make_customer
from tests.screenpop.conftest import House

TODAY = NOW.date()
ENGLISH = load_languages()["en"]


def card(**more) -> ContractCard:
    given: Any = {
        "id": 1, "name": "", "kind": "care", "title": "Care", "starts_on": "2026-01-01", "ends_on": "2026-12-31",
        "state": "in_force", "queues": [], "categories": [], "products": [], "hours": None,
        "quota": {"cases": 3, "per": "year"}, "used": 1, "period_begins_on": "2026-01-01",
        "period_next_on": "2027-01-01",
    }  # fmt: skip
    return cast("ContractCard", {**given, **more})


def worth(**more) -> ValueCard:
    given: Any = {
        "tier": None, "by_hand": False, "hand_reason": None, "hand_until": None, "points": None, "stage": None,
        "signals": [], "figures": {},
    }  # fmt: skip
    return cast("ValueCard", {**given, **more})


@pytest.mark.parametrize(
    ("more", "until", "left", "out"),
    [
        ({}, "until 31 Dec", "2 of 3 cases left", False),
        ({"used": 3}, "until 31 Dec", "all 3 cases used up, more from 1 Jan 2027 on", True),
        ({"used": 5, "period_next_on": None}, "until 31 Dec", "all 3 cases used up", True),
        ({"quota": {"minutes": 60, "per": "month"}}, "until 31 Dec", "59 of 60 minutes left", False),
        ({"ends_on": None, "quota": None}, "", "", False),
        ({"state": "ended", "ends_on": "2026-03-01"}, "ended on 1 Mar", "", True),
        ({"state": "coming", "starts_on": "2026-04-01"}, "begins on 1 Apr", "", False),
    ],
)
def test_a_contract_says_until_when_what_is_left_and_what_has_run_out(more, until, left, out):
    view = contract_view(card(**more), ENGLISH, today=TODAY)
    assert (view.until, view.left, view.out) == (until, left, out)


def test_value_is_said_with_its_reasons_and_nothing_is_said_of_nothing():
    assert value_view(None, ENGLISH, today=TODAY, zone=UTC) is None
    assert value_view(worth(), ENGLISH, today=TODAY, zone=UTC) is None
    view = value_view(
        worth(
            tier="gold", points=13, stage="at_risk", signals=["complaints", "fewer_orders"],
            figures={"orders": 9, "spent": 1234.5, "currency": "CNY", "complaints": 2, "orders_lately": 1,
                     "orders_before": 4, "last_on": "2026-03-01"},
        ),
        ENGLISH, today=TODAY, zone=UTC,
    )  # fmt: skip
    assert view is not None
    assert view.stage_name == "At risk of leaving"
    assert list(view.reasons) == [
        "Gold by rule: 13 of 15 points",
        "Orders lately: 9 for CNY 1,234",
        "Last order: 1 Mar",
        "Complaints lately: 2",
        "Orders are fewer: 1 after 4",
    ]
    by_hand = value_view(
        worth(tier="gold", by_hand=True, hand_reason="The mayor", hand_until="2026-12-31T00:00:00+00:00"),
        ENGLISH, today=TODAY, zone=UTC,
    )  # fmt: skip
    assert by_hand is not None
    assert list(by_hand.reasons) == ["Gold, set by hand until 31 Dec", "The mayor"]


@pytest.fixture
async def customer(house: House) -> int:
    text = '[[contracts]]\nname = "care"\ntitle = "Care plan"\nquota = { cases = 12, per = "year" }\n'
    await organisation.apply(house.log, understand(toml.parse(text, "o.toml"), {}), prune=False, actor=None, now=NOW)
    return await make_customer(house.pool, "Ann <b>")


FORM = {"kind": "care", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "name": "Kitchen"}


async def test_a_supervisor_makes_changes_and_ends_a_contract(house: House, customer: int):
    await house.sign_in("sue")
    made = await house.act("sue", "/contracts", customer=str(customer), **FORM, amount="2", target_resolution="4h")
    assert made.status == 200
    text = await made.text()
    assert "0 of 2 cases" in text
    assert "Ann &lt;b&gt;" in text
    changed = await house.act("sue", "/contracts/1", **FORM | {"ends_on": ""}, version="1", products="ovens， pans")
    assert 'value="ovens, pans"' in await changed.text()
    [row] = await house.pool.fetch("select ends_on, quota, targets, products from contract")
    assert tuple(row) == (None, None, None, ["ovens", "pans"])
    stale = await house.act("sue", "/contracts/1", **FORM, version="1")
    assert stale.status == 412
    assert "Kitchen" in await (await house.client.get("/contracts?state=in_force&kind=care")).text()
    assert "No such contract." in await (await house.client.get("/contracts?state=ended")).text()
    ended = await house.act("sue", "/contracts/1/cancel")
    assert "cancelled" in await ended.text()


@pytest.mark.parametrize(
    "bad",
    [
        {"customer": "nobody"},
        {"ends_on": "2025-01-01"},
        {"starts_on": "soon"},
        {"amount": "many"},
        {"target_own": "long"},
        {"queues": "nowhere"},
        {"owner": "99"},
        {"kind": "none"},
    ],
)
async def test_what_cannot_be_is_refused_and_what_was_typed_stays(house: House, customer: int, bad: dict[str, str]):
    await house.sign_in("sue")
    refused = await house.act("sue", "/contracts", **{"customer": str(customer), **FORM, **bad})
    assert refused.status == 422
    text = await refused.text()
    assert 'role="alert"' in text
    assert 'value="Kitchen"' in text
    assert await house.pool.fetchval("select count(*) from contract") == 0


async def test_agents_have_no_pages_of_contracts(house: House, customer: int):
    await house.sign_in("amy")
    assert (await house.client.get("/contracts")).status == 403
    assert (await house.act("amy", "/contracts", customer=str(customer), **FORM)).status == 403
