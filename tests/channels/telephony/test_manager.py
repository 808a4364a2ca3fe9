"""The AMI client against the fake PBX: log-in, answers, lists, and every way of losing it."""

import asyncio
import contextlib
from typing import Any

import pytest

from callcenter.errors import ChannelError, Invalid
from channels.telephony.fakepbx import FakePbx
from channels.telephony.manager import Manager


class Owner:
    """Runs a manager and notes what it is told."""

    def __init__(self, pbx, **changes):
        self.events: list[Any] = []
        self.connections: asyncio.Queue[bool] = asyncio.Queue()
        self.losses: asyncio.Queue[None] = asyncio.Queue()
        settings = {"user": pbx.user, "secret": pbx.secret, "backoff": (0.01, 0.02), "ping_every": 5.0, **changes}
        self.manager = Manager(
            "default",
            host="127.0.0.1",
            port=pbx.ami_port,
            on_event=self.events.append,
            on_connected=self.connections.put,
            on_lost=lambda: self.losses.put_nowait(None),
            **settings,
        )
        self.task = asyncio.create_task(self.manager.run())

    async def connected(self):
        async with asyncio.timeout(20):
            return await self.connections.get()

    async def lost(self):
        async with asyncio.timeout(20):
            await self.losses.get()

    async def stop(self):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@pytest.fixture
async def pbx():
    pbx = FakePbx(agi=("127.0.0.1", 1), patience=0.0)
    await pbx.start()
    yield pbx
    await pbx.stop()


@pytest.fixture
async def own(pbx):
    owners = []

    def make(**changes):
        owners.append(Owner(pbx, **changes))
        return owners[-1]

    yield make
    for owner in owners:
        await owner.stop()


async def test_it_logs_in_and_runs_actions(pbx, own):
    owner = own()
    assert await owner.connected() is False
    assert owner.manager.connected
    settings = await owner.manager.action("CoreSettings")
    assert settings.fields["AsteriskVersion"] == pbx.version
    refused = await owner.manager.action("Hangup", {"Channel": "nobody"})
    assert (refused.success, refused.message) == (False, "No such channel")


async def test_many_actions_at_once_get_their_own_answers(pbx, own):
    owner = own()
    await owner.connected()
    channels = [(await pbx.call(caller="1", to="2")).channel for _ in range(20)]
    for number, channel in enumerate(channels):
        channel.variables["X"] = str(number)
    answers = await asyncio.gather(
        *(owner.manager.action("Getvar", {"Channel": channel.name, "Variable": "X"}) for channel in channels)
    )
    assert [answer.fields["Value"] for answer in answers] == [str(number) for number in range(20)]


async def test_a_listing_gives_its_events_and_no_other(pbx, own):
    owner = own()
    await owner.connected()
    calls = [await pbx.call(caller="1", to="2") for _ in range(3)]
    shown = await owner.manager.listing("CoreShowChannels")
    assert [event.name for event in shown] == ["CoreShowChannel"] * 3
    assert {event.fields["Uniqueid"] for event in shown} == {call.uniqueid for call in calls}
    assert "CoreShowChannel" not in {event.name for event in owner.events}


class OneSegment(asyncio.Protocol):
    """An AMI server that sends a whole list and the event after it in one piece."""

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"Asterisk Call Manager/11.0.0\r\n")

    def data_received(self, data):
        action, ident = (line.split(b": ")[1] for line in data.split(b"\r\n")[:2])
        answer = b"Response: Success\r\nActionID: " + ident + b"\r\n"
        if action != b"CoreShowChannels":
            self.transport.write(answer + b"\r\n")
            return
        self.transport.write(
            answer
            + b"EventList: start\r\n\r\nEvent: CoreShowChannel\r\nActionID: " + ident
            + b"\r\nUniqueid: 1\r\n\r\nEvent: CoreShowChannelsComplete\r\nActionID: " + ident
            + b"\r\nEventList: Complete\r\n\r\nEvent: Newchannel\r\nUniqueid: 2\r\n\r\n"
        )  # fmt: skip


