"""Files over REST: taken within limits, and handed out to those who may read the message, always to be saved."""

from io import BytesIO

from callcenter.actions import uploads
from tests.web.conftest import Doors

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


async def test_an_agent_uploads_a_file_and_has_it_until_it_is_sent(doors: Doors) -> None:
    response = await doors.call("amy", "POST", "/api/v1/uploads?name=灯.png", data=PNG)
    assert response.status == 201
    item = await response.json()
    assert item == {"id": item["id"], "name": "灯.png", "type": "image/png", "size": len(PNG)}
    at = f"/api/v1/uploads/{item['id']}"
    saved = await doors.call("amy", "GET", at)
    assert await saved.read() == PNG
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E7%81%AF.png"
    assert saved.headers["X-Content-Type-Options"] == "nosniff"
    assert (await doors.call("bo", "GET", at)).status == 403
    assert (await doors.call(None, "GET", at)).status == 401
    assert (await doors.call("amy", "GET", "/api/v1/uploads/999999")).status == 404


async def test_a_file_of_a_message_is_for_those_who_read_its_contact(doors: Doors) -> None:
    contact = await doors.arrive()
    query = "insert into message (interaction_id, kind, text, at) values ($1, 'inbound', 'x', now()) returning id"
    message = await doors.log.pool.fetchval(query, contact)
    ident = await uploads.keep(doors.log, "led.png", None, PNG, now=doors.clock())
    async with doors.log.transaction() as tx:
        await uploads.bind(tx, [ident], message=message)
    assert (await doors.call("bo", "GET", f"/api/v1/uploads/{ident}")).status == 403
    assert (await doors.call("sue", "GET", f"/api/v1/uploads/{ident}")).status == 200


async def test_what_is_too_large_or_no_kind_of_file_that_is_taken_is_refused_with_a_reason(doors: Doors) -> None:
    refused = await doors.call("amy", "POST", "/api/v1/uploads?name=a.png", data=b"MZ" + b"\x00" * 99)
    assert refused.status == 422
    assert "is a program" in (await refused.json())["detail"]
    large = await doors.call("amy", "POST", "/api/v1/uploads?name=a.bin", data=BytesIO(bytes(10_000_001)))
    assert large.status == 413
    assert (await large.json())["detail"] == "A file may have 10 MB."
    assert (await doors.call("amy", "POST", "/api/v1/uploads", data=PNG)).status == 422
