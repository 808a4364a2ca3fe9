"""Pages of tickets: lists, many at once, and one ticket that several people may have open."""

import re
from typing import Any

from callcenter.actions import tickets
from callcenter.store.tickets import Ticket
from callcenter.store.tickets import get as get_ticket
from tests.builders import NOW, arrive, make_customer
from tests.screenpop.conftest import House, frame, read_up


async def open_one(house: House, subject: str = "Refund", **more: Any) -> Ticket:
    given = {"customer": None, "interaction": None, "queue": house.queue, "priority": "normal", "text": None}
    return await tickets.open_ticket(house.log, subject=subject, actor=house.users["amy"], now=NOW, **{**given, **more})


async def text_of(house: House, path: str) -> str:
    response = await house.client.get(path)
    assert response.status == 200, path
    return await response.text()


def subjects(text: str) -> list[str]:
    return re.findall(r'class="row-link"[^>]*><bdi>([^<]*)', text)


async def test_a_list_shows_its_tickets_and_is_narrowed_down(house: House) -> None:
    customer = await make_customer(house.pool, "Li Na")
    await open_one(house, "Mine <b>", owner=house.users["amy"], customer=customer)
    await open_one(house, "Free", priority="urgent", text="电饭煲退款")
    await house.sign_in("amy")
    mine = await text_of(house, "/tickets")
    assert subjects(mine) == ["Mine &lt;b&gt;"]
    assert "Li Na" in mine
    assert subjects(await text_of(house, "/tickets?view=unassigned")) == ["Free"]
    assert subjects(await text_of(house, "/tickets?view=queue")) == ["Mine &lt;b&gt;", "Free"]
    assert subjects(await text_of(house, "/tickets?view=queue&priority=urgent")) == ["Free"]
    assert subjects(await text_of(house, "/tickets?view=words&q=退款")) == ["Free"]
    assert subjects(await text_of(house, f"/tickets?view=customer&customer={customer}")) == ["Mine &lt;b&gt;"]
    assert "Type words" in await text_of(house, "/tickets?view=words")
    assert (await house.client.get("/tickets?view=strange")).status == 422


async def test_a_number_in_the_search_leads_to_its_ticket(house: House) -> None:
    ticket = await open_one(house)
    await house.sign_in("amy")
    response = await house.client.get(f"/tickets?view=words&q=%23{ticket.number}", allow_redirects=False)
    assert response.headers["Location"] == f"/tickets/{ticket.number}"
    assert subjects(await text_of(house, "/tickets?view=words&q=99999999")) == []
    # Longer than any number of ours, though it begins with one of them.
    assert subjects(await text_of(house, f"/tickets?view=words&q={ticket.number:018}{'0' * 4500}")) == []


async def test_many_are_changed_at_once_and_each_refusal_has_its_reason(house: House) -> None:
    first, second = await open_one(house, "first"), await open_one(house, "second")
    await tickets.change(
        house.log, second.id, changes={"priority": "high"}, version=1, actor=house.users["bo"], now=NOW
    )
    await house.sign_in("amy")
    done = await house.client.post(
        "/tickets/bulk?view=unassigned",
        data=[("ticket", f"{first.id}:1"), ("ticket", f"{second.id}:1"), ("to_owner", str(house.users["amy"]))],
        headers={"X-CSRF-Token": house.csrf["amy"], "HX-Request": "true"},
    )
    text = await done.text()
    assert "1 ticket changed." in text
    assert f"#{second.number}" in text
    assert "changed meanwhile by somebody else: priority" in text
    assert subjects(text) == ["second"]
    nothing = await house.act("amy", "/tickets/bulk", ticket=f"{second.id}:2")
    assert nothing.status == 422


async def test_a_list_is_kept_under_a_name_and_thrown_away(house: House) -> None:
    await open_one(house, "urgent", priority="urgent", owner=house.users["amy"])
    await house.sign_in("amy")
    kept = await house.act("amy", "/tickets/views?view=mine&priority=urgent", name="Burning")
    at = kept.headers["HX-Redirect"]
    text = await text_of(house, at)
    assert "Burning" in text
    assert subjects(text) == ["urgent"]
    refused = await house.act("amy", "/tickets/views?view=mine", name="For all", shared="1")
    assert refused.status == 403
    dropped = await house.act("amy", f"/tickets/views/{at.rpartition('=')[2]}/drop")
    assert dropped.status == 204
    assert (await house.client.get(at)).status == 404


async def test_the_page_has_the_conversation_in_one_line_of_time(house: House) -> None:
    customer = await make_customer(house.pool, "Li Na", phone="+8613800138001")
    call = await arrive(house.log, queue=house.queue, phone="+8613800138001")
    ticket = await open_one(house, "Cooker <i>", interaction=call, customer=customer, text="It smokes\nbadly")
    await open_one(house, "Another", customer=customer)
    await house.sign_in("bo")
    text = await text_of(house, f"/tickets/{ticket.number}")
    assert "Cooker &lt;i&gt;" in text
    assert re.findall(r'<li id="(contact|message)-', text) == ["contact", "message"]
    assert "It smokes\nbadly" in text
    assert "Li Na" in text
    assert "Another" in text
    assert (await house.client.get("/tickets/77777")).status == 404


