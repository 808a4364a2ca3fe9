"""What stands beside a ticket: its own fields, tasks, other tickets, the contract, macros, and what was changed."""

import re

import pytest

from callcenter import toml
from callcenter.actions import organisation, ticket_ties, tickets
from callcenter.domain.organisation_file import understand
from callcenter.store.tickets import get as get_ticket
from tests.builders import NOW, make_customer
from tests.screenpop.conftest import House
from tests.screenpop.test_ticket_pages import open_one, subjects, text_of

FILE = """
[tickets]
types = ["question", "repair"]
categories = ["hardware/kettle", "delivery"]

[[tickets.fields]]
name = "serial"
type = "text"
title = { en = "Serial number", zh_CN = "序列号" }
required = { state = "resolved" }

[[tickets.fields]]
name = "amount"
type = "number"
title = { en = "Amount" }

[[macros]]
name = "ask"
title = "Ask for the number"
then = [{ reply = "Which number?" }, { set = { state = "pending" } }]

[[checklists]]
name = "return"
title = "Return"
steps = [{ title = "Fetch it" }]
"""


@pytest.fixture
async def rules(house: House) -> None:
    file = understand(toml.parse(FILE, "org.toml"), {})
    await organisation.apply(house.log, file, prune=False, actor=None, now=NOW)
    await house.directory.load()


@pytest.mark.usefixtures("rules")
async def test_types_categories_and_own_fields_are_changed_like_other_properties(house: House) -> None:
    ticket = await open_one(house)
    at = f"/tickets/{ticket.number}"
    await house.sign_in("amy")
    for version, (name, value) in enumerate(
        (("type", "repair"), ("category", "hardware/kettle"), ("fields.serial", "SN <1>"), ("fields.amount", "2.5")), 1
    ):
        assert (await house.act("amy", f"{at}/change", version=str(version), **{name: value})).status == 200
    kept = await get_ticket(house.pool, ticket.id)
    assert (kept.type, kept.category, kept.fields) == ("repair", "hardware/kettle", {"serial": "SN <1>", "amount": 2.5})
    text = await text_of(house, at)
    assert 'value="SN &lt;1&gt;"' in text
    assert 'value="hardware/kettle" selected' in text
    await house.act("amy", f"{at}/change", version="5", **{"fields.amount": ""})
    assert (await get_ticket(house.pool, ticket.id)).fields == {"serial": "SN <1>"}
    lost = await (await house.act("amy", f"{at}/change", version="5", **{"fields.serial": "X"})).text()
    assert "You wanted: Serial number “X”." in lost
    assert "Amount" in lost


@pytest.mark.usefixtures("rules")
async def test_a_refusal_names_the_field_in_the_language_of_the_reader(house: House) -> None:
    ticket = await open_one(house, owner=house.users["amy"])
    at = f"/tickets/{ticket.number}"
    await house.sign_in("amy")
    text = await (await house.act("amy", f"{at}/change", version="1", state="resolved")).text()
    assert "First fill in: Serial number." in text
    assert re.search(r'id="edit-fields.serial" class="property is-wrong"', text)
    assert "needed: resolved" in text
    wrong = await (await house.act("amy", f"{at}/change", version="1", **{"fields.amount": "many"})).text()
    assert "Amount: this does not fit." in wrong
    house.client.session.cookie_jar.update_cookies({"cc_language": "zh_CN"}, house.client.make_url("/"))
    chinese = await (await house.act("amy", f"{at}/change", version="1", state="resolved")).text()
    assert "请先填写：序列号。" in chinese


async def test_two_who_add_tags_lose_nothing_of_each_other(house: House) -> None:
    ticket = await open_one(house)
    at = f"/tickets/{ticket.number}"
    for name, tags in (("amy", "VIP, leak"), ("bo", "Gas，leak")):
        await house.sign_in(name)
        text = await (await house.act(name, f"{at}/change", version="1", add_tags=tags)).text()
        assert "Somebody was quicker" not in text
    await house.act("bo", f"{at}/change", version="1", remove_tags="leak")
    await house.act("bo", f"{at}/change", version="1", add_followers=str(house.users["bo"]))
    kept = await get_ticket(house.pool, ticket.id)
    assert kept.tags == ("gas", "vip")
    assert kept.followers == (house.users["bo"],)
    assert "Unfollow" in await text_of(house, at)
    await house.act("bo", f"{at}/change", version="1", remove_followers=str(house.users["bo"]))
    assert (await get_ticket(house.pool, ticket.id)).followers == ()
    assert (await house.act("bo", f"{at}/change", version="1", add_tags="x" * 60)).status == 422
    assert (await house.act("bo", f"{at}/change", version="1", add_followers="99x")).status == 422


async def test_tickets_are_tied_and_untied(house: House) -> None:
    one, two, three = [await open_one(house, name) for name in ("one", "two <b>", "three")]
    at = f"/tickets/{one.number}"
    await house.sign_in("amy")
    text = await (await house.act("amy", f"{at}/ties", tie="relate", to=f"#{two.number}", version="1")).text()
    assert "two &lt;b&gt;" in text
    text = await (await house.act("amy", f"{at}/ties", tie="parent", to=str(three.number), version="2")).text()
    assert "Above it" in text
    assert "Below it" in await text_of(house, f"/tickets/{three.number}")
    text = await (await house.act("amy", f"{at}/ties", tie="parent", to=str(two.number), version="2")).text()
    assert "Somebody was quicker" in text
    await house.act("amy", f"{at}/ties", tie="orphan", to=str(three.number), version="3")
    text = await (await house.act("amy", f"{at}/ties", tie="unrelate", to=str(two.number), version="4")).text()
    assert "Above it" not in text
    assert "two &lt;b&gt;" not in text
    for fields in ({"tie": "relate", "to": "x"}, {"tie": "relate", "to": str(one.number)}, {"tie": "no", "to": "1"}):
        assert (await house.act("amy", f"{at}/ties", version="5", **fields)).status in (404, 422)


