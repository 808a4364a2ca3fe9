"""How customers come into the portal, and how a visit ends."""

from datetime import timedelta

import pytest

from callcenter.actions import outbox, portal
from callcenter.store import web_forms
from tests.builders import NOW, later
from tests.screenpop.conftest import House
from tests.screenpop.visitor import WANG, My, open_portal


@pytest.fixture
async def my(house: House) -> My:
    return await open_portal(house)


async def test_a_link_by_mail_lets_in_once_and_after_a_button(my: My) -> None:
    await my.write(WANG)
    link = await my.link(WANG)
    for _ in range(2):  # a scanner of mail
        assert "Continue" in await my.get(link)
    token = link.partition("t=")[2].partition("&")[0]
    response = await my.house.client.post("/my/enter", data={"t": token}, allow_redirects=False)
    cookie = response.cookies["cc_my"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/my")
    assert "About It stays dark." in await my.get()
    my.house.client.session.cookie_jar.clear()
    await my.act("/my/enter", t=token, status=410)
    await my.get(link, status=410)


async def test_a_link_is_good_for_a_quarter_of_an_hour(my: My) -> None:
    token = (await my.link(WANG)).partition("t=")[2].partition("&")[0]
    my.house.moment.now = later(15 * 60)
    await my.act("/my/enter", t=token, status=410)
    await my.act("/my/enter", t=token[:-2], status=410)


async def test_whether_an_address_is_known_is_told_to_nobody(my: My) -> None:
    known, unknown = await my.ask(WANG), await my.ask("nobody@post.example")
    assert known.replace(WANG, "X") == unknown.replace("nobody@post.example", "X")
    assert [row["recipient"] for row in await my.letters()] == [WANG]


async def test_a_mailbox_is_not_filled_with_links(my: My) -> None:
    for _ in range(6):
        await my.ask(WANG)
    assert len(await my.letters()) == 3
    my.house.moment.now = later(16 * 60)
    await my.ask(WANG)
    assert len(await my.letters()) == 4


async def test_one_network_address_asks_for_so_many_links(my: My) -> None:
    for n in range(10):
        await my.ask(f"a{n}@post.example")
    response = await my.house.client.post("/my/link", data={"email": WANG})
    assert response.status == 429


async def test_the_letter_waits_no_longer_than_its_link_is_good(my: My) -> None:
    await my.ask(WANG)
    [letter] = await my.letters()
    assert letter["expires_at"] == NOW + portal.LINK_FOR
    assert await outbox.take(my.house.log, domain="x", lease=timedelta(minutes=1), now=NOW) is not None


async def test_a_visit_ends_when_its_time_is_over_or_somebody_ends_it(my: My) -> None:
    await my.enter(WANG)
    await my.act("/my/leave")
    assert "Send me the link" in await my.get()
    await my.enter(WANG)
    await portal.leave_everywhere(my.house.log, WANG)
    await my.get("/my/new", status=303)
    my.house.moment.now = later(16 * 60)
    await my.enter(WANG)
    my.house.moment.now = later(31 * 86400)
    await my.get("/my/new", status=303)
    await portal.purge(my.house.log, now=my.house.moment())
    assert await my.house.pool.fetchval("select count(*) from portal_session") == 0


async def test_without_a_portal_in_the_file_there_is_none(my: My) -> None:
    async with my.house.pool.acquire() as connection:
        await web_forms.put_portal(connection, None)
    await my.get(status=404)
    assert (await my.house.client.post("/my/link", data={"email": WANG})).status == 404


async def test_pages_of_other_sites_cannot_write_in_a_customers_name(my: My) -> None:
    ticket = await my.write(WANG)
    await my.enter(WANG)
    path = f"/my/cases/{await my.number(ticket)}/close"
    response = await my.house.client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status == 403
