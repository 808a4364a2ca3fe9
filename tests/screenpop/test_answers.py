"""Around an answer by mail: files that go with it, others who write too, taking it back, and what became of it."""

from datetime import timedelta

from callcenter.actions import mail_in
from channels.email.parse import parse
from tests.builders import NOW
from tests.channels.email.messages import attached, multipart, part
from tests.screenpop.conftest import House, frame, read_up

HTML = (
    b"<p>It stays <b>dark</b>.</p><img src=https://x.example/p.png>"
    b"<div>On 9 March, Amy wrote:</div><blockquote>On?</blockquote>"
)
PDF = b"%PDF-1.4 guide"


async def come(house: House) -> tuple[int, int]:
    """A mail, and the number of its ticket."""
    await house.pool.execute(
        "insert into mailbox (address, queue_id, acknowledge) values ('care@heronbay.example', $1, false)", house.queue
    )
    raw = multipart(part(HTML, "text/html; charset=utf-8"), attached(b"photo", "led.pdf"))
    received = await mail_in.receive(house.log, parse(raw), raw, now=NOW)
    number = await house.pool.fetchval("select number from ticket where id = $1", received.ticket)
    return received.interaction, int(number)


async def text_of(house: House, path: str) -> str:
    answer = await house.client.get(path)
    assert answer.status == 200, await answer.text()
    return await answer.text()


async def upload(house: House, who: str, name: str, content: bytes) -> str:
    headers = {"X-CSRF-Token": house.csrf[who], "HX-Request": "true", "Content-Type": "application/octet-stream"}
    answer = await house.client.post("/desk/files", params={"name": name}, data=content, headers=headers)
    assert answer.status == 200
    return await answer.text()


async def test_whoever_reads_a_ticket_reads_its_mail_in_a_frame_and_saves_what_is_attached(house: House):
    ident, number = await come(house)
    await house.sign_in("bo")
    at = f"/tickets/{number}/mail/{ident}"
    assert f'hx-get="{at}"' in await text_of(house, f"/tickets/{number}")
    page = await text_of(house, at)
    assert f'src="{at}/frame" sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert f'href="{at}/frame?images=1"' in page
    framed = await house.client.get(f"{at}/frame")
    policy = framed.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
    assert "script" not in policy
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    text = await framed.text()
    assert "x.example" not in text
    assert text.index("<b>dark</b>") < text.index("<details>") < text.index("On?")
    shown = await house.client.get(f"{at}/frame?images=1")
    assert "https://x.example/p.png" in await shown.text()
    assert "img-src data: https:" in shown.headers["Content-Security-Policy"]
    for path, name in (("attachments/1", "led.pdf"), ("message.eml", f"message-{ident}.eml")):
        saved = await house.client.get(f"{at}/{path}")
        assert saved.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"
    assert (await house.client.get(f"/tickets/{number + 1}/mail/{ident}/frame")).status == 404


async def test_files_go_with_an_answer_and_refused_ones_say_why(house: House):
    ident, number = await come(house)
    await house.sign_in("sue")
    assert "up to 10 MB each" in await upload(house, "sue", "tool.exe", b"MZ\x90\x00")
    assert 'name="file" value="1"' in await upload(house, "sue", "guide.pdf", PDF)
    page = await (await house.act("sue", f"/desk/interactions/{ident}/answer", text="Please reset.", file="1")).text()
    assert "guide.pdf" in page
    await house.sign_in("bo")
    assert "guide.pdf" in await text_of(house, f"/tickets/{number}")
    assert await (await house.client.get("/api/v1/uploads/1")).read() == PDF


async def test_an_answer_is_taken_back_into_the_box_on_the_desk(house: House):
    ident, _ = await come(house)
    await house.sign_in("sue")
    await upload(house, "sue", "guide.pdf", PDF)
    page = await (await house.act("sue", f"/desk/interactions/{ident}/answer", text="Please reset.", file="1")).text()
    message = await house.pool.fetchval("select max(id) from message")
    undo = f"/desk/interactions/{ident}/undo/{message}"
    assert f'hx-post="{undo}"' in page
    back = await (await house.act("sue", undo)).text()
    assert ">Please reset.</textarea>" in back
    assert 'name="file" value="1"' in back
    assert await house.pool.fetchval("select count(*) from outbox") == 0


async def test_on_the_ticket_it_becomes_a_draft_again_above_what_was_typed_since(house: House):
    _, number = await come(house)
    await house.sign_in("amy")
    await house.act("amy", f"/tickets/{number}/reply", note="Please reset.", public="1")
    await house.act("amy", f"/tickets/{number}/draft", note="And call us.", public="1")
    message = await house.pool.fetchval("select max(id) from message")
    assert "data-ends" in await text_of(house, f"/tickets/{number}/page")
    await house.sign_in("bo")
    assert "data-ends" not in await text_of(house, f"/tickets/{number}/page")
    assert (await house.act("bo", f"/tickets/{number}/undo/{message}")).status == 403
    await house.sign_in("amy")
    back = await (await house.act("amy", f"/tickets/{number}/undo/{message}")).text()
    assert "Please reset.\n\nAnd call us.</textarea>" in back
    assert "data-ends" not in back


