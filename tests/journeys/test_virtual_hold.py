"""Callers who wait long keep their place without holding the line."""

from collections.abc import AsyncIterator

import pytest

from channels.telephony.fakepbx import FakeCall
from tests.builders import eventually
from tests.journeys.world import World, a_world

NUMBER = "+8613800138000"


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with a_world(database, queue={"overflow": [{"after": "1s", "treatment": "callback"}]}) as found:
        found.pbx.phone("PJSIP/trunk", answers_after=0.02)
        yield found


async def hears(call: FakeCall, words: str, *, count: int = 1) -> None:
    async def heard() -> bool:
        return sum(way == ">" and words in line for _, way, line in call.history or ()) >= count

    await eventually(heard)


async def press(call: FakeCall, key: str, words: str, *, count: int = 1) -> None:
    await hears(call, words, count=count)
    call.presses(key)


async def left_for_a_callback(world: World, call: FakeCall) -> dict[str, object]:
    closed = await world.until("interaction.closed")
    assert (closed["data"]["outcome"], closed["data"]["cause"]) == ("flow_out", "callback")
    await call.until("ended")
    assert call.channel.variables["CC_DONE"] == "1"
    [found] = (await world.ask("GET", "/callbacks"))["items"]
    return dict(found)


async def test_a_key_keeps_the_place_and_the_agent_who_is_free_next_calls(world: World) -> None:
    call = await world.call()
    await press(call, "1", "WAIT FOR DIGIT")
    found = await left_for_a_callback(world, call)
    before = await world.interaction((await world.until("interaction.closed"))["interaction"])
    assert (found["number"], found["origin"], found["queued_at"]) == (NUMBER, before["id"], before["queued_at"])
    await world.on_queue("amy")
    assert (await world.pop("amy"))["interaction"] == found["id"]
    await world.ask("POST", f"/interactions/{found['id']}/accept")
    await world.until("interaction.reached", interaction=found["id"])


async def test_another_number_may_be_typed(world: World) -> None:
    call = await world.call()
    for at, key in enumerate("213800138001#1", 1):
        await press(call, key, "WAIT FOR DIGIT", count=at)
    assert (await left_for_a_callback(world, call))["number"] == "+8613800138001"


async def test_who_does_not_want_it_waits_on_and_is_not_asked_again(world: World) -> None:
    call = await world.call()
    await press(call, "*", "WAIT FOR DIGIT")
    await world.on_queue("amy")
    await call.until("talking")
    assert (await world.ask("GET", "/callbacks"))["items"] == []


async def test_a_caller_whose_number_is_hidden_types_one(world: World) -> None:
    call = await world.call(caller="anonymous")
    await hears(call, "vm-toenternumber")
    call.hangup()
    ended = await world.until("interaction.abandoned")
    assert ended["data"]["outcome"] in ("abandoned", "short_abandoned")


async def test_an_agent_who_is_free_meanwhile_talks_with_them(world: World) -> None:
    world.pbx.prompts["vm-num-i-have"] = 30.0
    call = await world.call()
    await hears(call, "vm-num-i-have")
    await world.on_queue("amy")
    await call.until("talking")
    assert (await world.ask("GET", "/callbacks"))["items"] == []
