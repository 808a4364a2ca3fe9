"""Another PBX tells of its calls: they pop where they ring, in whatever order and however often it is told."""

from collections.abc import AsyncIterator, Mapping
from itertools import permutations
from typing import Any

import pytest

from tests.journeys.world import World, a_world

CALLER = "8613800138000"


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with a_world(database) as found:
        yield found


async def tell(
    world: World,
    event: str,
    told: Mapping[str, Any] | None = None,
    *,
    call: str = "c-1",
    status: int = 200,
    json: bool = True,
    **more: str,
) -> str:
    message = {"event": event, "callId": call, "direction": "in", **(told or {}), **more}
    url = f"{world.server.url}/api/v1/cti/{world.tokens['cy']}"
    async with world.http.post(url, json=message if json else None, data=None if json else message) as response:
        text = await response.text()
        assert response.status == status, text
        return text


async def called(world: World, call: str = "c-1") -> dict[str, Any]:
    [found] = (await world.ask("GET", f"/interactions?external_id=cti:{world.agents['cy']}/{call}", who="sue"))["items"]
    return dict(found)


async def test_a_call_pops_where_it_rings_and_is_wrapped_up_after_it(world: World) -> None:
    await world.open_desk("amy")
    await tell(world, "newCall", {"from": CALLER, "to": "1001", "user[]": "Amy"}, json=False)
    pop = (await world.pop("amy"))["pop"]
    assert (pop["interaction"]["address"], pop["customer"]["name"]) == ("+8613800138000", "王小明")
    await tell(world, "answer", user="Amy", answeringNumber="1001")
    await world.settled("amy", "interacting")
    await tell(world, "hangup", cause="normalClearing")
    await world.settled("amy", "wrap_up")
    item = await called(world)
    assert (item["state"], item["outcome"], item["agent"]) == ("wrapping", "handled", "amy")
    assert item["answered_at"] is not None
    await tell(world, "newCall", {"from": CALLER, "to": "1001"}, call="c-2")
    assert (await world.pop("amy", count=2))["interaction"] == (await called(world, "c-2"))["id"]
    assert (await called(world))["state"] == "closed"


async def test_what_is_told_twice_changes_nothing(world: World) -> None:
    await world.open_desk("amy")
    for event in ("newCall", "newCall", "answer", "answer", "hangup", "hangup", "newCall", "answer"):
        await tell(world, event, {"from": CALLER, "to": "1001", "user": "amy"})
    item = await world.interaction((await called(world))["id"])
    kinds = [each["kind"] for each in item["timeline"] if each["kind"].startswith("interaction.")]
    assert kinds == [f"interaction.{word}" for word in ("arrived", "reserved", "offered", "answered", "ended")]


@pytest.mark.parametrize("order", list(permutations(["newCall", "answer", "hangup"])))
async def test_in_whatever_order_it_is_one_call_and_it_ends(world: World, order: tuple[str, ...]) -> None:
    await world.open_desk("amy")
    for event in order:
        more = {"from": CALLER} if event == "newCall" else {}
        await tell(world, event, more, user="amy")
    item = await called(world)
    assert item["ended_at"] is not None
    assert item["address"] == "+8613800138000"
    answered_first = order.index("answer") < order.index("hangup")
    assert (item["outcome"] == "handled") == answered_first


@pytest.mark.parametrize(
    ("cause", "outcome"), [("noAnswer", "missed"), ("cancel", "short_abandoned"), ("forwarded", "flow_out")]
)
async def test_a_call_that_nobody_took_says_why(world: World, cause: str, outcome: str) -> None:
    await world.open_desk("amy")
    await tell(world, "newCall", {"from": CALLER, "to": "95500", "user": ["amy", "bo"]})
    await tell(world, "hangup", cause=cause)
    item = await called(world)
    assert (item["outcome"], item["queue"], item["state"]) == (outcome, "support", "closed")


async def test_one_of_several_answers_and_gets_it(world: World) -> None:
    await world.open_desk("amy")
    await world.open_desk("bo")
    await tell(world, "newCall", {"from": CALLER, "to": "1001"})
    await world.pop("amy")
    await tell(world, "answer", answeringNumber="1002")
    await world.pop("bo")
    await world.settled("bo", "interacting")
    assert await world.status("amy") == "off_queue"
    await tell(world, "hangup")


async def test_a_call_that_an_agent_places_pops_at_their_desk(world: World) -> None:
    await world.open_desk("amy")
    await tell(world, "newCall", {"from": "1001", "to": CALLER, "direction": "out"})
    await world.pop("amy")
    await tell(world, "hangup", cause="busy", direction="out")
    item = await called(world)
    assert (item["direction"], item["address"], item["outcome"]) == ("outbound", "+8613800138000", "failed")


async def test_somebody_unknown_answers_and_it_is_told_all_the_same(world: World) -> None:
    await tell(world, "newCall", {"from": CALLER, "to": "2000", "user": "Zoe"})
    await tell(world, "answer", answeringNumber="2000", user="Zoe")
    await tell(world, "hangup")
    item = await called(world)
    assert (item["state"], item["outcome"], item["agent"]) == ("closed", "handled", None)


async def test_wrong_messages_and_wrong_tokens_are_refused_in_words(world: World) -> None:
    assert "expected newCall, answer or hangup" in await tell(world, "transfer", status=422)
    url = f"{world.server.url}/api/v1/cti/"
    async with world.http.post(url + "nonsense", json={"event": "newCall", "callId": "1"}) as response:
        assert response.status == 401
    token = {"Authorization": f"Bearer {world.tokens['cy']}"}
    async with world.http.post(url.rstrip("/"), json={"event": "newCall", "callId": "9"}, headers=token) as response:
        assert response.status == 200
    async with world.http.post(
        url.rstrip("/"), data=b"[1]", headers={**token, "Content-Type": "application/json"}
    ) as response:
        assert response.status == 400