async def test_who_loses_sees_what_the_other_changed_and_may_go_on(house: House) -> None:
    ticket = await open_one(house)
    at = f"/tickets/{ticket.number}"
    await house.sign_in("amy")
    assert "Urgent" not in await text_of(house, at)
    done = await house.act("amy", f"{at}/change", version="1", priority="urgent")
    assert 'value="urgent" selected' in await done.text()
    await house.sign_in("bo")
    lost = await (await house.act("bo", f"{at}/change", version="1", owner=str(house.users["bo"]))).text()
    assert "Somebody was quicker" in lost
    assert "Amy changed priority to “urgent”" in lost
    assert "You wanted: owner “Bo”." in lost
    assert (await get_ticket(house.pool, ticket.id)).owner is None
    await house.act("bo", f"{at}/change", version="2", owner=str(house.users["bo"]))
    assert (await get_ticket(house.pool, ticket.id)).owner == house.users["bo"]
    emptied = await house.act("bo", f"{at}/change", version="3", owner="0")
    assert emptied.status == 200
    assert (await get_ticket(house.pool, ticket.id)).owner is None
    for fields in (
        {"version": "4"},
        {"owner": "x", "version": "4"},
        {"state": "open"},
        {"subject": " ", "version": "4"},
    ):
        assert (await house.act("bo", f"{at}/change", **fields)).status == 422, fields


async def test_what_is_being_written_is_kept_until_it_is_sent(house: House) -> None:
    ticket = await open_one(house)
    at = f"/tickets/{ticket.number}"
    await house.sign_in("amy")
    await house.act("amy", f"{at}/draft", note="half a sen\r\ntence", public="1")
    text = await text_of(house, at)
    assert ">half a sen\ntence</textarea>" in text
    assert 'name="public" value="1" data-key="a" checked' in text
    sent = await (await house.act("amy", f"{at}/reply", note="a whole sentence", public="1")).text()
    assert "a whole sentence" in sent
    assert "half a sen" not in sent
    assert (await get_ticket(house.pool, ticket.id)).state == "open"
    assert (await house.act("amy", f"{at}/draft", note="x" * 10_001)).status == 422
    assert (await house.act("amy", f"{at}/reply", note=" ")).status == 422


async def test_colleagues_at_the_same_ticket_are_named_until_they_leave(house: House) -> None:
    ticket = await open_one(house)
    at = f"/tickets/{ticket.number}"
    await house.sign_in("amy")
    assert "Amy" not in await (await house.act("amy", f"{at}/here")).text()  # nobody collides with themselves
    bo = await house.sign_in("bo")
    assert bo
    assert "Amy has it open too" in await (await house.act("bo", f"{at}/here")).text()
    assert "Amy has it open too" in await text_of(house, at)
    await house.sign_in("amy")
    await house.act("amy", f"{at}/draft", note="Dear")
    await house.sign_in("bo")
    assert "Amy is writing" in await (await house.act("bo", f"{at}/here")).text()
    await house.sign_in("amy")
    await house.act("amy", f"{at}/left")
    await house.sign_in("bo")
    assert "Amy" not in await (await house.act("bo", f"{at}/here")).text()


async def test_a_colleague_whose_browser_died_is_gone_by_themselves(house: House) -> None:
    ticket = await open_one(house)
    at = f"/tickets/{ticket.number}"
    await house.sign_in("amy")
    await house.act("amy", f"{at}/here")
    await house.sign_in("bo")
    assert "Amy has it open too" in await (await house.act("bo", f"{at}/here")).text()
    await house.pool.execute("update ticket_reader set until = until - interval '26 seconds'")
    assert "Amy" not in await (await house.act("bo", f"{at}/here")).text()


async def test_an_open_page_is_told_of_changes_and_of_who_comes(house: House) -> None:
    ticket, other = await open_one(house), await open_one(house)
    await read_up(house)
    await house.sign_in("amy")
    page = await house.desk("amy", view=f"ticket:{ticket.id}")
    lists = await house.desk("amy", view="tickets")
    for socket in (page, lists):
        await socket.send_json({"type": "seen", "cursor": str(house.feed.cursor), "clock": True})
        await frame(socket, "hello")
    await tickets.reply(house.log, other.id, text="x", public=False, actor=house.users["bo"], now=NOW)
    await tickets.reply(house.log, ticket.id, text="x", public=False, actor=house.users["bo"], now=NOW)
    await house.read_feed()
    assert (await frame(page, "hint"))["regions"] == ["ticket"]
    assert (await frame(lists, "hint"))["regions"] == ["tickets"]
    await house.sign_in("bo")
    await house.act("bo", f"/tickets/{ticket.number}/here")
    assert (await frame(page, "hint"))["regions"] == ["here"]
    await page.close()
    await lists.close()


async def test_numbers_of_tickets_lead_to_their_pages(house: House) -> None:
    ticket = await open_one(house, owner=house.users["amy"])
    await house.sign_in("amy")
    assert f'href="/tickets/{ticket.number}"' in await text_of(house, "/")
