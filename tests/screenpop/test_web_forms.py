"""Forms that customers send: over REST and on their own page, without scripts."""

import re
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from aiohttp import FormData

from callcenter.actions import interactions, tickets
from callcenter.domain.thread import token as reference
from callcenter.domain.web_form import Choice, FieldKind, FormField, WebForm
from callcenter.store import web_forms
from tests.builders import NOW, a_wait, later, on_queue, reserve
from tests.screenpop.conftest import House

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
SITE = "https://www.heronbay.example"
FORM = WebForm(
    name="contact",
    queue="support",
    title={"en": "Write to us", "zh_CN": "联系我们"},
    thanks="Talk to you soon.",
    sites=(SITE,),
    per_hour=20,
    fields=(
        FormField(name="name", kind=FieldKind.TEXT, text="Name", to="name"),
        FormField(name="email", kind=FieldKind.EMAIL, text="Mail", required=True),
        FormField(
            name="topic", kind=FieldKind.CHOICE, text="Topic", to="category",
            choices=(Choice("order", "An order"), Choice("parts", "Parts")),
        ),
        FormField(name="serial", kind=FieldKind.TEXT, text="Serial", to="fields.serial"),
        FormField(name="case", kind=FieldKind.TEXT, text="Case", to="ticket"),
        FormField(name="text", kind=FieldKind.LONG_TEXT, text="Text", required=True, to="text"),
        FormField(name="files", kind=FieldKind.FILE, text="Files"),
    ),
)  # fmt: skip
VALUES = {"email": "wang@post.example", "text": "It stays dark."}
API = "/api/v1/forms/contact"


async def declare(house: House, form: WebForm = FORM) -> None:
    async with house.pool.acquire() as connection:
        await web_forms.put(connection, [form])
    await house.pool.execute("update queue set is_default = true")
    house.client.session.cookie_jar.clear()


@pytest.fixture(autouse=True)
async def contact(house: House) -> None:
    await declare(house)


async def rows(house: House, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await house.pool.fetch(f"select * from {table} order by id")]


async def send(house: House, values: dict[str, Any], *, status: int = 201, headers: Any = None, **more: Any) -> Any:
    response = await house.client.post(API, json={"values": values, **more}, headers=headers)
    assert response.status == status, await response.text()
    return await response.json()


async def drawn(house: House, path: str = "/forms/contact", language: str = "en") -> tuple[str, str]:
    """The page, and its token."""
    response = await house.client.get(path, headers={"Accept-Language": language})
    assert response.status == 200
    page = unescape(await response.text())
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return page, found[1]


async def post(house: House, token: str, **fields: Any):
    data = FormData()
    own = {name: fields.pop(name) for name in ("call",) if name in fields}
    for name, value in {"token": token, **own, **{f"f.{name}": value for name, value in fields.items()}}.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, tuple):
                data.add_field(name, BytesIO(each[1]), filename=each[0], content_type="image/png")
            else:
                data.add_field(name, each)
    headers = {"Accept-Language": "en"}
    return await house.client.post("/forms/contact", data=data, headers=headers, allow_redirects=False)


# -- over REST


async def test_a_submission_is_one_contact_with_its_ticket_that_waits_in_the_forms_queue(house: House) -> None:
    receipt = await send(house, {**VALUES, "name": "Wang", "topic": "parts"})
    [contact], [ticket], [message] = [await rows(house, each) for each in ("interaction", "ticket", "message")]
    assert (contact["channel"], contact["state"], contact["queue_id"]) == ("form", "queued", house.queue)
    assert (contact["address"], contact["address_name"], contact["called"]) == ("wang@post.example", "Wang", "contact")
    assert (ticket["number"], ticket["category"], contact["ticket_id"]) == (receipt["number"], "parts", ticket["id"])
    assert (message["kind"], message["public"]) == ("inbound", True)
    assert message["text"].startswith("It stays dark.\n\nName: Wang\n")
    [letter] = await rows(house, "outbox")
    assert (letter["recipient"], letter["template"], letter["data"]["number"]) == (
        "wang@post.example", "acknowledgement", receipt["number"],
    )  # fmt: skip


async def test_a_submission_that_is_sent_twice_is_one(house: House) -> None:
    token = (await (await house.client.get(API)).json())["token"]
    house.moment.now = later(10)
    first = await send(house, VALUES, token=token)
    again = await send(house, VALUES, token=token, status=200)
    assert again["number"] == first["number"]
    await send(house, VALUES, id="order-7")
    await send(house, VALUES, id="order-7", status=200)
    assert len(await rows(house, "interaction")) == 2
    assert len(await rows(house, "outbox")) == 1


async def test_what_is_wrong_is_named_by_field_and_nothing_is_kept(house: House) -> None:
    problem = await send(house, {"email": "wang", "topic": "x"}, status=422)
    found = {each["field"]: each["message"] for each in problem["errors"]}
    assert found == {"email": "This is no e-mail address.", "topic": "Choose one of these.", "text": "This is needed."}
    assert await rows(house, "interaction") == []


