"""Mail over REST: what was understood, and the bytes."""

from collections.abc import Mapping
from typing import Any

import pytest

from callcenter.actions import mail_in
from channels.email.parse import parse
from tests.channels.email.messages import attached, message, multipart, part
from tests.web.conftest import Doors


async def test_a_message_and_what_is_attached_are_read_and_saved_by_those_who_may(doors: Doors) -> None:
    raw = multipart(
        part(b"<p>It stays <b>dark</b>.", "text/html"), attached(b"\x89PNG\r\n" * 99, "灯.png", "image/png")
    )
    received = await mail_in.receive(doors.log, parse(raw), raw, now=doors.clock())
    at = f"/api/v1/interactions/{received.interaction}"
    mail = await doors.get("sue", f"{at}/mail")
    assert (mail["sender"], mail["nature"], mail["html"]) == (
        "wang@customer.example", "person", "<p>It stays <b>dark</b>.</p>",
    )  # fmt: skip
    assert mail["attachments"] == [{"n": 1, "name": "灯.png", "type": "image/png", "size": 594}]
    headers = {"Authorization": f"Bearer {doors.tokens['sue']}"}
    saved = await doors.client.get(f"{at}/attachments/1", headers=headers)
    assert await saved.read() == b"\x89PNG\r\n" * 99
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E7%81%AF.png"
    assert await (await doors.client.get(f"{at}/mail.eml", headers=headers)).read() == raw
    assert (await doors.client.get(f"{at}/attachments/2", headers=headers)).status == 404
    other = {"Authorization": f"Bearer {doors.tokens['amy']}"}
    for path in ("mail", "mail.eml", "attachments/1"):
        assert (await doors.client.get(f"{at}/{path}", headers=other)).status == 403


async def asked(doors: Doors) -> str:
    """Where a mail's ticket is answered."""
    raw = message()
    received = await mail_in.receive(doors.log, parse(raw), raw, now=doors.clock())
    return f"/api/v1/tickets/{received.ticket}/reply"


async def test_an_answer_goes_to_the_address_that_is_given_and_says_so(doors: Doors) -> None:
    at = await asked(doors)
    body = {"text": "Press it.", "public": True, "to": "Li@Other.example"}
    assert (await doors.call("amy", "POST", at, json=body)).status == 200
    said = await doors.log.pool.fetchval("select id from message where kind = 'outbound'")
    assert (await doors.get("amy", f"/api/v1/messages/{said}"))["letter"]["recipient"] == "li@other.example"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"public": True, "to": "li"}, "That is no mail address."),
        ({"public": True, "to": "li@other.example,wang@customer.example"}, "That is no mail address."),
        ({"public": False, "to": "li@other.example"}, "A note is for us; it goes to no address."),
    ],
)
async def test_an_address_that_is_none_is_refused_in_words_and_nothing_is_said(
    doors: Doors, body: Mapping[str, Any], detail: str
) -> None:
    response = await doors.call("amy", "POST", await asked(doors), json={"text": "Press it.", **body})
    problem = await response.json()
    assert (response.status, problem["detail"], problem["errors"][0]["field"]) == (422, detail, "to")
    assert await doors.log.pool.fetchval("select count(*) from message where kind <> 'inbound'") == 0
