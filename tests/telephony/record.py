"""Records what a real Asterisk with the sample dialplan says: `python -m tests.telephony.record DIR`."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from tests.telephony.lab.instance import Instance
from tests.telephony.lab.tree import default_cache, fetch
from tests.telephony.pbx import make_instance, remove
from tests.telephony.peers import AgiServer, Manager, Session
from tests.telephony.phones import SUPPORT, Telephones

# What the transcripts leave out: noise, and what the server's account does not see.
_UNSEEN = {
    "Newexten",
    "AGIExecStart",
    "AGIExecEnd",
    "Cdr",
    "TestEvent",
    "VarSet",
    "PeerStatus",
    "QueueMemberStatus",
}
_FIELDS = (
    "Channel",
    "DestChannel",
    "ChannelStateDesc",
    "CallerIDNum",
    "Uniqueid",
    "Linkedid",
    "DestUniqueid",
    "DialStatus",
    "BridgeUniqueid",
    "Device",
    "State",
    "AOR",
    "URI",
    "ContactStatus",
    "Cause",
    "Cause-txt",
    "Exten",
    "TransfereeUniqueid",
    "TransfereeChannel",
    "Result",
    "DestType",
    "DestBridgeUniqueid",
    "OrigTransfererUniqueid",
    "OrigTransfererChannel",
    "SecondTransfererUniqueid",
    "SecondTransfererChannel",
    "Class",
)


async def _until_gone(session: Session) -> None:
    await session.wait_with_music()
    with contextlib.suppress(ConnectionError):
        await session.command("GET VARIABLE UNIQUEID")


async def _done(session: Session) -> None:
    await session.command("SET VARIABLE CC_DONE 1")


async def _dial(session: Session) -> None:
    if session.request.startswith("answered"):
        return await _done(session)
    await session.command("EXEC Answer ,i")
    await session.command('EXEC Dial "PJSIP/1001,10,tgU(callcenter-answered^17)"')
    for name in ("DIALSTATUS", "HANGUPCAUSE"):
        await session.command(f"GET VARIABLE {name}")
    return await _done(session)


class Stage:
    """One scenario's peers; everything it starts ends with it."""

    def __init__(self, instance: Instance, manager: Manager, stack: AsyncExitStack) -> None:
        self.ports, self.manager, self.stack = instance.ports, manager, stack
        self.phones = Telephones(pbx=instance.ports.sip, provider=instance.ports.trunk)
        self.sessions: list[Session] = []

    async def server(self, handler: Callable[[Session], Awaitable[None]], number: int = 0) -> AgiServer:
        async def serve(session: Session) -> None:
            self.sessions.append(session)
            await handler(session)

        return await self.stack.enter_async_context(AgiServer(self.ports.agi[number], serve))


async def server_killed_while_waiting(stage: Stage) -> None:
    dying = await stage.server(_until_gone)
    await stage.server(_done, 1)
    async with stage.phones.customer() as customer:
        await stage.manager.event("MusicOnHoldStart")
        await dying.kill()
        await customer.ended()


async def server_killed_while_talking(stage: Stage) -> None:
    dying = await stage.server(_dial)
    await stage.server(_done, 1)
    async with stage.phones.agent("1001", talk=2) as agent, stage.phones.customer() as customer:
        await agent.until("TALK")
        await stage.manager.event("BridgeEnter", Channel="PJSIP/1001-.*")
        await dying.kill()
        await customer.ended()


async def answered_subroutine(stage: Stage) -> None:
    await stage.server(_dial)
    async with stage.phones.agent("1001", talk=1), stage.phones.customer() as customer:
        await customer.ended()


async def hold_and_resume(stage: Stage) -> None:
    await stage.server(_dial)
    async with stage.phones.agent("1001", does="agent_hold.xml"), stage.phones.customer(stay=4) as customer:
        await customer.ended()


async def agent_declines(stage: Stage) -> None:
    await stage.server(_dial)
    phone = stage.phones.agent("1001", does="agent_decline.xml")
    async with phone, stage.phones.customer() as customer:
        await customer.ended()


async def redirected_to_the_next_server(stage: Stage) -> None:
    await stage.server(_until_gone)
    await stage.server(_done, 1)
    async with stage.phones.customer() as customer:
        channel = (await stage.manager.event("MusicOnHoldStart"))["Channel"]
        where = {"Context": "callcenter-inbound", "Exten": SUPPORT, "Priority": "1"}
        await stage.manager.act("Redirect", Channel=channel, **where)
        await customer.ended()


async def attended_transfer_by_ami(stage: Stage) -> None:
    await stage.server(_dial)
    async with (
        stage.phones.agent("1001", talk=3),
        stage.phones.agent("1002") as second,
        stage.phones.customer(stay=6) as customer,
    ):
        agent = await stage.manager.event("BridgeEnter", Channel="PJSIP/1001-.*")
        await stage.manager.act("Atxfer", Channel=agent["Channel"], Exten="1002", Context="agents")
        await second.until("TALK")
        await customer.ended()


SCENARIOS = [
    server_killed_while_waiting,
    server_killed_while_talking,
    answered_subroutine,
    hold_and_resume,
    agent_declines,
    redirected_to_the_next_server,
    attended_transfer_by_ami,
]


def transcript(sessions: list[Session], manager: Manager) -> str:
    """Write each session's environment (=), commands (>) and replies (<) with times, then the AMI events."""
    began = min(session.lines[0][0] for session in sessions)
    lines = []
    for number, session in enumerate(sessions, 1):
        lines.append(f"# session {number}")
        lines += [f"{at - began:.3f} {way} {text}" for at, way, text in session.lines]
    lines.append("# events")
    for at, event in zip(manager.times, manager.events, strict=True):
        if event["Event"] not in _UNSEEN:
            fields = " ".join(f"{name}={event[name]}" for name in _FIELDS if event.get(name))
            lines.append(f"{at - began:.3f} {event['Event']}: {fields}")
    return "\n".join(lines) + "\n"


async def _record(instance: Instance, folder: Path) -> None:
    for scenario in SCENARIOS:
        async with AsyncExitStack() as stack:
            manager = await stack.enter_async_context(Manager(instance.ports.ami))
            stage = Stage(instance, manager, stack)
            await scenario(stage)
            await manager.event("Hangup", Channel="PJSIP/trunk-.*")
        (folder / f"{scenario.__name__}.txt").write_text(transcript(stage.sessions, manager))


def main(folder: Path) -> None:
    """Play every scenario once on an Asterisk of its own and write one file for each."""
    instance = make_instance()
    try:
        instance.start(fetch(default_cache()))
        asyncio.run(_record(instance, folder))
    finally:
        remove(instance)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