async def test_programs_that_fill_in_everything_or_at_once_are_refused(house: House) -> None:
    assert "only programs" in (await send(house, VALUES, website="http://spam", status=422))["detail"]
    token = (await (await house.client.get(API)).json())["token"]
    assert "That was fast" in (await send(house, VALUES, token=token, status=429))["detail"]
    await send(house, VALUES, token="x" * 20, status=422)
    house.moment.now = later(90_000)
    await send(house, VALUES, token=token, status=404)
    assert await rows(house, "interaction") == []


async def test_a_form_that_wants_tokens_takes_nothing_without(house: House) -> None:
    await declare(house, WebForm(name="contact", queue="support", title="T", fields=FORM.fields, signed=True))
    await send(house, VALUES, status=422)
    token = (await (await house.client.get(API)).json())["token"]
    house.moment.now = later(10)
    await send(house, VALUES, token=token)


async def test_one_address_sends_so_many_an_hour(house: House) -> None:
    await declare(house, WebForm(name="contact", queue="support", title="T", fields=FORM.fields, per_hour=2))
    for _ in range(2):
        await send(house, VALUES)
    await send(house, VALUES, status=429)
    house.moment.now = later(1801)
    await send(house, VALUES)


async def test_pages_of_declared_sites_send_it_and_those_of_others_do_not(house: House) -> None:
    cross = {"Origin": SITE, "Sec-Fetch-Site": "cross-site"}
    asked = await house.client.options(API, headers={**cross, "Access-Control-Request-Method": "POST"})
    assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (204, SITE)
    assert asked.headers["Access-Control-Allow-Headers"] == "Content-Type"
    await send(house, VALUES, headers=cross)
    refused = await house.client.post(API, json={"values": {}}, headers=cross)
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (422, SITE)
    other = await house.client.post(API, json={"values": VALUES}, headers={"Origin": "https://evil.example"})
    assert other.status == 403
    assert "Access-Control-Allow-Origin" not in other.headers


async def test_files_are_uploaded_with_the_token_before(house: House) -> None:
    token, other = [(await (await house.client.get(API)).json())["token"] for _ in range(2)]
    house.moment.now = later(10)
    kept = await house.client.post(f"{API}/files?name=led.png&token={token}", data=PNG)
    assert kept.status == 201, await kept.text()
    ident = (await kept.json())["id"]
    await send(house, VALUES, token=other, files=[ident], status=422)
    await send(house, VALUES, files=[ident], status=422)
    await send(house, VALUES, token=token, files=[ident])
    [upload], [message] = await rows(house, "upload"), await rows(house, "message")
    assert (upload["message_id"], upload["name"]) == (message["id"], "led.png")
    program = await house.client.post(f"{API}/files?name=a.png&token={other}", data=b"MZ\x90")
    assert program.status == 422


async def test_a_case_goes_on_with_the_reference_of_our_letters_and_with_nothing_less(house: House) -> None:
    number = (await send(house, VALUES))["number"]
    [ticket] = await rows(house, "ticket")
    await tickets.change(house.log, ticket["id"], changes={"state": "closed"}, version=None, actor=None, now=NOW)
    key = await house.pool.fetchval("select link_key from organisation")
    assert (await send(house, {**VALUES, "case": f"[#{reference(key, number)}]"}))["number"] == number
    assert (await rows(house, "ticket"))[0]["state"] == "open"
    assert (await send(house, {**VALUES, "case": str(number)}))["number"] != number
    assert (await send(house, {**VALUES, "case": f"{number}-aaaaaaaaaa"}))["number"] != number


async def test_fields_that_tickets_have_no_place_for_stand_in_the_text(house: House) -> None:
    await send(house, {**VALUES, "serial": "K-7"})
    [ticket], [message] = await rows(house, "ticket"), await rows(house, "message")
    assert ticket["fields"] == {}
    assert "Serial: K-7" in message["text"]


async def test_an_agents_answer_goes_to_the_address_in_the_form(house: House) -> None:
    await send(house, VALUES)
    [ticket] = await rows(house, "ticket")
    await tickets.reply(house.log, ticket["id"], text="Try this.", public=True, actor=house.users["amy"], now=NOW)
    letter = (await rows(house, "outbox"))[-1]
    assert (letter["recipient"], letter["text"], letter["thread"]["auto"]) == ("wang@post.example", "Try this.", "no")
    assert f"[#{ticket['number']}-" in letter["subject"]


