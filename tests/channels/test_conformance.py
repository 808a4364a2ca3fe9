"""What every channel owes the server, asserted once for all: a channel adds one `Way` to the table.

One contact is one interaction of the same shape, however often it is delivered; it is routed to an agent, accepted,
answered, ended and closed; its timeline has the same events; an address that nobody knows crashes nothing.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import interactions
from callcenter.app import clock
from callcenter.domain.interaction import Arrival, Channel
from callcenter.domain.organisation_file import understand
from callcenter.store import gateways
from channels.email.intake import Intake
from channels.telephony.fakepbx import FakeCall
from tests.builders import eventually
from tests.channels.email.messages import message
from tests.journeys.world import World, a_world

KNOWN = "Wang Fang"
NUMBER, MAIL, OUTSIDE = "+8613912345678", "wang@customer.example", "wang-1"


@dataclass
class Way:
    """How customers come by one channel, and what the channel does itself; the rest is the same for all.

    `come` brings contact number `n`, always as the same contact; `lost` comes from or to where nobody is known.
    """

    channel: str
    come: Callable[[World, int], Awaitable[None]]
    lost: Callable[[World], Awaitable[None]]
    external_id: Callable[[int], str] | None = None
    prepare: Callable[[World], Awaitable[None]] | None = None
    # The phone is accepted by picking it up and ended by hanging up.
    acts: bool = True
    calls: list[FakeCall] = field(default_factory=list)


def by_phone() -> Way:
    async def come(world: World, n: int) -> None:
        if n <= len(way.calls):
            external = f"default/{way.calls[n - 1].uniqueid}"
            arrival = Arrival(Channel.PHONE, external, "phone", NUMBER, pbx="default")
            again = await interactions.arrive(
                world.server.log, arrival, queue=world.queue, queued=True, node=None, now=clock()
            )
            assert again == ()
            return
        way.calls.append(await world.call(caller=NUMBER))

    async def lost(world: World) -> None:
        call = await world.call(caller="anonymous", to="nowhere")
        await world.until("interaction.arrived", external_id=f"default/{call.uniqueid}")
        call.hangup()

    way = Way("phone", come, lost, acts=False)
    way.external_id = lambda n: f"default/{way.calls[n - 1].uniqueid}"
    return way


def by_mail() -> Way:
    async def prepare(world: World) -> None:
        await world.pool.execute(
            "insert into mailbox (address, queue_id) values ('care@heronbay.example', $1)", world.queue
        )

    async def hand_in(world: World, raw: bytes) -> None:
        intake = Intake(world.server.log, clock=clock)
        await intake.receive(raw)
        intake.close()

    async def come(world: World, n: int) -> None:
        await hand_in(world, message(From=f"{KNOWN} <{MAIL}>", Message_ID=f"<{n}@customer.example>"))

    async def lost(world: World) -> None:
        await hand_in(world, message(From="@@ <>", To="care@heronbay.example", Message_ID="<lost@x>"))

    return Way("email", come, lost, prepare=prepare)


def by_rest(channel: str, address: str) -> Way:
    async def come(world: World, n: int) -> None:
        await world.ask(
            "POST", "/interactions", who="sue", channel=channel, address=address, external_id=f"{channel}-{n}",
            queue="support", text="The router does not start.",
        )  # fmt: skip

    async def lost(world: World) -> None:
        await world.ask("POST", "/interactions", who="sue", channel=channel, address="☃" * 50, queue="support")

    return Way(channel, come, lost, external_id=lambda n: f"{channel}-{n}")


GATEWAY = """
[[gateways]]
name = "messenger"
queue = "support"
message = { id = "/id", from = "/from", text = "/text" }
signature = { method = "token", header = "X-Token", secret = "key" }
secrets = { key = "long enough" }
"""


def by_gateway() -> Way:
    async def prepare(world: World) -> None:
        file = understand(toml.parse(GATEWAY, "org.toml"), {})
        async with world.pool.acquire() as connection:
            await gateways.put(connection, file.organisation.gateways)

    async def knock(world: World, body: Mapping[str, Any]) -> None:
        address = f"{world.server.url}/api/v1/gateways/messenger"
        headers = {"X-Token": "long enough"}
        async with world.http.post(address, data=json.dumps(body), headers=headers) as response:
            assert response.status == 200, await response.text()

    async def come(world: World, n: int) -> None:
        # Of different people: the same one goes on with the contact that is open.
        sender = OUTSIDE if n == 1 else f"other-{n}"
        await knock(world, {"id": str(n), "from": sender, "text": "The router does not start."})

    async def lost(world: World) -> None:
        await knock(world, {"id": "lost", "from": "\u202e\x00☃", "text": ""})

    return Way("message", come, lost, external_id=lambda n: f"messenger:{n}", prepare=prepare)


WAYS: Mapping[str, Callable[[], Way]] = {
    "phone": by_phone,
    "email": by_mail,
    "form, by REST": lambda: by_rest("form", MAIL),
    "chat, by REST": lambda: by_rest("chat", OUTSIDE),
    "gateway": by_gateway,
}
# What happens to every contact. A call rings besides (interaction.offered); to tickets it may be linked at any time.
TIMELINE = [
    "interaction.arrived",
    "interaction.queued",
    "interaction.reserved",
    "interaction.answered",
    "interaction.ended",
    "interaction.wrapped",
    "interaction.closed",
]


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with a_world(database) as world:
        customer = await world.pool.fetchval("insert into customer (name) values ($1) returning id", KNOWN)
        addresses = [
            ("phone", NUMBER), ("email", MAIL), ("web", OUTSIDE), ("external", f"messenger:{OUTSIDE}"),
        ]  # fmt: skip
        for kind, value in addresses:
            await world.pool.execute(
                "insert into address (customer_id, kind, value) values ($1, $2, $3)", customer, kind, value
            )
        await world.pool.execute("update queue set is_default = true")
        await world.applied()
        yield world


@pytest.fixture(name="way", params=list(WAYS))
async def by_way(request: pytest.FixtureRequest, world: World) -> Way:
    found = WAYS[request.param]()
    if found.prepare is not None:
        await found.prepare(world)
    return found


async def contacts(world: World, way: Way) -> list[dict[str, Any]]:
    found = await world.ask("GET", f"/interactions?channel={way.channel}", who="sue")
    items: list[dict[str, Any]] = found["items"]
    return sorted(items, key=lambda item: int(item["id"]))


async def test_a_contact_is_routed_accepted_answered_and_closed_like_any_other(world: World, way: Way) -> None:
    await world.on_queue("amy")
    await way.come(world, 1)
    pop = await world.pop("amy")
    ident = pop["interaction"]
    assert pop["pop"]["customer"]["name"] == KNOWN
    if way.acts:
        await world.ask("POST", f"/interactions/{ident}/accept")
    await world.until("interaction.answered", interaction=ident, agent="amy")
    if way.acts:
        await world.ask("POST", f"/interactions/{ident}/end")
    else:
        way.calls[0].hangup()
    await world.until("interaction.ended", interaction=ident)
    await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition=None, note="Done.")
    await world.until("interaction.closed", interaction=ident, outcome="handled")
    await world.settled("amy", "idle")

    item = await world.interaction(ident)
    assert (item["channel"], item["direction"], item["state"], item["outcome"]) == (
        way.channel, "inbound", "closed", "handled",
    )  # fmt: skip
    assert (item["queue"], item["agent"], item["note"]) == ("support", "amy", "Done.")
    assert item["external_id"] is not None
    assert item["address"] is not None
    moments = [item[name] for name in ("arrived_at", "queued_at", "answered_at", "ended_at", "closed_at")]
    assert None not in moments
    assert moments == sorted(moments)
    kinds = [each["kind"] for each in item["timeline"]]
    assert [kind for kind in kinds if kind in TIMELINE] == TIMELINE
    assert [segment["agent"] for segment in item["segments"]] == ["amy"]


async def test_a_contact_that_is_delivered_twice_is_one(world: World, way: Way) -> None:
    await way.come(world, 1)
    await world.until("interaction.queued")
    await way.come(world, 1)
    await way.come(world, 2)
    await world.until("interaction.queued", count=2)
    found = await contacts(world, way)
    assert len(found) == 2
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
    assert (lost["customer"], good["state"]) == (None, "queued")
    for call in way.calls:
        call.hangup()
