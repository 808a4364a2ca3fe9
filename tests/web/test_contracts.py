"""Contracts, orders and tiers over REST: what supervisors may do, what agents may see, and what is refused."""

from zoneinfo import ZoneInfo

import pytest

from callcenter import toml
from callcenter.actions import organisation, value
from callcenter.domain.organisation_file import understand

KINDS = """
[value]
recency = ["30d", "90d", "180d", "365d"]
frequency = [2, 4, 8, 12]
monetary = [500, 2000, 5000, 20000]
tiers = { silver = 9 }
[[contracts]]
name = "care"
title = "Care plan"
quota = { cases = 12, per = "year" }
products = ["rice cooker"]
"""


@pytest.fixture
async def customer(doors):
    file = understand(toml.parse(KINDS, "org.toml"), {})
    await organisation.apply(doors.log, file, prune=False, actor=None, now=doors.clock())
    await doors.directory.load()
    body = {"name": "Ann", "external_id": "HB-1", "addresses": [{"kind": "phone", "value": "13800138000"}]}
    response = await doors.call("sue", "POST", "/api/v1/customers", json=body)
    return (await response.json())["id"]


async def make(doors, who="sue", **body):
    return await doors.call(who, "POST", "/api/v1/contracts", json=body)


async def test_a_contract_is_made_changed_read_and_cancelled(doors, customer):
    today = doors.clock().date().isoformat()
    response = await make(doors, customer=customer, kind="care", starts_on=today, owner="amy", targets={"own": 600})
    assert response.status == 201, await response.text()
    made = await response.json()
    assert response.headers["Location"] == f"/api/v1/contracts/{made['id']}"
    assert made["quota"] == {"amount": 12, "unit": "cases", "per": "year"}
    assert (made["state"], made["used"], made["owner"], made["products"], made["own"]) == (
        "in_force", 0, "amy", ["rice cooker"], [],
    )  # fmt: skip
    at = f"/api/v1/contracts/{made['id']}"
    changes = {"quota": {"amount": 3, "unit": "minutes", "per": "month"}, "ends_on": "2027-01-31", "name": "Kitchen"}
    changed = await doors.call("sue", "PATCH", at, json=changes, headers={"If-Match": '"1"'})
    assert changed.status == 200, await changed.text()
    assert (await changed.json())["own"] == ["quota"]
    late = await doors.call("sue", "PATCH", at, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert late.status == 412
    [seen] = (await doors.get("amy", f"/api/v1/customers/{customer}/contracts"))["items"]
    assert (seen["name"], seen["ends_on"], seen["version"]) == ("Kitchen", "2027-01-31", 2)
    assert len((await doors.get("sue", "/api/v1/contracts?state=in_force&ends_before=2027-02-01"))["items"]) == 1
    assert len((await doors.get("sue", "/api/v1/contracts?state=in_force&ends_before=2027-01-31"))["items"]) == 0
    gone = await doors.call("sue", "DELETE", at)
    assert (await gone.json())["state"] == "cancelled"
    assert (await doors.call("sue", "PATCH", at, json={"name": "x"})).status == 409
    assert (await doors.get("amy", "/api/v1/contract-kinds"))["items"] == [{"name": "care", "title": "Care plan"}]


async def test_agents_read_contracts_and_make_none(doors, customer):
    response = await make(doors, who="amy", customer=customer, kind="care", starts_on="2026-01-01")
    assert response.status == 403
    assert (await doors.call("amy", "GET", "/api/v1/contracts")).status == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "plus"}, "kind"),
        ({"ends_on": "2025-12-31"}, "ends_on"),
        ({"customer": 999}, "customer"),
        ({"queues": ["nowhere"]}, "queues[0]"),
        ({"owner": "nobody"}, "owner"),
        ({"targets": {"own": 7200, "resolution": 60}}, "targets.own"),
        ({"quota": {"amount": 0, "unit": "cases"}}, "quota.amount"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_bad_contract_is_refused_with_its_field(doors, customer, body, field):
    response = await make(doors, **{"customer": customer, "kind": "care", "starts_on": "2026-01-01", **body})
    problem = await response.json()
    assert response.status == 422
    assert field in [each["field"] for each in problem["errors"]]


async def test_orders_come_in_once_and_make_a_tier(doors, customer):
    items = [
        {"number": f"A-{n}", "external_id": "HB-1", "amount": "900.00", "currency": "cny", "ordered_on": "2026-03-01"}
        for n in range(3)
    ]
    items.append(
        {"number": "A-9", "phone": "13800138000", "amount": "1.50", "currency": "CNY", "ordered_on": "2026-02-01"}
    )
    for expected in ({"added": 4, "changed": 0, "unchanged": 0}, {"added": 0, "changed": 0, "unchanged": 4}):
        response = await doors.call("sue", "POST", "/api/v1/orders", json={"items": items})
        assert await response.json() == expected
    assert await value.assess_due(doors.log, zone=doors_zone(doors), now=doors.clock()) == 1
    found = await doors.get("amy", f"/api/v1/customers/{customer}/value")
    assert (found["tier"], found["by"], found["stage"]) == ("silver", "rule", "new")
    assert found["figures"]["orders"] == 4
    [newest, *_] = (await doors.get("amy", f"/api/v1/customers/{customer}/orders"))["items"]
    assert (newest["number"], newest["amount"]) == ("A-9", "1.50")


def doors_zone(doors):
    return ZoneInfo(doors.directory.organisation.timezone)


async def test_an_order_of_nobody_is_refused_and_none_is_kept(doors, customer):
    good = {"number": "1", "external_id": "HB-1", "amount": "1", "currency": "CNY", "ordered_on": "2026-03-01"}
    for bad, words in (
        ({**good, "number": "2", "external_id": "HB-2"}, "no such customer"),
        ({**good, "number": "2", "amount": "1.005"}, "no amount"),
        ({**good, "number": "2", "currency": "yuan"}, "no currency"),
    ):
        response = await doors.call("sue", "POST", "/api/v1/orders", json={"items": [good, bad]})
        assert response.status == 422
        assert words in (await response.json())["detail"]
    assert await doors.log.pool.fetchval("select count(*) from customer_order") == 0
    assert (await doors.call("amy", "POST", "/api/v1/orders", json={"items": [good]})).status == 403


async def test_a_tier_by_hand_says_who_why_and_until_when(doors, customer):
    at = f"/api/v1/customers/{customer}/tier"
    assert (await doors.call("amy", "PUT", at, json={"tier": "gold", "reason": "x"})).status == 403
    assert (await doors.call("sue", "PUT", at, json={"tier": "gold"})).status == 422
    body = {"tier": "gold", "reason": "The mayor", "until": "2030-01-01T00:00:00Z"}
    found = await (await doors.call("sue", "PUT", at, json=body)).json()
    assert (found["tier"], found["by"], found["reason"], found["set_by"]) == ("gold", "hand", "The mayor", "sue")
    assert (await doors.get("amy", f"/api/v1/customers/{customer}"))["tier"] == "gold"
    found = await (await doors.call("sue", "PUT", at, json={"tier": None})).json()
    assert (found["tier"], found["by"]) == (None, None)


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "3000-01-01", "9999-12-30"])
async def test_a_contract_that_begins_beyond_all_calendars_is_refused(doors, customer, day):
    response = await make(doors, customer=customer, kind="care", starts_on=day)
    assert (response.status, (await response.json())["errors"][0]["field"]) == (422, "starts_on")
    assert (await doors.get("amy", f"/api/v1/customers/{customer}/contracts"))["items"] == []
