"""An inbound call, whatever may come between its arrival and its end."""

from datetime import datetime, timedelta

import pytest

from tests.telephony.peers import Manager
from tests.telephony.phones import Telephones
from tests.telephony.product import Centre, Stream, moment

CLOSED, GREETED = "+33100000002", "+33100000003"
SOON = timedelta(seconds=0.5)
# The console has the frame before the phone is dialled; this process may read it when the phone has run already.
READ_LATE = timedelta(milliseconds=5)


def close_to(text: str, at: datetime) -> bool:
    """Whether a time of the API is the moment at which a phone did something."""
    return abs(moment(text) - at) < SOON


async def test_a_call_is_answered_talked_and_ended_by_the_customer(open_centre: Centre, stream: Stream, phones):
    desk = await open_centre.desk("amy")
    async with phones.agent("1001") as phone, phones.customer(stay=4) as customer:
        called = await customer.until("CALL")
        arrived = await stream.event("interaction.arrived")
        ident = arrived["interaction"]
        ring, talk = await phone.until("RING"), await phone.until("TALK")
        await stream.interaction(ident, state="active")
        assert (await open_centre.agent("amy"))["routing_status"] == "interacting"
        leave = await customer.until("LEAVE")
        item = await stream.interaction(ident, state="wrapping")
        await phone.until("PEER-BYE")
        assert await customer.ended() == 0
    pop_at, pop = await desk.frame(lambda frame: frame["type"] == "pop")
    assert pop["interaction"] == ident
    assert pop_at < ring.at + READ_LATE
    assert item["queue"] == "support"
    assert item["agent"] == "amy"
    assert item["address"] == "+33612345678"
    assert close_to(item["arrived_at"], called.at)
    assert item["queued_at"] == item["arrived_at"]
    assert close_to(item["answered_at"], talk.at)
    assert close_to(item["ended_at"], leave.at)
    assert [segment["agent"] for segment in item["segments"]] == ["amy"]
    assert (await stream.event("interaction.ended", interaction=ident))["data"]["cause"] == "customer_hangup"
    await open_centre.call(
        "POST", f"/interactions/{ident}/wrap-up", {"disposition": "solved", "note": "done"}, by="amy"
    )
    item = await stream.interaction(ident, state="closed")
    assert item["outcome"] == "handled"
    assert item["disposition"] == "solved"
    await stream.agent("amy", routing_status="idle")


async def test_a_call_is_ended_by_the_agent(open_centre: Centre, stream: Stream, phones):
    await open_centre.desk("amy")
    async with phones.agent("1001", talk=1) as phone, phones.customer() as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        left = await phone.until("LEAVE")
        item = await stream.interaction(ident, state="wrapping")
        assert await customer.ended() == 0
        assert customer.has("PEER-BYE")
    assert close_to(item["ended_at"], left.at)
    assert (await stream.event("interaction.ended", interaction=ident))["data"]["cause"] == "agent_hangup"


async def test_who_waits_is_answered_when_an_agent_comes(open_centre: Centre, stream: Stream, phones, manager: Manager):
    async with phones.agent("1001") as phone, phones.customer(stay=4) as customer:
        ident = (await stream.event("interaction.queued"))["interaction"]
        await manager.event("MusicOnHoldStart")
        await open_centre.desk("amy")
        await phone.until("TALK")
        await stream.interaction(ident, state="active", agent="amy")
        assert await customer.ended() == 0