async def test_what_became_of_it_is_told_with_place_and_wait(house: House) -> None:
    receipt = await send(house, VALUES)
    [contact] = await rows(house, "interaction")
    house.waits.waits[contact["id"]] = a_wait(position=3, expected_seconds=240)
    standing = await (await house.client.get(f"{API}/standing?seen={receipt['seen']}")).json()
    assert (standing["number"], standing["state"], standing["wait"]["position"]) == (receipt["number"], "queued", 3)
    page = await (await house.client.get(receipt["page"], headers={"Accept-Language": "en"})).text()
    assert "You are number 3 in line. It will take about 4 minutes." in page
    assert 'http-equiv="refresh" content="15"' in page
    assert f"#{receipt['number']}" in page
    assert "Talk to you soon." in page
    assert (await house.client.get("/forms/contact/done?t=abc")).status == 422


# -- the page


async def test_the_page_works_without_scripts_and_leads_to_the_number(house: House) -> None:
    page, token = await drawn(house)
    assert "<h1>Write to us</h1>" in page
    assert "<script" not in page
    house.moment.now = later(5)
    sent = await post(house, token, **VALUES, files=[("led.png", PNG), ("b.png", PNG)])
    assert sent.status == 303, await sent.text()
    done = await house.client.get(sent.headers["Location"])
    [ticket] = await rows(house, "ticket")
    assert f"#{ticket['number']}" in await done.text()
    assert [row["name"] for row in await rows(house, "upload")] == ["led.png", "b.png"]
    again = await post(house, token, **VALUES)
    assert again.status == 303
    assert len(await rows(house, "ticket")) == 1


async def test_the_page_says_what_is_wrong_beside_it_and_keeps_what_was_written(house: House) -> None:
    _, token = await drawn(house)
    house.moment.now = later(5)
    refused = await post(house, token, email="wang", text="<b>dark</b>")
    page = await refused.text()
    assert refused.status == 422
    assert "This is no e-mail address." in page
    assert "&lt;b&gt;dark&lt;/b&gt;" in page
    fast_page, fresh = await drawn(house)
    assert fast_page
    fast = await post(house, fresh, **VALUES)
    assert fast.status == 429
    assert "That was fast; send it once more." in await fast.text()
    program = await post(house, token, **VALUES, files=[("run.exe", b"MZ")])
    assert program.status == 422
    assert "run.exe is a program; we take no programs." in await program.text()
    stale = await post(house, "nonsense", **VALUES)
    assert "send it once more" in await stale.text()
    assert await rows(house, "interaction") == []


async def test_the_page_speaks_the_readers_language_or_the_links(house: House) -> None:
    page, _ = await drawn(house, language="zh-CN")
    assert "联系我们" in page
    assert "发送" in page or "提交" in page
    page, _ = await drawn(house, "/forms/contact?lang=zh_TW&f.name=Wang", "en")
    assert 'lang="zh-TW"' in page
    assert 'value="Wang"' in page
    assert (await house.client.get("/forms/nothing")).status == 404


async def test_a_page_of_another_site_cannot_send_the_hosted_form(house: House) -> None:
    response = await house.client.post("/forms/contact", data={}, headers={"Origin": "https://evil.example"})
    assert response.status == 403


async def test_who_has_signed_in_as_an_agent_sends_a_form_like_anybody(house: House) -> None:
    await house.sign_in("amy")
    _, token = await drawn(house)
    house.moment.now = later(5)
    assert (await post(house, token, **VALUES)).status == 303


async def test_more_than_fits_is_refused_while_it_comes(house: House) -> None:
    _, token = await drawn(house)
    house.moment.now = later(5)
    large = await post(house, token, **VALUES, files=[("a.bin", bytes(10_000_001))])
    assert large.status == 413
    broken = await house.client.post(
        "/forms/contact", data=b"nonsense", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert broken.status in (400, 422, 429)


async def test_fields_have_a_common_limit(house: House) -> None:
    data = FormData(default_to_multipart=True)
    for name in "abc":
        data.add_field(name, "x" * 190_000)
    assert (await house.client.post("/forms/contact", data=data)).status == 413


async def test_who_has_it_in_hand_reads_it_on_the_desk_with_its_files_and_answers_there(house: House) -> None:
    _, token = await drawn(house)
    house.moment.now = later(5)
    assert (await post(house, token, **VALUES, files=[("led.png", PNG)])).status == 303
    [contact] = await rows(house, "interaction")
    await on_queue(house.log, house.users["amy"])
    offer = await reserve(house.log, contact["id"], house.users["amy"])
    await interactions.answer(house.log, offer, now=later(6))
    await house.sign_in("amy")
    at = f"/desk/interactions/{contact['id']}/form"
    page = await (await house.client.get(at)).text()
    assert "It stays dark." in page
    assert "led.png" in page
    answered = await house.act("amy", f"{at}/answer", text="Change the lamp.")
    assert "Change the lamp." in await answered.text()
    letter = (await rows(house, "outbox"))[-1]
    assert (letter["recipient"], letter["text"]) == ("wang@post.example", "Change the lamp.")
    assert f'hx-get="{at}"' in await (await house.client.get("/")).text()
    await house.sign_in("bo")
    assert (await house.client.get(at)).status == 403