async def test_what_was_to_go_to_another_address_comes_back_as_a_note(house: House):
    _, number = await come(house)
    await house.sign_in("amy")
    draft = "select public from ticket_draft"
    await house.act("amy", f"/tickets/{number}/draft", note="They are", public="1", to="lawyer@other.example")
    assert await house.pool.fetchval(draft) is False
    await house.act("amy", f"/tickets/{number}/reply", note="They are late.", public="1", to="lawyer@other.example")
    message = await house.pool.fetchval("select max(id) from message")
    back = await (await house.act("amy", f"/tickets/{number}/undo/{message}")).text()
    assert "They are late.</textarea>" in back
    assert await house.pool.fetchval(draft) is False


async def test_what_has_gone_cannot_be_taken_back(house: House):
    _, number = await come(house)
    await house.sign_in("amy")
    await house.act("amy", f"/tickets/{number}/reply", note="Please reset.", public="1")
    message = await house.pool.fetchval("select max(id) from message")
    house.moment.now = NOW + timedelta(seconds=8)
    assert "data-ends" not in await text_of(house, f"/tickets/{number}/page")
    refused = await house.act("amy", f"/tickets/{number}/undo/{message}")
    assert (refused.status, "gone out" in await refused.text()) == (409, True)
    csrf = {"X-CSRF-Token": house.csrf["amy"]}
    assert (await house.client.post(f"/api/v1/messages/{message}/withdraw", headers=csrf)).status == 409


async def test_over_rest_an_answer_says_until_when_it_can_be_taken_back(house: House):
    _, number = await come(house)
    csrf = {"X-CSRF-Token": await house.sign_in("amy")}
    ticket = await house.pool.fetchval("select id from ticket where number = $1", number)
    body = {"text": "Please reset.", "public": True}
    assert (await house.client.post(f"/api/v1/tickets/{ticket}/reply", json=body, headers=csrf)).status == 200
    message = await house.pool.fetchval("select max(id) from message")
    found = await (await house.client.get(f"/api/v1/messages/{message}")).json()
    assert found["letter"] == {
        "recipient": "wang@customer.example", "state": "waiting", "error": None, "undo_until": "2026-03-10T08:30:08Z",
    }  # fmt: skip
    back = await house.client.post(f"/api/v1/messages/{message}/withdraw", headers=csrf)
    assert await back.json() == {"ticket": ticket, "text": "Please reset.", "files": []}
    assert (await house.client.get(f"/api/v1/messages/{message}")).status == 404


async def test_who_answers_at_a_desk_and_on_the_page_see_each_other(house: House):
    ident, number = await come(house)
    await house.pool.execute("update interaction set agent_id = $2 where id = $1", ident, house.users["amy"])
    await house.sign_in("sue")
    desk = await house.desk("sue")
    await house.act("sue", f"/desk/interactions/{ident}/here")
    await house.sign_in("bo")
    await house.act("bo", f"/tickets/{number}/draft", note="Dear", public="1")
    hint = await frame(desk, "hint")
    while "here" not in hint["regions"]:
        hint = await frame(desk, "hint")
    await house.sign_in("sue")
    assert "Bo is writing" in await (await house.act("sue", f"/desk/interactions/{ident}/here")).text()
    await house.act("sue", f"/desk/interactions/{ident}/writing", text="Dear")
    await house.sign_in("bo")
    assert "Sue is writing" in await (await house.act("bo", f"/tickets/{number}/here")).text()
    await desk.close()


async def test_a_letter_that_failed_and_an_address_that_bounced_say_so_in_the_servers_words(house: House):
    ident, number = await come(house)
    await house.sign_in("sue")
    await house.act("sue", f"/tickets/{number}/reply", note="Please reset.", public="1")
    await house.pool.execute("update outbox set state = 'failed', last_error = '550 no such <user>'")
    await read_up(house)
    page = await text_of(house, f"/tickets/{number}")
    assert "550 no such &lt;user&gt;" in page
    assert "came back" not in page
    words = "update outbox set state = 'sent', bounced_at = $1, last_error = '550 moved away'"
    await house.pool.execute(words, NOW + timedelta(minutes=1))
    for path in (f"/tickets/{number}", f"/desk/interactions/{ident}/mail"):
        page = await text_of(house, path)
        assert "came back: <bdi>550 moved away</bdi>" in " ".join(page.split())
