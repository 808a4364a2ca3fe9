"""Servers, PBXs and the wires between them die and come back; callers keep their places, and nothing talks for ever."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.telephony.lab.instance import Instance
from tests.telephony.lab.tree import Tree
from tests.telephony.pbx import free_ports, make_instance, remove
from tests.telephony.peers import Manager
from tests.telephony.phones import SUPPORT, Telephones, free_port
from tests.telephony.product import Centre, Stream, centre, moment
from tests.telephony.relay import Relay


@pytest.fixture
def mortal(tree: Tree) -> Iterator[Instance]:
    """An Asterisk that only this test uses."""
    instance = make_instance()
    instance.start(tree)
    yield instance
    remove(instance)


# ---------------------------------------------------------------- the server dies


async def test_who_waits_while_the_server_is_killed_keeps_place_and_time(open_centre: Centre, stream: Stream, phones):
    async with phones.agent("1001") as phone, phones.customer(stay=60):
        arrived = await stream.event("interaction.queued")
        before = await open_centre.interaction(arrived["interaction"])
        await open_centre.nodes[0].end(signal.SIGKILL)
        await open_centre.nodes[0].start()
        stream = await open_centre.stream()
        await open_centre.desk("amy")
        await phone.until("TALK")
        item = await stream.interaction(arrived["interaction"], state="active", agent="amy")
    assert (item["arrived_at"], item["queued_at"]) == (before["arrived_at"], before["queued_at"])
    assert len(await open_centre.calls()) == 1


async def test_a_conversation_outlives_the_server_and_ends_right_when_it_is_back(
    open_centre: Centre, stream: Stream, phones: Telephones
):
    await open_centre.desk("amy")
    async with phones.agent("1001") as phone, phones.customer(stay=16) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="active")
        await open_centre.nodes[0].end(signal.SIGKILL)
        await open_centre.nodes[0].start()
        stream = await open_centre.stream()
        assert (await open_centre.interaction(ident))["state"] == "active"
        left = await customer.until("LEAVE")
        item = await stream.interaction(ident, state="wrapping")
        await phone.until("PEER-BYE")
    assert abs(moment(item["ended_at"]) - left.at) < timedelta(seconds=1)
    await stream.agent("amy", routing_status="wrap_up")


async def test_an_agent_who_hangs_up_after_the_servers_death_ends_the_call(open_centre: Centre, stream: Stream, phones):
    await open_centre.desk("amy")
    async with phones.agent("1001", talk=14) as phone, phones.customer(stay=60) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="active")
        await open_centre.nodes[0].end(signal.SIGKILL)
        await open_centre.nodes[0].start()
        stream = await open_centre.stream()
        await phone.until("LEAVE")
        item = await stream.interaction(ident, state="wrapping")
        await customer.until("PEER-BYE")
    assert item["agent"] == "amy"
    assert len(await open_centre.calls()) == 1


async def test_a_call_that_ends_while_no_server_is_there_is_closed_when_it_is_back(
    open_centre: Centre, stream: Stream, phones: Telephones
):
    await open_centre.desk("amy")
    async with phones.agent("1001"), phones.customer(stay=4) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="active")
        await open_centre.nodes[0].end(signal.SIGKILL)
        await customer.ended()
    await open_centre.nodes[0].start()
    stream = await open_centre.stream()
    item = await stream.interaction(ident, state="wrapping", within=20)
    assert item["segments"][0]["ended_at"]


async def test_a_waiting_caller_who_leaves_while_no_server_is_there_waits_no_longer_when_it_is_back(
    open_centre: Centre, stream: Stream, phones: Telephones
):
    async with phones.customer(stay=3) as customer:
        ident = (await stream.event("interaction.queued"))["interaction"]
        await open_centre.nodes[0].end(signal.SIGKILL)
        await customer.ended()
    await open_centre.nodes[0].start()
    stream = await open_centre.stream()
    item = await stream.interaction(ident, state="closed", within=20)
    assert item["outcome"] in ("unknown", "abandoned", "short_abandoned")


async def test_when_a_server_is_stopped_in_order_its_callers_go_to_the_other_at_once(closed_centre: Centre, phones):
    first = await closed_centre.start()
    await closed_centre.start()
    stream = await closed_centre.stream()
    async with phones.agent("1001") as phone, phones.customer(stay=60):
        ident = (await stream.event("interaction.queued"))["interaction"]
        await first.end()
        stopped = datetime.now(UTC)
        await closed_centre.desk("amy")
        talk = await phone.until("TALK")
        await stream.interaction(ident, state="active", agent="amy")
    assert talk.at - stopped < timedelta(seconds=8)
    assert len(await closed_centre.calls()) == 1


async def test_callers_of_a_frozen_server_are_taken_over_by_a_survivor_and_its_late_writes_are_refused(
    closed_centre: Centre, phones: Telephones
):
    frozen = await closed_centre.start()
    await closed_centre.start()
    stream = await closed_centre.stream()
    async with phones.agent("1001") as phone, phones.customer(stay=60) as customer:
        queued = await stream.event("interaction.queued")
        ident = queued["interaction"]
        before = await closed_centre.interaction(ident)
        frozen.freeze()
        await closed_centre.desk("amy")
        await phone.until("TALK", within=40)
        item = await stream.interaction(ident, state="active", agent="amy")
        frozen.thaw()
        await closed_centre.call("GET", "/agents", node=0)
        assert (await closed_centre.interaction(ident))["state"] == "active"
        assert not customer.has("PEER-BYE")
    assert item["queued_at"] == before["queued_at"]
    assert "interaction.abandoned" not in stream.kinds
    assert len(await closed_centre.calls()) == 1


async def test_a_conversation_of_a_frozen_server_ends_right_and_stays_ended(closed_centre: Centre, phones: Telephones):
    frozen = await closed_centre.start()
    await closed_centre.start()
    stream = await closed_centre.stream()
    await closed_centre.desk("amy")
    async with phones.agent("1001"), phones.customer(stay=4) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="active")
        frozen.freeze()
        await customer.ended()
        item = await stream.interaction(ident, state="wrapping", within=40)
    frozen.thaw()
    await closed_centre.call("GET", "/agents", node=0)
    again = await closed_centre.interaction(ident)
    assert (again["state"], again["ended_at"]) == ("wrapping", item["ended_at"])
    assert "interaction.abandoned" not in stream.kinds


async def test_a_call_that_a_frozen_server_never_read_reaches_a_survivor(closed_centre: Centre, phones: Telephones):
    frozen = await closed_centre.start()
    await closed_centre.start()
    stream = await closed_centre.stream()
    await closed_centre.desk("amy")
    frozen.freeze()
    async with phones.agent("1001") as phone, phones.customer(stay=22) as customer:
        await phone.until("TALK", within=45)
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="active", agent="amy")
        frozen.thaw()
        await closed_centre.call("GET", "/agents", node=0)
        left = await customer.until("LEAVE", within=40)
        item = await stream.interaction(ident, state="wrapping")
    assert abs(moment(item["ended_at"]) - left.at) < timedelta(seconds=0.5)
    assert len(await closed_centre.calls()) == 1


# ---------------------------------------------------------------- AMI is lost


async def test_a_call_goes_on_while_ami_is_away_and_ends_right(closed_centre: Centre, asterisk: Instance, phones):
    async with Relay(asterisk.ports.ami, free_port()) as wire:
        await closed_centre.start(ami={"default": wire.port})
        stream = await closed_centre.stream()
        await closed_centre.desk("amy")
        async with phones.agent("1001"), phones.customer(stay=5) as customer:
            ident = (await stream.event("interaction.arrived"))["interaction"]
            await stream.interaction(ident, state="active")
            await wire.cut()
            left = await customer.until("LEAVE")
            item = await stream.interaction(ident, state="wrapping")
        assert abs(moment(item["ended_at"]) - left.at) < timedelta(seconds=0.5)
        await closed_centre.wrap_up(ident, by="amy")
        async with phones.agent("1001") as phone, phones.customer(stay=3) as customer:
            await phone.until("TALK")
            await customer.ended()
            await stream.agent("amy", routing_status="wrap_up")
        assert "interaction.abandoned" not in stream.kinds


async def test_the_end_of_a_transferred_call_that_ami_did_not_tell_is_found_when_it_is_back(
    closed_centre: Centre, asterisk: Instance, phones: Telephones
):
    async with Relay(asterisk.ports.ami, free_port()) as wire:
        await closed_centre.start(ami={"default": wire.port})
        stream = await closed_centre.stream()
        await closed_centre.desk("amy")
        async with (
            phones.agent("1001", does="agent_refer.xml", transfer_to="1002"),
            phones.agent("1002") as second,
            phones.customer(stay=6) as customer,
        ):
            ident = (await stream.event("interaction.arrived"))["interaction"]
            await second.until("TALK")
            await stream.interaction(ident, state="active", agent="bo")
            await wire.cut()
            await customer.ended()
            assert (await closed_centre.interaction(ident))["state"] == "active"
            await wire.mend()
            await stream.interaction(ident, state="wrapping", within=40)
        assert "interaction.abandoned" not in stream.kinds


# ---------------------------------------------------------------- Asterisk dies


async def test_after_a_restart_of_asterisk_nobody_talks_and_new_calls_come_through(
    organisation, mortal: Instance, tree: Tree
):
    dsn, tokens = organisation
    phones = Telephones(pbx=mortal.ports.sip, provider=mortal.ports.trunk)
    async with centre(dsn, tokens, {"default": mortal}) as one:
        await one.start()
        stream = await one.stream()
        await one.desk("amy")
        async with phones.agent("1001") as phone, phones.customer(), phones.customer(number="+33687654321"):
            await phone.until("TALK")
            talking = (await stream.event("interaction.answered"))["interaction"]
            await stream.event("interaction.queued")
            waiting = next(item["id"] for item in await one.calls() if item["id"] != talking)
            mortal.kill(signal.SIGKILL)
            mortal.start(tree)
            await stream.interaction(talking, state="wrapping", within=40)
            item = await stream.interaction(waiting, state="closed", within=40)
            assert item["outcome"] in ("failed", "unknown")
            await phones.register("1001", port=phone.port)
            await one.wrap_up(talking, by="amy")
            await stream.agent("amy", routing_status="idle")
            async with phones.customer(number="+33612312312", stay=3) as customer:
                await phone.until("TALK", count=2)
                assert await customer.ended() == 0


# ---------------------------------------------------------------- two PBXs


async def test_calls_of_two_pbxs_with_the_same_uniqueid_are_two_calls(organisation, tree: Tree):
    dsn, tokens = organisation
    servers = tuple(free_port() for _ in range(2))
    pbxs = {name: make_instance(replace(free_ports(), agi=servers), PBX=name) for name in ("north", "south")}
    try:
        for instance in pbxs.values():
            instance.start(tree)
        async with centre(dsn, tokens, pbxs) as one:
            await one.start()
            stream = await one.stream()
            for name, instance in pbxs.items():
                async with Manager(instance.ports.ami) as manager:
                    answer = await manager.act(
                        "Originate",
                        Channel=f"Local/{SUPPORT}@from-trunk",
                        Application="Wait",
                        Data="60",
                        CallerID="+33612345678",
                        ChannelId="same-1",
                        OtherChannelId="same-2",
                        Async="true",
                    )
                    assert answer["Response"] == "Success", name
            for name in pbxs:
                await stream.event("interaction.arrived", external_id=f"{name}/same-2")
            assert len(await one.calls()) == 2
    finally:
        for instance in pbxs.values():
            remove(instance)