async def test_who_merges_goes_on_in_the_other_ticket_and_the_old_page_leads_there(house: House) -> None:
    one, two = await open_one(house, "one", text="It leaks"), await open_one(house, "two")
    await house.sign_in("amy")
    done = await house.act("amy", f"/tickets/{one.number}/ties", tie="merge", to=str(two.number), version="1")
    assert done.headers["HX-Redirect"] == f"/tickets/{two.number}"
    assert "It leaks" in await text_of(house, f"/tickets/{two.number}")
    old = await text_of(house, f"/tickets/{one.number}")
    assert "Merged into" in old
    assert f'href="/tickets/{two.number}"' in old
    assert "Tie the tickets" not in old


async def test_a_message_is_split_off_and_other_customers_are_named(house: House) -> None:
    lin, wu = await make_customer(house.pool, "Lin"), await make_customer(house.pool, "Wu")
    ticket = await open_one(house, customer=lin, text="Also, where is my parcel?", more={"customers": [wu]})
    await house.sign_in("amy")
    text = await text_of(house, f"/tickets/{ticket.number}")
    assert "Wu" in text
    message = re.search(r'name="message" value="(\d+)"', text)
    assert message is not None
    at = f"/tickets/{ticket.number}/split"
    assert (await house.act("amy", at, message=message[1], subject=" ")).status == 422
    assert (await house.act("amy", at, message="1x", subject="Parcel")).status == 422
    done = await house.act("amy", at, message=message[1], subject="Parcel")
    new = await text_of(house, done.headers["HX-Redirect"])
    assert "where is my parcel?" in new
    assert "Split from" in new


@pytest.mark.usefixtures("rules")
async def test_a_macro_is_applied_to_the_version_that_was_seen(house: House) -> None:
    ticket = await open_one(house, owner=house.users["amy"])
    at = f"/tickets/{ticket.number}/macro"
    await house.sign_in("amy")
    text = await (await house.act("amy", at, macro="ask", version="1")).text()
    assert "Which number?" in text
    assert (await get_ticket(house.pool, ticket.id)).state == "pending"
    assert (await house.act("amy", at, macro="ask", version="1")).status == 412
    assert (await house.act("amy", at, macro="gone", version="2")).status == 409


@pytest.mark.usefixtures("rules")
async def test_what_was_changed_is_told_page_by_page(house: House) -> None:
    ticket = await open_one(house)
    for number in range(60):
        await tickets.change(
            house.log, ticket.id, changes={"subject": f"s{number}", "add_tags": [f"t{number % 3}"]}, version=None,
            actor=house.users["bo"], now=NOW,
        )  # fmt: skip
    other = await open_one(house, "other")
    await ticket_ties.relate(house.log, ticket.id, to=other.id, actor=None, now=NOW)
    await house.sign_in("amy")
    text = await text_of(house, f"/tickets/{ticket.number}/history")
    assert "s58 → s59" in text
    assert "Bo" in text
    assert "related tickets" in text
    more = re.search(r'hx-get="(/tickets/\d+/history\?below=\d+)"', text)
    assert more is not None
    assert "s0" in await text_of(house, more[1])


@pytest.mark.usefixtures("rules")
async def test_tasks_and_solutions_stand_beside_the_ticket(house: House) -> None:
    ticket = await open_one(house)
    await house.sign_in("amy")
    await house.act("amy", f"/desk/tickets/{ticket.id}/checklist", checklist="return")
    text = await text_of(house, f"/tickets/{ticket.number}")
    assert "Fetch it" in text
    assert f'hx-get="/desk/solutions?ticket={ticket.id}"' in text


@pytest.mark.usefixtures("rules")
async def test_lists_are_narrowed_down_to_types_tags_and_categories_with_what_lies_below(house: House) -> None:
    await open_one(house, "kettle", category="hardware/kettle", more={"type": "repair", "tags": ["vip", "leak"]})
    await open_one(house, "parcel", category="delivery", more={"type": "question", "tags": ["Late"]})
    await house.sign_in("amy")
    for query, wanted in (
        ("category=hardware", ["kettle"]),
        ("category=hardware&category=delivery", ["parcel", "kettle"]),
        ("type=question", ["parcel"]),
        ("tags=VIP", ["kettle"]),
        ("tags=late&tags=leak&order=oldest", ["kettle", "parcel"]),
        ("view=unassigned&tags=leak", ["kettle"]),
        ("category=hard", []),
    ):
        assert subjects(await text_of(house, f"/tickets?{query}")) == wanted, query
    kept = await house.act("amy", "/tickets/views?category=hardware&tags=leak", name="Leaking hardware")
    assert subjects(await text_of(house, kept.headers["HX-Redirect"])) == ["kettle"]
