"""The search of the desk, asked as a browser asks."""

import pytest

from callcenter.actions import tickets
from tests.builders import NOW, make_customer
from tests.screenpop.conftest import House


async def searched(house: House, text: str) -> str:
    response = await house.client.get("/desk/search", params={"q": text})
    assert response.status == 200
    return await response.text()


async def some_of_each(house: House) -> int:
    """A customer with a chat and a ticket that speak of a parcel; the ticket's number."""
    customer = await make_customer(house.pool, "王小明", phone="+8613800138421")
    chat = await house.pool.fetchval(
        "insert into interaction (channel, state, customer_id, arrived_at, closed_at)"
        " values ('chat', 'closed', $1, $2, $2) returning id",
        customer, NOW,
    )  # fmt: skip
    await house.pool.execute(
        "insert into message (interaction_id, kind, text, at) values ($1, 'inbound', '<b>My</b> parcels 包裹', $2)",
        chat,
        NOW,
    )
    ticket = await tickets.open_ticket(
        house.log, subject="Heater", customer=customer, interaction=None, queue=None, priority="normal",
        text="The parcel is lost", actor=None, now=NOW,
    )  # fmt: skip
    number: int = await house.pool.fetchval("select number from ticket where id = $1", ticket.id)
    return number


async def test_one_box_finds_people_tickets_and_contacts_with_what_was_said(house: House):
    number = await some_of_each(house)
    await house.sign_in("amy")
    page = await searched(house, "parcel")
    assert f'href="/tickets/{number}"' in page
    assert "The <mark>parcel</mark> is lost" in page
    assert "&lt;b&gt;My&lt;/b&gt; <mark>parcels</mark>" in page
    assert [head in page for head in ("Customers", "Tickets", "Contacts")] == [False, True, True]
    page = await searched(house, "8421")
    assert "王小明" in page
    assert "+8613800138421" in page
    assert f'href="/tickets/{number}"' in await searched(house, f"#{number}")
    assert "<mark>包裹</mark>" in await searched(house, "包裹")


@pytest.mark.parametrize(("language", "heads"), [("zh_CN", ("工单", "联系记录")), ("zh_TW", ("工單", "聯絡紀錄"))])
async def test_the_groups_are_named_in_the_readers_language(house: House, language: str, heads: tuple[str, ...]):
    await some_of_each(house)
    await house.sign_in("amy")
    house.client.session.cookie_jar.update_cookies({"cc_language": language}, house.client.make_url("/"))
    page = await searched(house, "parcel")
    assert all(head in page for head in heads)


async def test_nothing_found_and_too_much_asked_are_said_in_place(house: House):
    await house.sign_in("amy")
    assert "Nothing found" in await searched(house, "nobody at all")
    assert "At most 8 words" in await searched(house, "a b c d e f g h i")
    assert (await searched(house, " ")).strip() == ""
