"""Contacts noted by hand over REST."""

from tests.web.conftest import Doors

PATH = "/api/v1/interactions/by-hand"


async def test_a_call_on_a_private_phone_is_noted_once_and_asks_nobody(doors: Doors) -> None:
    body = {
        "channel": "phone",
        "direction": "outbound",
        "key": "k1",
        "minutes": 4,
        "text": "Promised a part",
        "queue": "support",
    }
    response = await doors.call("amy", "POST", PATH, json=body)
    item = await response.json()
    assert (response.status, item["state"], item["outcome"], item["agent"]) == (201, "closed", "handled", "amy")
    assert (item["direction"], item["queue"], item["note"], item["queued_at"]) == (
        "outbound", "support", "Promised a part", None,
    )  # fmt: skip
    again = await doors.call("amy", "POST", PATH, json=body)
    assert (again.status, (await again.json())["id"]) == (200, item["id"])
    whole = await doors.get("amy", f"/api/v1/interactions/{item['id']}")
    assert [each["kind"] for each in whole["timeline"]] == ["interaction.arrived", "interaction.closed"]
    assert whole["segments"][0]["agent"] == "amy"


async def test_other_channels_and_the_future_are_refused_by_name(doors: Doors) -> None:
    for body, field in (
        ({"channel": "email", "text": "x"}, "channel"),
        ({"channel": "visit", "at": "2031-01-01T00:00:00Z"}, "at"),
        ({"channel": "visit", "minutes": 9999}, "minutes"),
    ):
        response = await doors.call("amy", "POST", PATH, json=body)
        assert response.status == 422
        assert field in (await response.text())
    assert (await doors.call(None, "POST", PATH, json={"channel": "visit"})).status == 401
