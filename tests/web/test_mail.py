"""Mail over REST: what was understood, and the bytes."""

from callcenter.actions import mail_in
from channels.email.parse import parse
from tests.channels.email.messages import attached, multipart, part
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
