"""A call from its arrival to its end, through the whole server, with the fake PBX as Asterisk."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.telephony.fakepbx import FakeCall
from tests.builders import eventually
from tests.journeys.world import World, a_world, kinds_of


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with a_world(database) as world:
        yield world


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def arrived(world: World, call: FakeCall) -> int:
    event = await world.until("interaction.arrived", external_id=f"default/{call.uniqueid}")
    ident: int = event["interaction"]
    return ident


async def wrap_up(world: World, ident: int, who: str = "amy", **body: Any) -> None:
    await world.ask("POST", f"/interactions/{ident}/wrap-up", who=who, **body)


async def test_the_transfer_keys_are_the_agents_and_not_the_callers(world: World) -> None:
    await world.on_queue("amy")
    call = await world.call()
    await call.until("talking")
    dialled = next(line for _, _, line in call.history if line.startswith("EXEC Dial"))
    options = dialled.split(",")[2].partition("U(")[0]
    assert "t" in options
    assert "T" not in options


async def test_a_call_that_the_pbx_does_not_end_is_not_said_to_have_ended(world: World) -> None:
    await world.on_queue("amy")
    call = await world.call()
    await call.until("talking")
    ident = await arrived(world, call)
    await world.until("interaction.answered", interaction=ident)
    world.pbx.denied_actions |= {"hangup"}
    with pytest.raises(AssertionError, match="503"):
        await world.ask("POST", f"/interactions/{ident}/end")
    assert call.state == "talking"


async def test_a_call_pops_rings_is_answered_and_wrapped_up(world: World) -> None:
    await world.on_queue("amy")
    call = await world.call(name="王小明")
    await call.until("talking")
    pop = await world.pop("amy")
    ident = await arrived(world, call)
    assert pop["interaction"] == ident
    assert pop["pop"]["customer"]["name"] == "王小明"
    call.hangup()
    await world.until("interaction.ended", interaction=ident, cause="customer_hangup")
    await world.settled("amy", "wrap_up")
    await wrap_up(world, ident, disposition=None, note="All is well.")
    await world.until("interaction.closed", interaction=ident, outcome="handled")
    await world.settled("amy", "idle")
    assert [kind for kind in kinds_of(world.events, ident) if kind.startswith("interaction.")] == [
        "interaction.arrived",
        "interaction.queued",
        "interaction.reserved",
        "interaction.offered",
        "interaction.answered",
        "interaction.ended",
        "interaction.wrapped",
        "interaction.closed",
    ]
    item = await world.interaction(ident)
    assert item["outcome"] == "handled"
    assert item["note"] == "All is well."
    assert at(item["arrived_at"]) <= at(item["answered_at"]) <= at(item["ended_at"]) <= at(item["closed_at"])


async def test_the_agent_hangs_up(world: World) -> None:
    await world.on_queue("amy")
    call = await world.call()
    await call.until("talking")
    call.agent_hangs_up()
    ident = await arrived(world, call)
    await world.until("interaction.ended", interaction=ident, cause="agent_hangup")
    await call.until("ended")
    assert call.channel.variables["CC_DONE"] == "1"


async def test_a_caller_waits_with_music_until_an_agent_is_there(world: World) -> None:
    call = await world.call()
    await call.until("waiting")
    ident = await arrived(world, call)
    await world.on_queue("amy")
    await call.until("talking")
    call.hangup()
    await world.until("interaction.ended", interaction=ident)


@pytest.mark.parametrize(
    ("phone", "kind", "reason", "status"),
    [
        ({"answers_after": None}, "reservation.timed_out", "no_answer", "not_responding"),
        ({"declines": True}, "reservation.rejected", "declined", "not_responding"),
        ({"busy": True}, "reservation.failed", "busy", "idle"),
        ({"registered": False}, "reservation.failed", "unreachable", "idle"),
    ],
)
async def test_an_offer_that_fails_goes_to_the_next_agent_with_its_original_time(
    database: str, phone: dict[str, Any], kind: str, reason: str, status: str
) -> None:
    async with a_world(database, queue={"ring_timeout": timedelta(seconds=0.2)}) as world:
        world.pbx.phone("PJSIP/1001", **{"answers_after": 0.02, **phone})
        await world.on_queue("amy")
        call = await world.call()
        ident = await arrived(world, call)
        await world.until(kind, interaction=ident, agent="amy", reason=reason)
        await world.settled("amy", status)
        await world.on_queue("bo")
        await call.until("talking")
        await world.until("interaction.answered", interaction=ident, agent="bo")
        queued = [event for event in world.events if event["kind"] == "interaction.queued"]
        assert len({at(event["data"]["queued_at"]) for event in queued}) == 1
        item = await world.interaction(ident)
        assert at(item["queued_at"]) == at(queued[0]["data"]["queued_at"])
        call.hangup()
        await world.until("interaction.ended", interaction=ident)


async def test_a_caller_who_gives_up_while_waiting_is_abandoned(world: World) -> None:
    call = await world.call()
    await call.until("waiting")
    call.hangup()
    ident = await arrived(world, call)
    event = await world.until("interaction.abandoned", interaction=ident)
    assert event["data"]["outcome"] == "short_abandoned"  # within five seconds


async def test_a_caller_who_gives_up_while_the_phone_rings_is_abandoned_and_the_agent_is_free(world: World) -> None:
    world.pbx.phone("PJSIP/1001", answers_after=None)
    await world.on_queue("amy")
    call = await world.call()
    await call.until("ringing")
    call.hangup()
    ident = await arrived(world, call)
    await world.until("interaction.abandoned", interaction=ident)
    await world.until("reservation.cancelled", interaction=ident)
    await world.settled("amy", "idle")


async def test_a_blind_transfer_is_a_new_segment_and_never_an_abandon(world: World) -> None:
    await world.on_queue("amy")
    await world.open_desk("bo")
    call = await world.call()
    await call.until("talking")
    ident = await arrived(world, call)
    await world.until("interaction.answered", interaction=ident)
    call.blind_transfer("1002")
    await world.until("interaction.transferred", interaction=ident, agent="bo")
    await world.settled("amy", "wrap_up")
    await world.settled("bo", "interacting")
    assert (await world.pop("bo"))["interaction"] == ident
    call.hangup()
    await world.until("interaction.ended", interaction=ident, cause="customer_hangup")
    item = await world.interaction(ident)
    assert [segment["agent"] for segment in item["segments"]] == ["amy", "bo"]
    assert item["outcome"] == "handled"
    assert "interaction.abandoned" not in kinds_of(world.events, ident)


async def test_an_attended_transfer_goes_to_the_second_agent(world: World) -> None:
    await world.on_queue("amy")
    call = await world.call()
    await call.until("talking")
    ident = await arrived(world, call)
    await world.until("interaction.answered", interaction=ident)
    assert await call.attended_transfer("1002")
    await world.until("interaction.transferred", interaction=ident, agent="bo")
    await world.settled("amy", "wrap_up")
    call.hangup()
    await world.until("interaction.ended", interaction=ident)
    await world.settled("bo", "wrap_up")


async def test_hold_is_told_and_booked(world: World) -> None:
    await world.on_queue("amy")
    call = await world.call()
    await call.until("talking")
    ident = await arrived(world, call)
    await world.until("interaction.answered", interaction=ident)
    call.agent_holds()
    await world.until("interaction.held", interaction=ident)
    call.agent_resumes()
    await world.until("interaction.resumed", interaction=ident)
    call.hangup()
    await world.until("interaction.ended", interaction=ident)
    item = await world.interaction(ident)
    assert item["segments"][0]["hold_seconds"] > 0


async def test_a_lost_ami_connection_loses_no_call_and_its_transfers_are_known_again_when_it_is_back(
    world: World,
) -> None:
    await world.on_queue("amy")
    call = await world.call()
    await call.until("talking")
    ident = await arrived(world, call)
    await world.until("interaction.answered", interaction=ident)
    world.pbx.drop_ami()

    async def watched() -> bool:
        return world.pbx.watched

    await eventually(watched)
    call.hangup()
    await world.until("interaction.ended", interaction=ident)
    await world.settled("amy", "wrap_up")


async def test_a_pbx_that_restarts_leaves_nothing_talking(world: World) -> None:
    await world.on_queue("amy")
    talking = await world.call()
    await talking.until("talking")
    waiting = await world.call(caller="+33612345678")
    await waiting.until("waiting")
    first, second = await arrived(world, talking), await arrived(world, waiting)
    await world.pbx.restart()
    await world.until("interaction.ended", interaction=first)
    await world.until("interaction.closed", interaction=second)
    await world.settled("amy", "wrap_up")
    assert (await world.interaction(second))["outcome"] in ("failed", "unknown")


async def test_without_ami_a_conversation_that_ends_is_no_abandon(database: str) -> None:
    async with a_world(database, ami=False) as world:
        await world.on_queue("amy")
        call = await world.call()
        await call.until("talking")
        ident = await arrived(world, call)
        await world.until("interaction.answered", interaction=ident)
        call.hangup()
        await world.until("interaction.ended", interaction=ident, cause="unknown")
        assert (await world.interaction(ident))["outcome"] == "handled"


async def test_withheld_and_hostile_callers_are_served_and_match_nobody(world: World) -> None:
    await world.on_queue("amy")
    for caller, name in (("anonymous", ""), ("'; drop table x; --", '"<script>\\'), ("1" * 64, "N" * 10_000)):
        call = await world.call(caller=caller, name=name)
        await call.until("talking")
        ident = await arrived(world, call)
        item = await world.interaction(ident)
        assert item["customer"] is None
        call.hangup()
        await world.until("interaction.ended", interaction=ident)
        await wrap_up(world, ident, disposition=None, note="")
        await world.settled("amy", "idle")


async def test_a_call_transferred_back_is_the_first_agents_again(world: World) -> None:
    await world.on_queue("amy", "bo")
    call = await world.call()
    await call.until("talking")
    ident = await arrived(world, call)
    first = (await world.until("interaction.answered", interaction=ident))["agent"]
    other = {"amy": "bo", "bo": "amy"}[first]
    extension = {"amy": "1001", "bo": "1002"}
    call.blind_transfer(extension[other])
    await world.until("interaction.transferred", interaction=ident, agent=other)
    await world.settled(first, "wrap_up")
    call.blind_transfer(extension[first])
    await world.until("interaction.transferred", interaction=ident, agent=first)
    await world.settled(first, "interacting")
    await world.settled(other, "wrap_up")
    call.hangup()
    await world.until("interaction.ended", interaction=ident, cause="customer_hangup")
    await world.settled(first, "wrap_up")
    assert [segment["agent"] for segment in (await world.interaction(ident))["segments"]] == [first, other, first]
