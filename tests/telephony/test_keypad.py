"""The question after a call, on a real Asterisk."""

from typing import Any

from tests.telephony.peers import Manager
from tests.telephony.product import Centre, Stream

ASKED = "+33100000005"


async def surveys(centre: Centre) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await centre.call("GET", "/surveys"))["items"]
    return items


async def test_the_caller_answers_with_a_key_when_the_agent_has_hung_up(
    open_centre: Centre, stream: Stream, phones, manager: Manager
):
    await open_centre.desk("amy")
    async with phones.agent("1001", talk=1) as phone, phones.customer(ASKED) as customer:
        left = await phone.until("LEAVE")
        ident = (await stream.event("survey.asked"))["interaction"]
        item = await stream.interaction(ident, state="wrapping")
        caller = (await manager.event("Newchannel", Channel="PJSIP/(?!1001).*"))["Channel"]
        # The prompt lasts half a minute: the key cuts it short.
        await manager.act("PlayDTMF", Channel=caller, Digit="4", Receive="1")
        assert await customer.ended(within=10) == 0
        assert customer.has("PEER-BYE")
    [survey] = await surveys(open_centre)
    assert (survey["score"], survey["via"], survey["agent"]) == (4, "keypad", "amy")
    after = await stream.interaction(ident, state="wrapping")
    assert (after["ended_at"], after["segments"]) == (item["ended_at"], item["segments"])
    assert left.at is not None


async def test_a_caller_who_hangs_up_while_asked_is_no_error(
    open_centre: Centre, stream: Stream, phones, manager: Manager
):
    await open_centre.desk("amy")
    async with phones.agent("1001", talk=1), phones.customer(ASKED, stay=4) as customer:
        ident = (await stream.event("survey.asked"))["interaction"]
        assert await customer.ended(within=15) == 0
        assert customer.has("LEAVE")
    [survey] = await surveys(open_centre)
    assert (survey["score"], survey["interaction"]) == (None, ident)
    ended = await stream.event("interaction.ended", interaction=ident)
    assert ended["data"]["cause"] == "agent_hangup"
    assert (await stream.interaction(ident, state="wrapping"))["outcome"] == "handled"
