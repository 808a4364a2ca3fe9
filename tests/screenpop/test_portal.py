"""Customers who see their own cases: what they do there, and that nobody sees another's."""

import asyncio
import re
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from aiohttp import FormData

from callcenter.actions import customer_merges, tickets, uploads
from callcenter.actions.ticket_ties import merge
from tests.builders import NOW, eventually
from tests.screenpop.conftest import House
from tests.screenpop.visitor import LI, WANG, My, know, open_portal

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.fixture
async def my(house: House) -> My:
    return await open_portal(house)


# -- what they do there


async def test_a_case_is_read_answered_closed_and_opened_again(my: My) -> None:
    ticket = await my.write(WANG)
    await my.answer(ticket, "Try the other socket.")
    await tickets.reply(my.house.log, ticket, text="A difficult one.", public=False, actor=None, now=NOW)
    await my.enter(WANG)
    at = f"/my/cases/{await my.number(ticket)}"
    page = await my.get(at)
    assert "It stays dark." in page
    assert "Try the other socket." in page
    assert "Amy" in page
    assert "difficult" not in page
    await my.act(f"{at}/answer", text="Still dark.", submission="one")
    await my.act(f"{at}/answer", text="Still dark.", submission="one")
    assert (await my.get(at)).count("Still dark.") == 1
    await my.act(f"{at}/close")
    state = "select state from ticket where id = $1"
    assert await my.house.pool.fetchval(state, ticket) == "closed"
    await my.act(f"{at}/reopen")
    assert await my.house.pool.fetchval(state, ticket) == "open"
    notes = await my.house.pool.fetch("select text from message where kind = 'note' order by id desc limit 2")
    assert {row["text"] for row in notes} == {"The customer closed the case.", "The customer opened the case again."}


async def test_an_answer_is_work_that_waits_and_a_question_to_us(my: My) -> None:
    ticket = await my.write(WANG)
    await my.answer(ticket, "Try the other socket.")
    await tickets.change(my.house.log, ticket, changes={"state": "pending"}, version=None, actor=None, now=NOW)
    await my.enter(WANG)
    at = f"/my/cases/{await my.number(ticket)}"
    assert "we wait for your answer" in await my.get(at)
    await my.act(f"{at}/answer", text="Still dark.")
    row = await my.house.pool.fetchrow("select * from interaction order by id desc limit 1")
    assert row is not None
    assert (row["channel"], row["state"], row["ticket_id"], row["customer_id"]) == ("form", "queued", ticket, my.wang)
    assert await my.house.pool.fetchval("select state from ticket where id = $1", ticket) == "open"
    kinds = [row["kind"] for row in await my.house.pool.fetch("select kind from contact_log order by seq")]
    assert kinds.count("message.received") == 2


async def test_an_answer_brings_a_case_that_is_over_back_to_work(my: My) -> None:
    ticket = await my.write(WANG)
    await tickets.change(my.house.log, ticket, changes={"state": "resolved"}, version=None, actor=None, now=NOW)
    await my.enter(WANG)
    await my.act(f"/my/cases/{await my.number(ticket)}/answer", text="No.")
    assert await my.house.pool.fetchval("select state from ticket where id = $1", ticket) == "open"


async def test_files_go_both_ways(my: My) -> None:
    ticket = await my.write(WANG)
    await my.enter(WANG)
    at = f"/my/cases/{await my.number(ticket)}"
    data = FormData()
    data.add_field("text", "See the photo.")
    data.add_field("files", BytesIO(PNG), filename="led.png", content_type="image/png")
    response = await my.house.client.post(f"{at}/answer", data=data, allow_redirects=False)
    assert response.status == 303
    path = re.search(r"/my/files/\d+", await my.get(at))
    assert path is not None
    saved = await my.house.client.get(path[0])
    assert await saved.read() == PNG
    assert saved.headers["Content-Disposition"].startswith("attachment")
    data = FormData()
    data.add_field("text", "Look.")
    data.add_field("files", BytesIO(b"MZ"), filename="x.exe")
    response = await my.house.client.post(f"{at}/answer", data=data, headers={"Accept-Language": "en"})
    assert response.status == 422
    assert "x.exe is a program" in await response.text()


async def test_three_slow_bodies_of_one_address_are_read_and_a_fourth_is_not(my: My) -> None:
    await my.enter(WANG)
    kind, enough = {"Content-Type": "multipart/form-data; boundary=x"}, asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"--x\r\n"
        await enough.wait()
        yield b"--x--\r\n"

    async def refused() -> bool:
        response = await my.house.client.post("/my/new", data={"subject": "", "text": ""})
        return response.status == 429 and "Wait until" in await response.text()

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(my.house.client.post("/my/new", data=slow(), headers=kind, allow_redirects=False))
        try:
            await eventually(refused)
        finally:
            enough.set()


