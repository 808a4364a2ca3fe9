"""The search over REST."""

from callcenter.actions import tickets
from tests.builders import make_customer
from tests.web.conftest import Doors


async def test_one_question_finds_customers_tickets_and_contacts(doors: Doors) -> None:
    customer = await make_customer(doors.log.pool, "陈艾米", phone="+8613800138421")
    ticket = await tickets.open_ticket(
        doors.log, subject="Heater", customer=customer, interaction=None, queue=None, priority="normal",
        text="A parcel of Chen's", actor=None, now=doors.clock(),
    )  # fmt: skip
    contact = await doors.arrive()
    await doors.log.pool.execute(
        "insert into message (interaction_id, kind, text, at) values ($1, 'note', 'parcel?', $2)",
        contact,
        doors.clock(),
    )
    found = await doors.get("sue", "/api/v1/search?q=parcel")
    [hit] = found["tickets"]
    assert (hit["id"], hit["customer"], hit["customer_name"], hit["text"]) == (
        ticket.id, customer, "陈艾米", "A parcel of Chen's",
    )  # fmt: skip
    assert [(each["interaction"], each["text"]) for each in found["contacts"]] == [(contact, "parcel?")]
    assert (await doors.get("amy", "/api/v1/search?q=parcel"))["contacts"] == []
    [person] = (await doors.get("amy", "/api/v1/search?q=138421"))["customers"]
    assert (person["id"], person["address"]) == (customer, "+8613800138421")


async def test_a_search_that_cannot_be_is_refused_with_the_reason(doors: Doors) -> None:
    for query, said in (("", "q"), ("?q=a b c d e f g h i", "At most 8 words"), ("?q=x&limit=51", "limit")):
        response = await doors.call("amy", "GET", f"/api/v1/search{query}")
        assert response.status == 422
        assert said in await response.text()
    assert (await doors.call(None, "GET", "/api/v1/search?q=x")).status == 401
