"""Callers who wait are told their place and their wait."""

from datetime import timedelta

import pytest

from channels.telephony import announcements
from channels.telephony.fakepbx import FakeCall
from tests.builders import eventually, make_queue
from tests.journeys.world import World, a_world

TOLD = {"announce": {"position": True, "wait": True, "every": "15s"}}


def played(call: FakeCall) -> list[str]:
    lines = [line for _, way, line in call.history if way == ">" and line.startswith(("STREAM FILE", "SAY NUMBER"))]
    return [line.removesuffix(' ""').replace("STREAM FILE ", "").replace("SAY NUMBER ", "") for line in lines]


async def hears(call: FakeCall, last: str) -> None:
    async def heard() -> bool:
        return bool(call.history) and last in played(call)

    await eventually(heard)


async def serve(world: World, first: FakeCall) -> None:
    """The first caller is talked with and has gone."""
    first.hangup()
    ident = (await world.until("interaction.ended"))["interaction"]
    await world.settled("amy", "wrap_up")
    await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition=None, note="done")


async def test_a_caller_is_told_place_and_wait_and_hears_music_again(database: str) -> None:
    async with a_world(database, queue=TOLD) as world:
        await world.on_queue("amy")
        first = await world.call()
        await first.until("talking")
        second = await world.call(caller="+8613800138001")
        await hears(second, "queue-thankyou")
        assert played(second) == [
            "queue-youarenext", "queue-holdtime", "2", "queue-minutes", "queue-thankyou",
        ]  # fmt: skip
        await eventually(lambda: music(second))
        assert played(first) == []
        await serve(world, first)
        await second.until("talking")
        dial = next(line for _, _, line in second.history if line.startswith("EXEC Dial"))
        assert "tgm" in dial


async def test_who_could_be_told_nothing_at_first_is_told_as_soon_as_the_wait_is_known(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "_AGAIN_AFTER", timedelta(milliseconds=200))  # a quarter of a minute otherwise
    async with a_world(database, queue={"announce": {"position": False, "wait": True}}) as world:
        first = await world.call()
        second = await world.call(caller="+8613800138001")
        for call in (first, second):
            await call.until("waiting")
        assert played(second) == []
        await world.on_queue("amy")
        await first.until("talking")
        await hears(second, "queue-thankyou")
        assert played(second)[0] == "queue-holdtime"
        await eventually(lambda: music(second))
        assert played(second).count("queue-thankyou") == 1


async def music(call: FakeCall) -> bool:
    return call.channel.music is not None


async def test_an_announcement_is_cut_short_when_an_agent_is_free(database: str) -> None:
    async with a_world(database, queue=TOLD) as world:
        world.pbx.prompts["queue-youarenext"] = 60.0
        call = await world.call()
        await call.until("playing")
        await world.on_queue("amy")
        await call.until("talking")
        assert played(call) == ["queue-youarenext"]


async def test_a_missing_sound_is_left_out_and_the_call_goes_on(database: str) -> None:
    async with a_world(database, queue={**TOLD, "greeting": "hello"}) as world:
        world.pbx.missing |= {"hello", "queue-youarenext", "queue-thankyou"}
        call = await world.call()
        await hears(call, "queue-thankyou")
        await world.on_queue("amy")
        await call.until("talking")
        assert played(call) == ["hello", "queue-youarenext", "queue-thankyou"]


async def test_a_caller_who_leaves_in_mid_announcement_has_abandoned(database: str) -> None:
    async with a_world(database, queue=TOLD) as world:
        world.pbx.prompts["queue-youarenext"] = 60.0
        call = await world.call()
        await call.until("playing")
        call.hangup()
        left = await world.until("interaction.abandoned")
        assert left["data"]["cause"] == "customer_hangup"


async def test_without_ami_nothing_is_said_as_it_could_not_be_cut_short(database: str) -> None:
    async with a_world(database, ami=False, queue=TOLD) as world:
        call = await world.call()
        await call.until("waiting")
        ident = (await world.until("interaction.queued"))["interaction"]

        async def told() -> bool:
            wait = await world.wait_of(ident)
            return bool(wait["position"]) and world.pbx.loop.time() - call.states[0][0] > 1.5

        await eventually(told)
        assert played(call) == []
        call.hangup()


async def test_the_queue_that_a_caller_is_moved_to_says_what_is_told(database: str) -> None:
    async with a_world(database, queue={"announce": {"position": True, "wait": False}}) as world:
        await make_queue(
            world.pool, "billing", members=[world.agents["cy"]], announce={"position": True, "wait": False}
        )
        await world.applied()
        call = await world.call()
        await hears(call, "queue-thankyou")
        ident = (await world.until("interaction.queued"))["interaction"]
        await world.ask("POST", f"/interactions/{ident}/move", who="sue", queue="billing")

        async def told_again() -> bool:
            return played(call) == ["queue-youarenext", "queue-thankyou"] * 2

        await eventually(told_again)
        call.hangup()
