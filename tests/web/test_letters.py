"""The words of letters over REST."""

from tests.web.conftest import Doors


async def test_supervisors_read_the_words_of_letters_and_what_they_may_name(doors: Doors) -> None:
    await doors.log.pool.execute(
        "insert into letter_template (kind, language, text) values ('answer', 'zh_CN', '{{ answer }}')"
    )
    found = await doors.get("sue", "/api/v1/letters")
    assert found["items"] == [
        {"kind": "answer", "queue": None, "language": "zh_CN", "subject": None, "text": "{{ answer }}"}
    ]
    assert {"answer", "signature", "customer.name"} <= set(found["names"]["answer"])
    assert "answer" not in found["names"]["acknowledgement"]
    assert found["rates"] == {"acknowledge_every_seconds": 3600, "messages_per_hour": 20, "automatic_per_hour": 6}
    headers = {"Authorization": f"Bearer {doors.tokens['amy']}"}
    assert (await doors.client.get("/api/v1/letters", headers=headers)).status == 403