async def test_a_new_case_is_opened_once_and_acknowledged(my: My) -> None:
    await my.enter(WANG)
    fields = {"subject": "My kettle", "text": "It leaks.", "submission": "abc"}
    for _ in range(2):
        await my.house.client.post("/my/new", data=fields)
    assert "My kettle" in await my.get()
    assert await my.house.pool.fetchval("select count(*) from ticket") == 1
    letters = await my.house.pool.fetch("select recipient from outbox where template = 'acknowledgement'")
    assert [row["recipient"] for row in letters] == [WANG]
    await my.act("/my/new", subject="", text="x", status=422)


async def test_a_case_that_is_over_is_rated(my: My) -> None:
    rules = {"ask": "csat", "bad": 2, "delay": 0, "not_again": 86400, "valid": 14 * 86400, "change_within": 3600}
    await my.house.pool.execute("update queue set survey = $1", rules)
    ticket = await my.write(WANG)
    await my.house.pool.execute(
        "update interaction set state = 'closed', outcome = 'handled', closed_at = $1, ended_at = $1", NOW
    )
    await my.enter(WANG)
    at = f"/my/cases/{await my.number(ticket)}"
    assert "How satisfied" not in await my.get(at)
    await my.act(f"{at}/rate", score="5", status=422)
    await my.act(f"{at}/close")
    assert "How satisfied" in await my.get(at)
    await my.act(f"{at}/rate", score="9", status=422)
    await my.act(f"{at}/rate", score="4", comment="Quick.")
    await my.act(f"{at}/rate", score="5", comment="Quick.")
    row = await my.house.pool.fetchrow("select score, comment from survey")
    assert row is not None
    assert tuple(row) == (5, "Quick.")
    assert "You answered: 5" in await my.get(at)


async def test_the_pages_speak_three_languages(my: My) -> None:
    for tag, words in (("zh-CN", "您的服务单"), ("zh-TW", "您的案件"), ("en", "Your cases")):
        response = await my.house.client.get("/my", headers={"Accept-Language": tag})
        assert words in await response.text()
    assert 'lang="zh-TW"' in await my.get("/my?lang=zh_TW")


# -- nobody sees another's


async def see(my: My) -> set[int]:
    """The numbers in the list, each of which opens, while nothing else does."""
    page = await my.get()
    shown = {int(number) for number in re.findall(r"/my/cases/(\d+)", page)}
    every = {row["number"] for row in await my.house.pool.fetch("select number from ticket")}
    for number in every:
        status = 200 if number in shown else 404
        await my.get(f"/my/cases/{number}", status=status)
        if status == 404:
            for verb in ("answer", "close", "reopen", "rate"):
                await my.act(f"/my/cases/{number}/{verb}", text="x", score="1", status=404)
    return shown


async def test_customers_see_their_own_cases_and_no_colleagues(my: My) -> None:
    own, other = await my.write(WANG), await my.write(LI, "Another's secret.")
    await my.enter(WANG)
    assert await see(my) == {await my.number(own)}
    assert "secret" not in await my.get()
    assert await my.house.pool.fetchval("select state from ticket where id = $1", other) == "new"


async def test_an_address_that_may_be_theirs_opens_nothing_of_theirs(my: My) -> None:
    own = await my.write(WANG)
    await know(my.house, my.wang, "maybe@post.example", "maybe")
    by_maybe = await my.write("maybe@post.example", "From the other mailbox.")
    await my.enter("maybe@post.example")
    # What was written from there is theirs to read: nobody else has written in it.
    assert await see(my) == {await my.number(by_maybe)}
    assert by_maybe != own


async def test_an_address_that_only_may_be_somebodys_gets_no_link(my: My) -> None:
    await know(my.house, my.wang, "maybe@post.example", "maybe")
    await my.ask("maybe@post.example")
    assert await my.letters() == []


async def test_an_address_of_two_customers_opens_what_came_from_it_alone(my: My) -> None:
    shared = "office@post.example"
    await my.write(WANG)
    await my.write(LI)
    for customer in (my.wang, my.li):
        await know(my.house, customer, shared)
    ours = await my.write(shared, "From the office.")
    await my.enter(shared)
    assert await see(my) == {await my.number(ours)}


async def test_what_somebody_else_wrote_in_ones_case_stays_theirs(my: My) -> None:
    ticket = await my.write(WANG)
    await my.write(LI, "My own number is 4711.", ticket=ticket)
    await my.answer(ticket, "To Li about 4711.", to=LI)
    await my.write(WANG, "And mine?", ticket=ticket)
    await my.answer(ticket, "To Wang.")
    await my.enter(WANG)
    page = await my.get(f"/my/cases/{await my.number(ticket)}")
    assert "And mine?" in page
    assert "To Wang." in page
    assert "4711" not in page
    await my.enter(LI)
    assert await see(my) == set()