async def test_nobody_answers_and_the_next_agent_gets_the_call_with_its_original_time(
    open_centre: Centre, stream: Stream, phones
):
    await open_centre.desk("amy")
    async with (
        phones.agent("1001", does="agent_noanswer.xml") as deaf,
        phones.agent("1002") as phone,
        phones.customer(stay=8) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        first = await deaf.until("RING")
        await open_centre.desk("bo")
        await stream.event("reservation.timed_out", interaction=ident, agent="amy")
        await deaf.until("CANCEL")
        second = await phone.until("RING")
        item = await stream.interaction(ident, state="active", agent="bo")
        await customer.ended()
    assert second.at - first.at == pytest.approx(timedelta(seconds=3), abs=timedelta(seconds=0.5))
    assert item["queued_at"] == item["arrived_at"]
    assert (await open_centre.agent("amy"))["routing_status"] == "not_responding"


@pytest.mark.parametrize(
    ("does", "event", "reason", "agent_is"),
    [
        ("agent_decline.xml", "reservation.rejected", "declined", "not_responding"),
        ("agent_busy.xml", "reservation.failed", "busy", "idle"),
    ],
    ids=["rejected", "busy"],
)
async def test_a_refused_call_goes_to_the_next_agent(
    open_centre: Centre, stream: Stream, phones, does, event, reason, agent_is
):
    await open_centre.desk("amy")
    async with (
        phones.agent("1001", does=does),
        phones.agent("1002") as phone,
        phones.customer(stay=5) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        refused = await stream.event(event, interaction=ident, agent="amy")
        assert refused["data"]["reason"] == reason
        await open_centre.desk("bo")
        await phone.until("TALK")
        item = await stream.interaction(ident, state="active", agent="bo")
        await customer.ended()
    assert item["queued_at"] == item["arrived_at"]
    assert (await open_centre.agent("amy"))["routing_status"] == agent_is


async def test_an_agent_whose_phone_is_not_registered_is_left_out(open_centre: Centre, stream: Stream, phones):
    await open_centre.desk("amy")
    async with phones.agent("1002") as phone, phones.customer(stay=5) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        failed = await stream.event("reservation.failed", interaction=ident, agent="amy")
        assert failed["data"]["reason"] == "unreachable"
        await open_centre.desk("bo")
        await phone.until("TALK")
        await stream.interaction(ident, state="active", agent="bo")
        await customer.ended()
    assert (await open_centre.agent("amy"))["routing_status"] == "idle"


async def test_a_caller_who_gives_up_while_waiting_is_abandoned_at_that_moment(
    open_centre: Centre, stream: Stream, phones: Telephones
):
    async with phones.customer(stay=6) as customer:
        ident = (await stream.event("interaction.queued"))["interaction"]
        left = await customer.until("LEAVE")
        item = await stream.interaction(ident, state="closed")
    assert item["outcome"] == "abandoned"
    assert close_to(item["ended_at"], left.at)
    assert item["answered_at"] is None
    assert "interaction.abandoned" in stream.kinds


async def test_a_caller_who_gives_up_at_once_is_a_short_abandon(
    open_centre: Centre, stream: Stream, phones: Telephones
):
    async with phones.customer(stay=0.8):
        ident = (await stream.event("interaction.queued"))["interaction"]
        item = await stream.interaction(ident, state="closed")
    assert item["outcome"] == "short_abandoned"


async def test_a_caller_who_gives_up_while_a_phone_rings_frees_the_agent_at_once(
    open_centre: Centre, stream: Stream, phones
):
    await open_centre.desk("amy")
    async with phones.agent("1001", does="agent_noanswer.xml") as phone, phones.customer(stay=1.5) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await phone.until("RING")
        left = await customer.until("LEAVE")
        await phone.until("CANCEL")
        item = await stream.interaction(ident, state="closed")
        await stream.event("reservation.cancelled", interaction=ident, agent="amy")
    assert item["outcome"] in ("abandoned", "short_abandoned")
    assert close_to(item["ended_at"], left.at)
    await stream.agent("amy", routing_status="idle")


async def test_a_caller_who_leaves_during_the_pop_rings_no_phone(open_centre: Centre, stream: Stream, phones, manager):
    async with phones.agent("1001") as phone, phones.customer() as customer:
        ident = (await stream.event("interaction.queued"))["interaction"]
        desk = await open_centre.desk("amy")
        await desk.frame(lambda frame: frame["type"] == "pop")
        await manager.act("Hangup", Channel="/^PJSIP/trunk-.*$/")
        item = await stream.interaction(ident, state="closed")
        await customer.ended()
        assert not phone.has("TALK")
    assert item["outcome"] in ("abandoned", "short_abandoned")
    await stream.agent("amy", routing_status="idle")


async def test_out_of_hours_the_announcement_is_played_and_the_call_is_missed(
    open_centre: Centre, stream: Stream, phones: Telephones, manager: Manager
):
    async with phones.customer(CLOSED) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        played = await manager.event("AGIExecEnd", Command='STREAM FILE "?please-try-call-later.*')
        assert played["ResultCode"] == "200"
        assert await customer.ended() == 0
        assert customer.has("PEER-BYE")
        item = await stream.interaction(ident, state="closed")
    assert item["outcome"] == "missed"
    assert item["queued_at"] is None


async def test_a_greeting_is_cut_short_when_an_agent_is_free(open_centre: Centre, stream: Stream, phones, manager):
    async with phones.agent("1001") as phone, phones.customer(GREETED, stay=6) as customer:
        await manager.event("AGIExecStart", Command='STREAM FILE "?demo-instruct.*')
        await open_centre.desk("amy")
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await phone.until("TALK", within=5)
        await stream.interaction(ident, state="active", agent="amy")
        await customer.ended()


async def test_music_comes_back_after_the_greeting(open_centre: Centre, stream: Stream, phones, manager: Manager):
    async with phones.customer(GREETED, stay=60):
        await manager.event("AGIExecStart", Command='STREAM FILE "?demo-instruct.*')
        channel = (await manager.event("Newchannel", Channel="PJSIP/trunk-.*"))["Channel"]
        await manager.act("ControlPlayback", Channel=channel, Control="stop")
        await manager.event("MusicOnHoldStart", Channel=channel)


async def test_hold_and_retrieval_on_the_phone_are_counted(open_centre: Centre, stream: Stream, phones):
    await open_centre.desk("amy")
    async with phones.agent("1001", does="agent_hold.xml") as phone, phones.customer(stay=7) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await phone.until("HOLD")
        await stream.event("interaction.held", interaction=ident)
        await phone.until("RESUME")
        await stream.event("interaction.resumed", interaction=ident)
        item = await stream.interaction(ident, state="wrapping")
        assert await customer.ended() == 0
    assert item["segments"][0]["hold_seconds"] == pytest.approx(1, abs=0.3)


async def test_a_call_ended_on_the_console_ends_on_both_phones(open_centre: Centre, stream: Stream, phones):
    await open_centre.desk("amy")
    async with phones.agent("1001") as phone, phones.customer() as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="active")
        await open_centre.call("POST", f"/interactions/{ident}/end", by="amy")
        await phone.until("PEER-BYE")
        assert await customer.ended() == 0
        assert customer.has("PEER-BYE")
        await stream.interaction(ident, state="wrapping")


async def test_an_offer_rejected_on_the_console_stops_ringing_and_goes_on(open_centre: Centre, stream: Stream, phones):
    await open_centre.desk("amy")
    async with (
        phones.agent("1001", does="agent_noanswer.xml") as first,
        phones.agent("1002") as second,
        phones.customer(stay=6) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await first.until("RING")
        await open_centre.call("POST", f"/interactions/{ident}/reject", by="amy")
        await first.until("CANCEL", within=2)
        await open_centre.desk("bo")
        await second.until("TALK")
        await stream.interaction(ident, state="active", agent="bo")
        await customer.ended()


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("+33612345678", "'); drop table customer; --"),
        ("%2B33612345678%0D%0AAction%3A%20Command%0D%0ACommand%3A%20core%20stop%20now%0D%0A%0D%0A", "Eve"),
        ("x%0Aagi_network_script%3A%20answered%3Fid%3D1", 'a\\" EXEC Hangup'),
        ("%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E", "<script>alert(1)</script>"),
        ("anonymous", "\u674e\u5c0f\u9f99 \ufffd"),
        ("9" * 500, "n" * 2000),
    ],
    ids=["sql", "ami", "agi", "html", "unicode", "long"],
)
async def test_no_caller_id_is_more_than_a_caller_id(open_centre: Centre, stream: Stream, phones, number, name):
    await open_centre.desk("amy")
    async with phones.agent("1001") as phone, phones.customer(number=number, name=name, stay=3) as customer:
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await phone.until("TALK")
        item = await stream.interaction(ident, state="wrapping")
        assert await customer.ended() == 0
    assert item["queue"] == "support"
    assert len(await open_centre.calls()) == 1
    assert (await open_centre.call("GET", "/customers?phone=%2B33612345678"))["items"] is not None


async def test_a_phone_picked_up_after_a_decline_on_the_console_is_hung_up_without_ami_too(
    closed_centre: Centre, phones: Telephones
):
    await closed_centre.start(ami={"default": 0})
    stream = await closed_centre.stream()
    await closed_centre.desk("amy")
    async with (
        phones.agent("1001", ring=1.5) as declined,
        phones.agent("1002") as phone,
        phones.customer(stay=10) as customer,
    ):
        ident = (await stream.event("interaction.offered"))["interaction"]
        await closed_centre.call("POST", f"/interactions/{ident}/reject", by="amy")
        await stream.event("reservation.rejected", interaction=ident, agent="amy")
        await declined.until("PEER-BYE")
        await closed_centre.desk("bo")
        await phone.until("TALK")
        await stream.interaction(ident, state="active", agent="bo")
        await customer.ended()
