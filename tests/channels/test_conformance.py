"""What every channel owes the server, asserted once for all: a channel adds one `Way` to the table of `ways.py`.

One contact is one interaction of the same shape, however often it is delivered; it is routed to an agent, popped on the
console, accepted, ended and closed; its timeline has the same events; an address that nobody knows crashes nothing.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from callcenter.domain.interaction import OFFERED_WORK, Channel
from channels.registry import CHANNELS
from tests.builders import eventually
from tests.channels.ways import FAX, KNOWN, MAIL, NUMBER, OUTSIDE, TIMELINE, WAYS, Way
from tests.journeys.world import World, a_world


def test_every_channel_has_a_way() -> None:
    ways = [way() for way in WAYS.values()]
    assert {way.door for way in ways} - {None} == set(CHANNELS)
    assert {way.channel for way in ways} == set(Channel) - OFFERED_WORK


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with a_world(database) as world:
        customer = await world.pool.fetchval("insert into customer (name) values ($1) returning id", KNOWN)
        addresses = [
            ("phone", NUMBER), ("email", MAIL), ("web", OUTSIDE), ("external", f"messenger:{OUTSIDE}"),
            ("fax", FAX),
        ]  # fmt: skip
        for kind, value in addresses:
            await world.pool.execute(
                "insert into address (customer_id, kind, value) values ($1, $2, $3)", customer, kind, value
            )
        await world.pool.execute("update queue set is_default = true")
        await world.applied()
        yield world


@pytest.fixture(name="way", params=list(WAYS))
async def by_way(request: pytest.FixtureRequest, world: World) -> AsyncIterator[Way]:
    found = WAYS[request.param]()
    if found.prepare is not None:
        await found.prepare(world)
    async with found.open:
        yield found


async def contacts(world: World, way: Way) -> list[dict[str, Any]]:
    found = await world.ask("GET", f"/interactions?channel={way.channel}", who="sue")
    items: list[dict[str, Any]] = found["items"]
    return sorted(items, key=lambda item: int(item["id"]))


async def served(world: World, way: Way) -> int:
    """The contact, which the router gave to amy, whose console popped it, and who has done with it."""
    pop = await world.pop("amy")
    ident: int = pop["interaction"]
    assert pop["pop"]["customer"]["name"] == KNOWN
    assert pop["pop"]["interaction"]["channel"] == way.channel
    await way.accept(world, ident)
    await world.until("interaction.answered", interaction=ident, agent="amy")
    await way.end(world, ident)
    await world.until("interaction.ended", interaction=ident)
    await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition="solved", note="Done.")
    await world.until("interaction.closed", interaction=ident, outcome="handled")
    await world.settled("amy", "idle")
    return ident


async def test_a_contact_is_routed_popped_accepted_and_closed_like_any_other(world: World, way: Way) -> None:
    await world.on_queue("amy")
    await way.come(world, 1)
    noted = way.waits == "closed"
    ident = (await contacts(world, way))[0]["id"] if noted else await served(world, way)

    item = await world.interaction(ident)
    assert (item["channel"], item["direction"], item["state"], item["outcome"]) == (
        way.channel, "inbound", "closed", "handled",
    )  # fmt: skip
    assert (item["queue"], item["agent"], item["note"], item["disposition"]) == ("support", "amy", "Done.", "solved")
    assert item["customer"] == await world.pool.fetchval("select id from customer where name = $1", KNOWN)
    assert item["external_id"] is not None
    assert (item["address"] is None) == noted
    routed = "interaction.queued" in way.timeline
    stages = (
        ("arrived", "queued", "answered", "ended", "closed") if routed else ("arrived", "answered", "ended", "closed")
    )
    moments = [item[f"{stage}_at"] for stage in stages]
    assert None not in moments
    assert moments == sorted(moments)
    kinds = [each["kind"] for each in item["timeline"]]
    assert [kind for kind in kinds if kind in TIMELINE] == list(way.timeline)
    assert [segment["agent"] for segment in item["segments"]] == ["amy"]


async def test_a_contact_that_is_delivered_twice_is_one(world: World, way: Way) -> None:
    await way.come(world, 1)
    await world.until("interaction.arrived")
    await way.come(world, 1)
    await way.come(world, 2)
    await world.until("interaction.arrived", count=2)
    found = await contacts(world, way)
    assert [item["state"] for item in found] == [way.waits] * 2
    if way.external_id is not None:
        assert [item["external_id"] for item in found] == [way.external_id(1), way.external_id(2)]
    for call in way.calls:
        call.hangup()


async def test_an_address_that_nobody_knows_crashes_nothing(world: World, way: Way) -> None:
    await way.lost(world)
    await world.until("interaction.arrived")
    await way.come(world, 1)

    async def both() -> bool:
        return len(await contacts(world, way)) == 2

    await eventually(both)
    lost, good = await contacts(world, way)
    assert (lost["customer"], good["state"]) == (None, way.waits)
    for call in way.calls:
        call.hangup()
