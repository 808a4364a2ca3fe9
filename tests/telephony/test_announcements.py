"""What callers who wait are told, on a real Asterisk."""

import asyncio

from channels.telephony import agi
from tests.telephony.peers import AgiServer, Manager, Session
from tests.telephony.product import Centre, Stream

ANNOUNCED = "+33100000004"


def text(command: agi.Command) -> str:
    return command.line.decode().rstrip("\n")


async def test_the_music_goes_on_after_an_announcement(open_centre: Centre, stream: Stream, phones, manager: Manager):
    async with phones.customer(ANNOUNCED, stay=20):
        await manager.event("MusicOnHoldStart")
        await manager.event("MusicOnHoldStop", within=5)
        mark = len(manager.events)
        await manager.event("MusicOnHoldStart", since=mark, within=10)
        assert "Hangup" not in [event["Event"] for event in manager.events]


async def test_an_announcement_is_cut_short_when_an_agent_is_free(
    open_centre: Centre, stream: Stream, phones, manager: Manager
):
    async with phones.agent("1001") as phone, phones.customer(ANNOUNCED, stay=8) as customer:
        await manager.event("MusicOnHoldStop")
        await open_centre.desk("amy")
        began = asyncio.get_running_loop().time()
        await phone.until("RING")
        # The announcement takes eight seconds.
        assert asyncio.get_running_loop().time() - began < 2
        await phone.until("TALK")
        await customer.ended()


async def test_what_a_missing_sound_is_answered_with_is_no_hang_up(asterisk, phones, manager):
    """What the fake PBX and `announcements.play` go by."""

    async def handler(session: Session) -> None:
        await session.command(text(agi.answer()))
        commands = (agi.stream_file("no-such-sound"), agi.get_variable("CHANNEL"), agi.say_number(2))
        replies.extend([await session.command(text(command)) for command in commands])
        await session.command("SET VARIABLE CC_DONE 1")

    replies: list[str] = []
    async with AgiServer(asterisk.ports.agi[0], handler) as server, phones.customer() as customer:
        session = await server.next_session()
        assert await customer.ended() == 0
    assert replies[0] == "200 result=-1 endpos=0"
    assert replies[1].startswith("200 result=1 (PJSIP/")
    assert replies[2] == "200 result=0"
    assert "HANGUP" not in [line for _, _, line in session.lines]
