"""To whom an answer goes, as the console says it above the box, and the answer itself."""

import re

import pytest

from callcenter.actions import mail_in
from callcenter.actions.mail_in import Received
from channels.email.parse import parse
from tests.builders import NOW, make_customer
from tests.channels.email.messages import message
from tests.screenpop.conftest import House

WARNING = "This is no address of the ticket&#39;s customer."


async def come(house: House, raw: bytes) -> Received:
    return await mail_in.receive(house.log, parse(raw), raw, now=NOW)


async def wang_writes(house: House) -> Received:
    await house.pool.execute(
        "insert into mailbox (address, queue_id, acknowledge) values ('care@heronbay.example', $1, false)", house.queue
    )
    customer = await make_customer(house.pool, "Wang Fang")
    await house.pool.execute(
        "insert into address (customer_id, kind, value) values ($1, 'email', 'wang@customer.example')", customer
    )
    return await come(house, message())


async def stranger_writes(house: House) -> Received:
    fields = {"From": "Eve <eve@other.example>", "Message_ID": "<2@x>", "In_Reply_To": "<1@customer.example>"}
    return await come(house, message(b"Send it to me.", **fields))


async def page_of(house: House, path: str, **headers: str) -> str:
    response = await house.client.get(path, headers=headers)
    assert response.status == 200, await response.text()
    return await response.text()


def receiver(page: str) -> str:
    found = re.search(r'<p class="receiver.*?</p>', page, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", "", found[0]).split())


async def recipients(house: House) -> list[str]:
    rows = await house.pool.fetch("select recipient from outbox where template is null order by id")
    return [each["recipient"] for each in rows]


async def number_of(house: House, ticket: int | None) -> int:
    return int(await house.pool.fetchval("select number from ticket where id = $1", ticket))


async def test_the_page_of_a_ticket_names_the_customer_and_the_answer_goes_there(house: House) -> None:
    first = await wang_writes(house)
    await stranger_writes(house)
    await house.sign_in("amy")
    at = f"/tickets/{await number_of(house, first.ticket)}"
    page = await page_of(house, at)
    assert receiver(page) == "To: Wang Fang &lt;wang@customer.example&gt;"
    assert "is-stranger" not in page
    assert '<option value="eve@other.example">' in page
    answer = await house.act("amy", f"{at}/reply", public="1", note="Press it.")
    assert answer.status == 200
    assert "wang@customer.example" in await answer.text()
    assert await recipients(house) == ["wang@customer.example"]


async def test_the_stage_of_a_mail_names_its_sender_with_a_warning_and_answers_them(house: House) -> None:
    await wang_writes(house)
    second = await stranger_writes(house)
    csrf = await house.sign_in("sue")
    at = f"/desk/interactions/{second.interaction}"
    page = await page_of(house, f"{at}/mail")
    assert receiver(page) == f"To: Eve &lt;eve@other.example&gt;{WARNING}"
    assert 'class="receiver is-stranger"' in page
    sent = await house.client.post(f"{at}/answer", data={"text": "Who are you?"}, headers={"X-CSRF-Token": csrf})
    assert sent.status == 200
    assert await recipients(house) == ["eve@other.example"]


async def test_an_agent_types_another_address_and_what_is_none_is_refused(house: House) -> None:
    first = await wang_writes(house)
    await house.sign_in("amy")
    at = f"/tickets/{await number_of(house, first.ticket)}"
    refused = await house.act("amy", f"{at}/reply", public="1", note="Press it.", to="eve")
    assert refused.status == 422
    assert "That is no mail address." in await refused.text()
    answer = await house.act("amy", f"{at}/reply", public="1", note="Press it.", to="eve@other.example")
    assert "eve@other.example" in await answer.text()
    assert await recipients(house) == ["eve@other.example"]
    # What stands there does not matter to a note.
    assert (await house.act("amy", f"{at}/reply", public="0", note="Told Eve.", to="eve")).status == 200


async def test_where_nothing_can_be_sent_the_page_says_so(house: House) -> None:
    number = await house.pool.fetchval(
        "insert into ticket (number, subject, created_at, updated_at) "
        "values (nextval('ticket_number'), 'By phone', $1, $1) returning number", NOW,
    )  # fmt: skip
    await house.sign_in("amy")
    assert receiver(await page_of(house, f"/tickets/{number}")).startswith("No address is known")


@pytest.mark.parametrize(
    ("code", "to", "warning"),
    [("zh-CN", "收件人：", "这不是该工单客户的地址。"), ("zh-TW", "收件人：", "這不是該工單客戶的地址。")],
)
async def test_the_receiver_is_named_in_the_language_of_the_reader(
    house: House, code: str, to: str, warning: str
) -> None:
    await wang_writes(house)
    second = await stranger_writes(house)
    await house.sign_in("sue")
    await house.pool.execute("update users set language = $1", code.replace("-", "_"))
    await house.directory.load()
    page = receiver(await page_of(house, f"/desk/interactions/{second.interaction}/mail"))
    assert page == f"{to} Eve &lt;eve@other.example&gt;{warning}"


async def test_a_colleagues_mail_stands_in_the_conversation_as_a_note_with_what_was_attached(house: House) -> None:
    first = await wang_writes(house)
    await house.pool.execute("update users set email = 'bo@heronbay.example', full_name = 'Bo Lin' where name = 'bo'")
    fields = {"From": "bo@heronbay.example", "Message_ID": "<3@x>", "In_Reply_To": "<1@customer.example>"}
    note = await come(house, message(b"I know this router.", **fields))
    await house.sign_in("amy")
    number = await number_of(house, first.ticket)
    page = await page_of(house, f"/tickets/{number}")
    said = re.search(r'<li id="message-\d+" class="said is-note">.*?</li>', page, re.DOTALL)
    assert said is not None
    assert "Bo Lin" in said[0]
    assert f'hx-get="/tickets/{number}/mail/{note.interaction}"' in said[0]
    assert "I know this router." in await page_of(house, f"/tickets/{number}/mail/{note.interaction}")
