"""Asking to be called back over REST: by the house, and by the public through named doors."""

import pytest

from callcenter.domain.interaction import Channel
from tests.web.conftest import Doors, Phones

NUMBER = "+8613800138000"


@pytest.fixture
async def door(doors: Doors) -> str:
    await doors.log.pool.execute("update organisation set callbacks = $1", {"doors": {"site": "support"}})
    await doors.directory.load()
    return "/api/v1/callbacks/site"


async def ask(doors: Doors, path: str, *, status: int = 202, **body):
    response = await doors.client.post(path, json={"number": NUMBER, **body})
    document = await response.json()
    assert response.status == status, document
    return document


async def test_an_agent_asks_for_somebody_and_asking_twice_is_as_once(doors: Doors) -> None:
    body = {"number": "138 0013 8000", "queue": "support", "text": "The boiler"}
    first = await doors.call("amy", "POST", "/api/v1/callbacks", json=body)
    again = await doors.call("amy", "POST", "/api/v1/callbacks", json=body)
    assert (first.status, again.status) == (201, 200)
    assert (await first.json())["id"] == (await again.json())["id"]
    [item] = (await doors.get("amy", "/api/v1/callbacks"))["items"]
    assert (item["number"], item["subject"], item["state"]) == (NUMBER, "The boiler", "queued")
    gone = await doors.call("amy", "DELETE", f"/api/v1/callbacks/{item['id']}")
    assert gone.status == 204
    assert (await doors.get("amy", "/api/v1/callbacks"))["items"] == []


async def test_the_public_asks_through_a_door_and_learns_the_wait(doors: Doors, door: str) -> None:
    doors.waits.queues[next(iter(doors.directory.queues))] = 90.0
    told = await ask(doors, door, name="Xiaoming")
    assert told == {"due_at": None, "expected_wait_seconds": 90.0}
    [item] = (await doors.get("sue", "/api/v1/interactions?channel=callback"))["items"]
    assert (item["address"], item["queue"]) == (NUMBER, "support")


async def test_a_moment_is_read_by_the_customers_clock(doors: Doors, door: str) -> None:
    """It is half past eight in London, and half past five in the evening in Tokyo."""
    told = await ask(doors, door, at="2026-03-10T19:00:00", timezone="Asia/Tokyo")
    assert told["due_at"] in ("2026-03-10T19:00:00+09:00", "2026-03-10T10:00:00Z")
    problem = await ask(doors, door, at="2026-03-10T19:00:00", timezone="Mars/Base", status=422)
    assert "There is no time zone 'Mars/Base'" in problem["detail"]


async def test_moments_to_choose_from_are_full_and_half_hours(doors: Doors, door: str) -> None:
    response = await doors.client.get(f"{door}/times", params={"timezone": "Asia/Tokyo"})
    told = await response.json()
    assert told["timezone"] == "Asia/Tokyo"
    assert len(told["times"]) == 48
    assert told["times"][0].startswith(("2026-03-10T17:30:00", "2026-03-10T08:30:00"))


async def test_whoever_asks_often_is_asked_to_wait(doors: Doors, door: str) -> None:
    for last in range(5):
        await ask(doors, door, number=f"+861380013800{last}")
    response = await doors.client.post(door, json={"number": NUMBER})
    assert response.status == 429
    assert int(response.headers["Retry-After"]) > 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"number": "12"}, "no telephone number"),
        ({"number": "+442079460000"}, "Numbers of CN are called back"),
        ({"at": "2026-03-10T08:00:00Z"}, "has passed"),
        ({"at": "tomorrow"}, "at"),
        ({"extra": 1}, "extra"),
    ],
)
async def test_what_is_wrong_is_named(doors: Doors, door: str, body: dict[str, object], words: str) -> None:
    problem = await ask(doors, door, status=422, **body)
    assert words in problem["detail"]


async def test_there_are_only_the_doors_that_the_organisation_names(doors: Doors, door: str) -> None:
    assert "no such door" in (await ask(doors, "/api/v1/callbacks/other", status=404))["detail"]


async def test_numbers_that_are_not_called_are_listed_and_refused(doors: Doors, door: str) -> None:
    at = f"/api/v1/do-not-call/{NUMBER}"
    assert (await doors.call("amy", "PUT", at, json={"reason": "asked"})).status == 204
    [item] = (await doors.get("sue", "/api/v1/do-not-call"))["items"]
    assert (item["number"], item["reason"], item["added_by"]) == (NUMBER, "asked", "amy")
    assert "does not want to be called" in (await ask(doors, door, status=422))["detail"]
    assert (await doors.call("amy", "DELETE", at)).status == 403
    assert (await doors.call("sue", "DELETE", at)).status == 204
    await ask(doors, door)


async def test_to_accept_a_callback_is_to_be_rung(doors: Doors, switches: dict[str, Phones]) -> None:
    ident = await doors.arrive(channel=Channel.CALLBACK)
    await doors.offer(ident, "amy")
    response = await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/accept")
    assert (await response.json())["state"] == "offered"
    [(called, _)] = switches["default"].called
    assert called == ident


async def test_where_no_pbx_can_call_the_agent_has_it_at_once(doors: Doors, switches: dict[str, Phones]) -> None:
    switches["default"].can_call = False
    ident = await doors.arrive(channel=Channel.CALLBACK)
    await doors.offer(ident, "amy")
    response = await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/accept")
    assert (await response.json())["state"] == "active"


async def test_agents_call_from_their_own_phone_only(doors: Doors) -> None:
    response = await doors.call("amy", "POST", "/api/v1/calls", json={"agent": "bo", "to": NUMBER})
    assert response.status == 403


async def test_a_call_that_cannot_be_placed_leaves_nothing_in_hand(doors: Doors, switches: dict[str, Phones]) -> None:
    switches["default"].can_call = False
    response = await doors.call("amy", "POST", "/api/v1/calls", json={"agent": "amy", "to": NUMBER})
    assert response.status == 409
    [item] = (await doors.get("sue", "/api/v1/interactions"))["items"]
    assert (item["state"], item["outcome"], item["direction"]) == ("closed", "failed", "outbound")