async def test_an_answer_after_a_strangers_message_is_shown_to_whom_its_letter_went(my: My) -> None:
    ticket = await my.write(WANG)
    await my.write("stranger@other.example", "Let me in.", ticket=ticket)
    await my.answer(ticket, "Press reset.")
    await my.answer(ticket, "For your electrician.", to="sparks@other.example")
    sent = await my.house.pool.fetch("select recipient from outbox where template is null order by id")
    assert [each["recipient"] for each in sent] == [WANG, "sparks@other.example"]
    await my.enter(WANG)
    page = await my.get(f"/my/cases/{await my.number(ticket)}")
    assert "Press reset." in page
    assert "electrician" not in page
    assert "Let me in." not in page


async def test_a_customer_of_two_addresses_is_answered_where_they_wrote_last_and_reads_it_in_both(my: My) -> None:
    await know(my.house, my.wang, "wang@home.example")
    ticket = await my.write(WANG)
    await my.write("wang@home.example", "I am at home now.", ticket=ticket)
    await my.answer(ticket, "Press reset.")
    assert await my.house.pool.fetchval("select recipient from outbox where template is null") == "wang@home.example"
    for address in (WANG, "wang@home.example"):
        await my.enter(address)
        assert "Press reset." in await my.get(f"/my/cases/{await my.number(ticket)}")


async def test_an_address_that_was_taken_away_gets_no_answer_while_there_is_another_and_reads_none(my: My) -> None:
    await know(my.house, my.wang, "wang@home.example")
    ticket = await my.write(WANG)
    await my.write("wang@home.example", "I am at home now.", ticket=ticket)
    # It is somebody else's by now.
    await my.house.pool.execute("delete from address where value = 'wang@home.example'")
    await know(my.house, my.li, "wang@home.example")
    await my.answer(ticket, "Press reset.")
    assert await my.house.pool.fetchval("select recipient from outbox where template is null") == WANG
    await my.enter("wang@home.example")
    assert await see(my) == set()


async def test_a_case_that_was_merged_into_anothers_is_not_shown(my: My) -> None:
    own, other = await my.write(WANG), await my.write(LI, "Li's secret.")
    await merge(my.house.log, own, into=other, version=None, actor=my.house.users["amy"], now=NOW)
    await my.enter(WANG)
    assert await see(my) == set()


async def test_customers_who_are_one_person_see_the_cases_of_both_until_they_are_two_again(my: My) -> None:
    own, other = await my.write(WANG), await my.write(LI)
    numbers = {await my.number(own), await my.number(other)}
    merged = await customer_merges.merge(my.house.log, my.li, into=my.wang, actor=None, now=NOW)
    await my.enter(LI)
    assert await see(my) == numbers
    await customer_merges.undo(my.house.log, merged, into=my.wang, actor=None, now=NOW)
    # The same visit: whose the address is is asked each time.
    assert await see(my) == {await my.number(other)}


async def test_files_of_others_and_of_notes_are_not_there(my: My) -> None:
    own, other = await my.write(WANG), await my.write(LI)
    query = "insert into message (ticket_id, kind, public, text, at) values ($1, $2, false, 'x', now()) returning id"
    ids = []
    for ticket, kind in ((own, "note"), (other, "note")):
        message = await my.house.pool.fetchval(query, ticket, kind)
        ident = await uploads.keep(my.house.log, "led.png", None, PNG, now=NOW)
        async with my.house.log.transaction() as tx:
            await uploads.bind(tx, [ident], message=message)
        ids.append(ident)
    ids.append(await uploads.keep(my.house.log, "led.png", None, PNG, now=NOW))
    await my.enter(WANG)
    for ident in [*ids, 999_999]:
        await my.get(f"/my/files/{ident}", status=404)


async def test_a_submission_of_somebody_else_is_not_taken_over(my: My) -> None:
    await my.enter(LI)
    await my.act("/my/new", subject="Mine", text="Li's.", submission="same")
    await my.enter(WANG)
    await my.act("/my/new", subject="Mine too", text="Wang's.", submission="same")
    assert "Mine too" in await my.get()
    assert await my.house.pool.fetchval("select count(*) from ticket") == 2


async def test_a_customer_who_is_no_longer_known_by_the_address_sees_nothing(my: My) -> None:
    await my.write(WANG)
    await my.enter(WANG)
    call = await my.house.pool.fetchval(
        "insert into ticket (number, subject, customer_id, created_at, updated_at) "
        "values (nextval('ticket_number'), 'By phone', $1, $2, $2) returning number", my.wang, NOW,
    )  # fmt: skip
    assert call in await see(my)
    await my.house.pool.execute("delete from address where customer_id = $1", my.wang)
    assert call not in await see(my)


@pytest.mark.parametrize("path", ["/my/cases/1001", "/my/new", "/my/files/1", "/my/suggest?text=x"])
async def test_without_a_visit_every_page_leads_to_the_door(my: My, path: str) -> None:
    await my.write(WANG)
    await my.get(path, status=303)
    my.house.client.session.cookie_jar.update_cookies({"cc_my": "guess"})
    await my.get(path, status=303)
