"""What a ticket is and what it has to do with others, over REST."""

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import understand
from tests.builders import make_customer
from tests.web.conftest import Doors

RULES = """
[tickets]
types = ["repair"]
categories = ["hardware/kettle"]

[[tickets.fields]]
name = "serial"
type = "text"
title = { en = "Serial number" }
required = { state = "resolved" }

[[tickets.fields]]
name = "amount"
type = "number"
required = true
"""


@pytest.fixture
async def rules(doors: Doors) -> None:
    file = understand(toml.parse(RULES, "org.toml"), {})
    await organisation.apply(doors.log, file, prune=False, actor=None, now=doors.clock())
    await doors.directory.load()


async def opened(doors: Doors, **given):
    response = await doors.call("amy", "POST", "/api/v1/tickets", json={"subject": "x", **given})
    assert response.status == 201, await response.text()
    return await response.json()


def at(ticket, rest=""):
    return f"/api/v1/tickets/{ticket['id']}{rest}"


async def test_a_ticket_shows_and_takes_all_that_it_may_be(doors: Doors, rules) -> None:
    customer = await make_customer(doors.log.pool)
    given = {
        "type": "repair", "category": "hardware/kettle", "tags": ["VIP", "late"], "followers": ["bo"],
        "customers": [customer], "fields": {"amount": 2.5},
    }  # fmt: skip
    ticket = await opened(doors, **given)
    assert {name: ticket[name] for name in given} == {**given, "tags": ["late", "vip"]}
    changes = {"fields": {"serial": "A"}, "add_tags": ["a"], "remove_followers": ["bo"], "add_followers": ["amy"]}
    response = await doors.call("amy", "PATCH", at(ticket), json=changes)
    assert response.status == 200, await response.text()
    after = await doors.get("amy", at(ticket))
    assert (after["fields"], after["tags"], after["followers"]) == (
        {"amount": 2.5, "serial": "A"}, ["a", "late", "vip"], ["amy"],
    )  # fmt: skip
    for query, count in [
        ("type=repair", 1), ("type=other", 0), ("category=hardware", 1), ("category=hard", 0), ("tag=VIP", 1),
        ("tag=b", 0), ("follower=amy", 1), ("follower=bo", 0), (f"customer={customer}", 1), ("field=serial:A", 1),
        ("field=amount:2.50", 1), ("field=serial:B", 0), (f"parent={ticket['id']}", 0),
    ]:  # fmt: skip
        assert len((await doors.get("amy", f"/api/v1/tickets?{query}"))["items"]) == count, query
    for query in ("field=colour:red", "field=serial", "field=amount:many", "follower=nobody", "tag=%20"):
        assert (await doors.call("amy", "GET", f"/api/v1/tickets?{query}")).status == 422, query


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "party"}, "type"),
        ({"category": "hardware/toaster"}, "category"),
        ({"fields": {"amount": "2"}}, "fields.amount"),
        ({"fields": {"colour": "red"}}, "fields.colour"),
        ({"fields": {"amount": None}}, "fields.amount"),
        ({"state": "resolved"}, "fields.serial"),
        ({"add_tags": ["a,b"]}, "tags"),
        ({"add_followers": ["nobody"]}, "followers"),
        ({"customers": [99]}, "customers"),
    ],
)
async def test_a_problem_document_names_the_field(doors: Doors, rules, changes, field) -> None:
    ticket = await opened(doors, fields={"amount": 1})
    response = await doors.call("amy", "PATCH", at(ticket), json=changes)
    problem = await response.json()
    assert response.status == 422, problem
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["detail"]


async def test_the_loser_reads_what_an_own_field_is_now(doors: Doors, rules) -> None:
    ticket = await opened(doors, fields={"amount": 1})
    seen = {"If-Match": '"1"'}
    assert (await doors.call("bo", "PATCH", at(ticket), json={"fields": {"amount": 2}}, headers=seen)).status == 200
    response = await doors.call("amy", "PATCH", at(ticket), json={"fields": {"amount": 3}}, headers=seen)
    assert response.status == 412
    [error] = (await response.json())["errors"]
    assert error["field"] == "fields.amount"
    assert error["message"].startswith("is 2 now, changed by bo at ")


async def test_what_tickets_may_be_is_told(doors: Doors, rules) -> None:
    told = await doors.get("amy", "/api/v1/tickets/rules")
    assert (told["types"], told["categories"]) == (["repair"], ["hardware", "hardware/kettle"])
    assert [(field["name"], field["required"]) for field in told["fields"]] == [
        ("serial", {"state": ["resolved"]}),
        ("amount", True),
    ]


