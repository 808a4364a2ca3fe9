"""Being called back, and calls that agents place: a whole server, and a PBX that rings both phones."""

from collections.abc import AsyncIterator

import pytest

from callcenter.actions.callbacks import GIVEN_UP
from tests.builders import eventually
from tests.journeys.world import World, a_world, kinds_of

NUMBER = "+8613800138000"


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with a_world(database) as found:
        found.pbx.phone("PJSIP/trunk", answers_after=0.02)
        yield found


async def accepted(world: World, **body: object) -> int:
    """Amy has what was asked for on her desk, and accepts it."""
    await world.on_queue("amy")
    asked = await world.ask("POST", "/callbacks", who="sue", number=NUMBER, queue="support", **body)
    pop = await world.pop("amy")
    assert pop["interaction"] == asked["id"]
    await world.ask("POST", f"/interactions/{asked['id']}/accept")
    return int(asked["id"])


async def test_the_agent_sees_who_it_is_then_their_phone_rings_and_then_the_customers(world: World) -> None:
    ident = await accepted(world)
    await world.until("interaction.reached", interaction=ident)
    await world.settled("amy", "interacting")
    await world.ask("POST", f"/interactions/{ident}/end")
    await world.until("interaction.ended", interaction=ident)
    await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition=None, note="done")
    await world.until("interaction.closed", interaction=ident)
    item = await world.interaction(ident)
    assert (item["channel"], item["state"], item["outcome"]) == ("callback", "closed", "handled")
    [segment] = item["segments"]
    assert segment["agent"] == "amy"
    story = [kind for kind in kinds_of(world.events, ident) if kind.startswith("interaction.")]
    words = (
        "arrived",
        "queued",
        "reserved",
        "offered",
        "answered",
        "adopted",
        "reached",
        "adopted",
        "ended",
        "wrapped",
        "closed",
    )
    assert story == [f"interaction.{word}" for word in words]
    assert (await world.ask("GET", "/callbacks"))["items"] == []


async def test_who_does_not_answer_is_called_again_later(world: World) -> None:
    world.pbx.phone("PJSIP/trunk", busy=True)
    ident = await accepted(world)
    ended = await world.until("interaction.ended", interaction=ident)
    assert ended["data"]["cause"] == "busy"
    assert (await world.interaction(ident))["outcome"] == "missed"
    [again] = (await world.ask("GET", "/callbacks"))["items"]
    assert (again["attempt"], again["origin"], again["state"]) == (2, ident, "new")
    await world.settled("amy", "wrap_up")


async def test_an_agent_who_does_not_pick_up_is_not_responding_and_it_waits_for_another(world: World) -> None:
    world.pbx.phone("PJSIP/1001", busy=True)
    ident = await accepted(world)
    failed = await world.until("reservation.failed", interaction=ident)
    assert failed["data"]["reason"] == "busy"
    assert (await world.interaction(ident))["state"] in ("queued", "offered")


async def test_a_call_by_a_click_rings_both_phones(world: World) -> None:
    await world.open_desk("amy")
    item = await world.ask("POST", "/calls", agent="amy", to="138 0013 8000", queue="support")
    assert (item["direction"], item["address"]) == ("outbound", NUMBER)
    await world.until("interaction.reached", interaction=item["id"])
    assert (await world.pop("amy"))["interaction"] == item["id"]
    await world.ask("POST", f"/interactions/{item['id']}/end")
    ended = await world.until("interaction.ended", interaction=item["id"])
    assert ended["data"]["cause"] == "customer_hangup"
    await world.settled("amy", "wrap_up")


async def test_a_click_at_a_number_that_is_busy_fails_and_nobody_tries_again(world: World) -> None:
    world.pbx.phone("PJSIP/trunk", busy=True)
    item = await world.ask("POST", "/calls", agent="amy", to=NUMBER)
    await world.until("interaction.ended", interaction=item["id"])
    assert (await world.ask("GET", "/callbacks"))["items"] == []


async def test_without_a_pbx_that_can_call_the_agent_calls_by_hand(database: str) -> None:
    async with a_world(database, ami=False) as world:
        ident = await accepted(world)
        await world.until("interaction.answered", interaction=ident)
        await world.ask("POST", f"/interactions/{ident}/not-reached")
        assert (await world.interaction(ident))["outcome"] == "missed"
        assert len((await world.ask("GET", "/callbacks"))["items"]) == 1


async def test_nobody_reached_for_the_last_time_becomes_a_ticket_in_words(database: str) -> None:
    async with a_world(database, ami=False) as world:
        await world.pool.execute("update organisation set callbacks = $1", {"attempts": 1})
        await world.applied()
        ident = await accepted(world, text="The boiler is cold")
        await world.until("interaction.answered", interaction=ident)
        await world.ask("POST", f"/interactions/{ident}/not-reached")
        opened = await world.until("ticket.opened")
        ticket = await world.ask("GET", f"/tickets/{opened['ticket']}", who="sue")
        assert ticket["subject"] == "Callback: nobody was reached: The boiler is cold"
        assert GIVEN_UP not in ticket["subject"]


async def test_the_phone_stops_when_the_offer_is_declined(world: World) -> None:
    phone = world.pbx.phone("PJSIP/1001", answers_after=60)
    ident = await accepted(world)

    async def rings() -> bool:
        return bool(phone.legs)

    async def quiet() -> bool:
        return not phone.legs

    await eventually(rings)
    await world.ask("POST", f"/interactions/{ident}/reject")
    await eventually(quiet)
