"""Callers who keep their place without holding the line, and calls that agents place, on a real Asterisk."""

from tests.telephony.peers import Manager
from tests.telephony.product import Centre, Stream

PATIENT = "+33100000006"
CALLER = "+33612345678"


async def test_a_key_keeps_the_place_and_the_agent_calls_back(
    open_centre: Centre, stream: Stream, phones, manager: Manager
):
    async with phones.customer(PATIENT) as customer:
        began = await manager.event("Newchannel", Channel="PJSIP/trunk.*")
        ident = (await stream.event("interaction.treatment", treatment="callback"))["interaction"]
        await manager.event("MusicOnHoldStop", Channel=began["Channel"])  # the key cuts short what is read out
        await manager.act("PlayDTMF", Channel=began["Channel"], Digit="1", Receive="1")
        closed = await stream.event("interaction.closed", interaction=ident)
        assert (closed["data"]["outcome"], closed["data"]["cause"]) == ("flow_out", "callback")
        assert await customer.ended(within=10) == 0
        assert customer.has("PEER-BYE")
    before = await open_centre.interaction(ident)
    [asked] = (await open_centre.call("GET", "/callbacks"))["items"]
    assert (asked["number"], asked["queued_at"], asked["origin"]) == (CALLER, before["queued_at"], ident)
    desk = await open_centre.desk("amy")
    await desk.frame(lambda frame: frame["type"] == "pop" and frame["interaction"] == asked["id"])
    async with phones.agent("1001") as phone, phones.outside(talk=1) as called:
        await open_centre.call("POST", f"/interactions/{asked['id']}/accept", by="amy")
        rang = await phone.until("RING")
        assert f"from={CALLER}" in rang.rest
        assert (await called.until("RING")).at > rang.at
        await stream.event("interaction.reached", interaction=asked["id"])
        ended = await stream.event("interaction.ended", interaction=asked["id"])
        assert ended["data"]["cause"] == "customer_hangup"
        await phone.until("PEER-BYE")
    item = await stream.interaction(asked["id"], state="wrapping")
    assert (item["outcome"], item["agent"], len(item["segments"])) == ("handled", "amy", 1)


async def test_who_is_busy_is_called_again_later(open_centre: Centre, stream: Stream, phones):
    desk = await open_centre.desk("amy")
    asked = await open_centre.call("POST", "/callbacks", {"number": CALLER, "queue": "support"})
    await desk.frame(lambda frame: frame["type"] == "pop" and frame["interaction"] == asked["id"])
    async with phones.agent("1001") as phone, phones.outside(does="agent_busy.xml"):
        await open_centre.call("POST", f"/interactions/{asked['id']}/accept", by="amy")
        ended = await stream.event("interaction.ended", interaction=asked["id"])
        assert ended["data"]["cause"] == "busy"
        await phone.until("PEER-BYE")
    [again] = (await open_centre.call("GET", "/callbacks"))["items"]
    assert (again["attempt"], again["origin"], again["state"]) == (2, asked["id"], "new")


async def test_a_phone_that_nobody_registered_gives_the_callback_back(open_centre: Centre, stream: Stream):
    desk = await open_centre.desk("amy")
    asked = await open_centre.call("POST", "/callbacks", {"number": CALLER, "queue": "support"})
    await desk.frame(lambda frame: frame["type"] == "pop" and frame["interaction"] == asked["id"])
    await open_centre.call("POST", f"/interactions/{asked['id']}/accept", by="amy")
    failed = await stream.event("reservation.failed", interaction=asked["id"])
    assert failed["data"]["reason"] == "unreachable"


async def test_a_click_rings_both_phones_and_the_agent_ends_it(open_centre: Centre, stream: Stream, phones):
    async with phones.agent("1001", talk=2), phones.outside() as called:
        item = await open_centre.call("POST", "/calls", {"agent": "amy", "to": CALLER, "queue": "support"}, by="amy")
        await stream.event("interaction.reached", interaction=item["id"])
        ended = await stream.event("interaction.ended", interaction=item["id"])
        assert ended["data"]["cause"] == "agent_hangup"
        await called.until("PEER-BYE")
    assert (await open_centre.interaction(item["id"]))["direction"] == "outbound"