async def test_a_listing_is_handed_over_before_what_came_after_it():
    server = await asyncio.get_running_loop().create_server(OneSegment, "127.0.0.1", 0)
    order: list[str] = []
    ready = asyncio.Event()

    async def on_connected(restarted):
        ready.set()

    manager = Manager(
        "default", host="127.0.0.1", port=server.sockets[0].getsockname()[1], user="u", secret="s",
        on_event=lambda event: order.append(event.name), on_connected=on_connected,
    )  # fmt: skip
    task = asyncio.create_task(manager.run())
    await ready.wait()
    shown = await manager.listing("CoreShowChannels", then=lambda events: order.append(f"list of {len(events)}"))
    assert order == ["list of 1", "Newchannel"]
    assert [event.fields["Uniqueid"] for event in shown] == ["1"]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    server.close()


async def test_a_listing_that_is_refused_is_an_error(pbx, own):
    owner = own()
    await owner.connected()
    with pytest.raises(ChannelError, match="Did not find context nowhere"):
        await owner.manager.listing("ShowDialPlan", {"Context": "nowhere"})


async def test_events_come_in_order(pbx, own):
    owner = own()
    await owner.connected()
    call = await pbx.call(caller="+8613800138000", to="95500", name="王小明")
    await call.until("fallback")
    call.hangup()
    await call.until("ended")
    await owner.manager.action("Ping")
    names = [event.name for event in owner.events if event.name != "FullyBooted"]
    assert names == ["Newchannel", "Newstate", "HangupRequest", "SoftHangupRequest", "Hangup"]
    assert next(event for event in owner.events if event.name == "Newchannel").fields["CallerIDName"] == "王小明"


async def test_a_wrong_secret_is_told_in_words_and_tried_again(pbx, own):
    right, pbx.secret = pbx.secret, "changed"
    owner = own(secret=right)
    with pytest.raises(ChannelError, match="AMI log-in refused: Authentication failed"):
        await owner.manager._serve_once()
    assert not owner.manager.connected
    pbx.secret = right
    assert await owner.connected() is False


async def test_a_broken_connection_is_made_anew_and_is_no_restart(pbx, own):
    owner = own()
    await owner.connected()
    pbx.drop_ami()
    await owner.lost()
    assert await owner.connected() is False
    assert (await owner.manager.action("Ping")).success


async def test_a_restarted_pbx_is_known_by_its_start_time(pbx, own):
    owner = own()
    await owner.connected()
    await pbx.restart()
    await owner.lost()
    assert await owner.connected() is True


async def test_a_frozen_pbx_is_noticed_and_taken_back_when_it_thaws(pbx, own):
    owner = own(ping_every=0.01, ping_timeout=0.05)
    await owner.connected()
    pbx.freeze()
    await owner.lost()
    assert owner.manager.state == "down"
    pbx.thaw()
    assert await owner.connected() is False


async def test_an_action_has_a_deadline(pbx, own):
    owner = own()
    await owner.connected()
    pbx.freeze()
    with pytest.raises(TimeoutError, match=r"did not answer Ping within 0\.02 s"):
        await owner.manager.action("Ping", timeout=0.02)
    pbx.thaw()


async def test_what_waits_for_an_answer_fails_at_once_when_the_connection_breaks(pbx, own):
    owner = own()
    await owner.connected()
    pbx.freeze()
    asked = asyncio.create_task(owner.manager.action("Ping"))
    listed = asyncio.create_task(owner.manager.listing("CoreShowChannels"))
    await asyncio.sleep(0)
    pbx.drop_ami()
    for task in (asked, listed):
        with pytest.raises(ChannelError):
            async with asyncio.timeout(20):
                await task
    pbx.thaw()


async def test_without_a_connection_actions_are_refused(pbx, own):
    await pbx.stop()
    owner = own()
    with pytest.raises(ChannelError, match="No AMI connection"):
        await owner.manager.action("Ping")
    await pbx.start()
    assert await owner.connected() is False


async def test_a_line_break_never_reaches_the_pbx(pbx, own):
    owner = own()
    await owner.connected()
    with pytest.raises(Invalid):
        await owner.manager.action("Redirect", {"Channel": "x\r\nAction: Hangup"})
    assert (await owner.manager.action("Ping")).success