async def test_the_history_is_told_page_by_page_with_names(doors: Doors) -> None:
    ticket = await opened(doors)
    for changes in ({"owner": "bo", "priority": "high"}, {"queue": "billing", "followers": ["amy"]}, {"subject": "y"}):
        assert (await doors.call("sue", "PATCH", at(ticket), json=changes)).status == 200
    page = await doors.get("amy", at(ticket, "/history?limit=2"))
    told = [(item["version"], item["field"], item["before"], item["after"], item["actor"]) for item in page["items"]]
    assert told == [
        (4, "subject", "x", "y", "sue"), (3, "followers", None, ["amy"], "sue"), (3, "queue", None, "billing", "sue"),
    ]  # fmt: skip
    rest = await doors.get("amy", at(ticket, f"/history?after={page['next']}"))
    older = [(item["field"], item["before"], item["after"], item["kind"]) for item in rest["items"]]
    assert older == [
        ("owner", None, "bo", "ticket.changed"), ("priority", "normal", "high", "ticket.changed"),
        ("state", "new", "open", "ticket.changed"),
    ]  # fmt: skip
    assert rest["next"] is None
    assert (await doors.call("amy", "GET", "/api/v1/tickets/99/history")).status == 404


async def test_tickets_are_merged_split_and_related(doors: Doors) -> None:
    target, source = await opened(doors), await opened(doors)
    assert (await doors.call("amy", "POST", at(source, "/reply"), json={"text": "hm"})).status == 200
    stale = {"If-Match": '"1"'}
    path, into = at(source, "/merge"), {"into": target["id"]}
    assert (await doors.call("amy", "POST", path, json=into, headers=stale)).status == 412
    response = await doors.call("amy", "POST", path, json=into)
    assert response.status == 200, await response.text()
    whole = await doors.get("amy", at(target))
    assert [message["text"] for message in whole["messages"]] == ["hm"]
    assert [(each["kin"], each["number"]) for each in whole["related"]] == [("merged", source["number"])]
    [found] = (await doors.get("amy", f"/api/v1/tickets?number={source['number']}"))["items"]
    assert found["id"] == target["id"]
    assert (await doors.get("amy", at(source)))["merged_into"] == target["id"]
    assert (await doors.call("amy", "POST", path, json=into)).status == 409
    assert (await doors.call("amy", "POST", at(target, "/merge"), json={"into": target["id"]})).status == 422
    assert (await doors.call("amy", "POST", at(target, "/merge"), json={"into": 99})).status == 404

    part = {"subject": "new", "message": whole["messages"][0]["id"]}
    response = await doors.call("amy", "POST", at(target, "/split"), json=part)
    assert response.status == 201, await response.text()
    new = await response.json()
    assert (await doors.call("amy", "POST", at(target, "/split"), json=part)).status == 404
    other = await opened(doors)
    assert (await doors.call("amy", "POST", at(new, "/related"), json={"ticket": other["id"]})).status == 200
    related = (await doors.get("amy", at(new)))["related"]
    assert {(each["kin"], each["id"]) for each in related} == {("split_from", target["id"]), ("related", other["id"])}
    assert (await doors.call("amy", "DELETE", at(other, f"/related/{new['id']}"))).status == 200
    assert (await doors.get("amy", at(other)))["related"] == []


async def test_a_parent_is_ended_with_or_without_its_children(doors: Doors) -> None:
    parent = await opened(doors)
    child = await opened(doors, parent=parent["id"])
    assert child["parent"] == parent["id"]
    response = await doors.call("amy", "PATCH", at(parent), json={"state": "resolved"})
    assert response.status == 409
    assert f"#{child['number']}" in (await response.json())["detail"]
    response = await doors.call("amy", "PATCH", at(parent), json={"state": "resolved", "children": "resolve"})
    assert response.status == 200
    assert (await doors.get("amy", at(child)))["state"] == "resolved"
    assert (await doors.call("amy", "PATCH", at(parent), json={"parent": child["id"]})).status == 422


async def test_a_contact_of_somebody_else_is_tied_to_no_ticket(doors: Doors) -> None:
    contact, ticket = await doors.arrive(), await opened(doors)
    link = {"interaction": contact}
    assert (await doors.call("amy", "POST", at(ticket, "/link"), json=link)).status == 403
    assert (await doors.call("sue", "POST", at(ticket, "/link"), json=link)).status == 200
