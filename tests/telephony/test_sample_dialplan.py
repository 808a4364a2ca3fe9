"""config/asterisk leads callers to a server, asks again when it is lost, and never leaves them alone."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from tests.telephony.lab.instance import Instance
from tests.telephony.lab.tree import Tree
from tests.telephony.pbx import make_instance, remove
from tests.telephony.peers import AgiServer, Manager, Session
from tests.telephony.phones import SUPPORT, Telephones


async def _wait(session: Session) -> None:
    await session.wait_with_music()


async def _done(session: Session) -> None:
    await session.command("EXEC Answer ,i")
    await session.command("SET VARIABLE CC_DONE 1")


async def test_a_caller_reaches_the_server_with_the_name_of_the_pbx_and_the_number_called(asterisk, phones, manager):
    async with AgiServer(asterisk.ports.agi[0], _done) as server, phones.customer() as customer:
        session = await server.next_session()
        assert await customer.ended() == 0
    assert session.request == "inbound?pbx=default"
    assert session.environment["dnid"] == session.environment["extension"] == SUPPORT
    assert session.environment["callerid"] == "+33612345678"


async def test_a_server_that_is_done_is_not_asked_again(asterisk, phones, manager):
    async with AgiServer(asterisk.ports.agi[0], _done) as server, phones.customer() as customer:
        await customer.until("PEER-BYE")
        assert len(server.sessions) == 1


async def test_a_waiting_caller_of_a_killed_server_is_with_the_next_one_at_once(asterisk, phones, manager):
    first, second = asterisk.ports.agi
    async with AgiServer(first, _wait) as dying, AgiServer(second, _done) as other, phones.customer() as customer:
        session = await dying.next_session()
        await manager.event("MusicOnHoldStart")
        began = time.monotonic()
        await dying.kill()
        again = await other.next_session()
        took = time.monotonic() - began
        await customer.ended()
    assert again.environment["uniqueid"] == session.environment["uniqueid"]
    assert took < 0.5


async def test_a_caller_keeps_the_music_until_the_only_server_is_back(asterisk, phones, manager):
    port = asterisk.ports.agi[0]
    async with AsyncExitStack() as stack:
        dying = await stack.enter_async_context(AgiServer(port, _wait))
        customer = await stack.enter_async_context(phones.customer())
        session = await dying.next_session()
        await manager.event("MusicOnHoldStart")
        mark = len(manager.events)
        await dying.kill()
        await manager.event("Newexten", Application="Wait", since=mark)
        music = [event["Event"] for event in manager.events[mark:] if event["Event"].startswith("MusicOnHold")]
        assert music.count("MusicOnHoldStop") <= music.count("MusicOnHoldStart")
        back = await stack.enter_async_context(AgiServer(port, _done))
        again = await back.next_session()
        assert await customer.ended() == 0
    assert again.environment["uniqueid"] == session.environment["uniqueid"]


async def test_a_refusing_server_is_not_asked_more_than_once_a_second(asterisk, phones, manager):
    async def refuse(session: Session) -> None:
        session.abort()

    async with AgiServer(asterisk.ports.agi[0], refuse) as server, phones.customer(stay=60) as customer:
        first = await server.next_session()
        began = time.monotonic()
        again = [await server.next_session() for _ in range(3)]
        assert time.monotonic() - began > 2.5
        assert {session.environment["uniqueid"] for session in again} == {first.environment["uniqueid"]}
        await manager.act("Hangup", Channel="/^PJSIP/trunk-.*$/")
        await customer.ended()


async def test_a_caller_redirected_away_from_a_frozen_server_is_asked_of_the_next_one(asterisk, phones, manager):
    first, second = asterisk.ports.agi
    async with AgiServer(first, _wait) as frozen, AgiServer(second, _done) as survivor, phones.customer() as customer:
        session = await frozen.next_session()
        await manager.event("MusicOnHoldStart")
        channel = session.environment["channel"]
        answer = await manager.act(
            "Redirect", Channel=channel, Context="callcenter-inbound", Exten=SUPPORT, Priority="1"
        )
        assert answer["Response"] == "Success"
        again = await survivor.next_session()
        assert await customer.ended() == 0
    assert again.environment["uniqueid"] == session.environment["uniqueid"]
    assert again.environment["dnid"] == SUPPORT


async def test_a_talking_caller_of_a_killed_server_comes_back_when_the_agent_hangs_up(asterisk, phones, manager):
    async def connect(session: Session) -> None:
        await session.command("EXEC Answer ,i")
        await session.command('EXEC Dial "PJSIP/1001,10"')

    port = asterisk.ports.agi[0]
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(phones.agent("1001", talk=2))
        dying = await stack.enter_async_context(AgiServer(port, connect))
        customer = await stack.enter_async_context(phones.customer())
        session = await dying.next_session()
        await agent.until("TALK")
        await dying.kill()
        back = await stack.enter_async_context(AgiServer(port, _done))
        again = await back.next_session()
        assert agent.has("LEAVE")
        assert await customer.ended() == 0
    assert again.environment["uniqueid"] == session.environment["uniqueid"]


async def test_the_agents_answer_is_told_on_the_agents_leg_before_anyone_hears_anything(asterisk, phones, manager):
    async def serve(session: Session) -> None:
        if session.request.startswith("inbound"):
            await session.command("EXEC Answer ,i")
            await session.command('EXEC Dial "PJSIP/1001,10,U(callcenter-answered^r-17)"')
            await session.command("SET VARIABLE CC_DONE 1")

    async with (
        phones.agent("1001", talk=0.5) as agent,
        AgiServer(asterisk.ports.agi[0], serve) as server,
        phones.customer() as customer,
    ):
        inbound = await server.next_session()
        answered = await server.next_session()
        await agent.until("TALK")
        assert await customer.ended() == 0
    assert answered.request == "answered?id=r-17"
    assert answered.environment["channel"].startswith("PJSIP/1001-")
    assert answered.environment["uniqueid"] != inbound.environment["uniqueid"]
    told = await manager.event("Newexten", Channel="PJSIP/1001-.*", Application="AGI")
    bridged = await manager.event("BridgeEnter", Channel="PJSIP/1001-.*")
    assert manager.events.index(told) < manager.events.index(bridged)


async def test_a_caller_whom_the_server_wants_in_one_queue_says_so(asterisk, phones, manager):
    async with AgiServer(asterisk.ports.agi[0], _done) as server:
        mark = len(manager.events)
        await manager.act(
            "Originate",
            Channel="Local/s@callcenter-inbound",
            Application="Wait",
            Data="5",
            Variable="__CC_QUEUE=order desk",
            Async="true",
        )
        session = await server.next_session()
        await manager.event("OriginateResponse", since=mark)
    assert session.request == "inbound?pbx=default&queue=order%20desk"
    assert session.environment["extension"] == session.environment["dnid"] == "0"


async def test_a_caller_who_leaves_while_no_server_is_there_ends_in_asterisk_too(asterisk, phones, manager):
    async with phones.customer(stay=60) as customer:
        await manager.event("Newexten", Application="Wait")
        mark = len(manager.events)
        await manager.act("Hangup", Channel="/^PJSIP/trunk-.*$/")
        await manager.event("Hangup", since=mark)
        await customer.ended()


@pytest.fixture(scope="module")
def impatient(tree: Tree):
    """An Asterisk whose callers get the fallback after two seconds without a server, with app_queue in it."""
    instance = make_instance(PATIENCE="2", FALLBACK_QUEUE="fallback")
    instance.start(tree)
    yield instance
    remove(instance)


async def test_without_any_server_callers_are_served_by_the_fallback_queue(impatient: Instance):
    phones = Telephones(pbx=impatient.ports.sip, provider=impatient.ports.trunk)
    async with phones.agent("1001", talk=1) as agent, phones.customer() as customer:
        await agent.until("TALK")
        assert await customer.ended() == 0
        assert customer.has("PEER-BYE")


async def test_when_nobody_is_in_the_fallback_queue_callers_hear_an_apology(impatient: Instance):
    phones = Telephones(pbx=impatient.ports.sip, provider=impatient.ports.trunk)
    async with Manager(impatient.ports.ami) as manager, phones.customer() as customer:
        await manager.event("Newexten", Application="Playback", AppData="vm-nobodyavail&please-try-call-later")
        assert await customer.ended() == 0


async def test_a_server_that_comes_back_in_time_gets_the_caller(impatient: Instance):
    phones = Telephones(pbx=impatient.ports.sip, provider=impatient.ports.trunk)
    async with phones.customer() as customer, Manager(impatient.ports.ami) as manager:
        async with asyncio.timeout(20):
            await manager.event("Newexten", Application="Wait")
            async with AgiServer(impatient.ports.agi[1], _done) as server:
                await server.next_session()
                assert await customer.ended() == 0
