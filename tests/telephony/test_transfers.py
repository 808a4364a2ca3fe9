"""Transfers that agents make on their phones: a new leg is a segment, and never a false abandon."""

from tests.telephony.lab.instance import Instance
from tests.telephony.peers import Manager
from tests.telephony.phones import PROVIDER, Sipp, Telephones
from tests.telephony.product import Centre, Stream

OUTSIDE = "+33699999999"


def who(item) -> list[str | None]:
    return [segment["agent"] for segment in item["segments"]]


async def test_a_blind_transfer_to_a_colleague_is_a_second_segment(open_centre: Centre, stream: Stream, phones):
    await open_centre.desk("amy")
    async with (
        phones.agent("1001", does="agent_refer.xml", transfer_to="1002"),
        phones.agent("1002") as second,
        phones.customer(stay=7) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await second.until("TALK")
        await stream.event("interaction.transferred", interaction=ident)
        item = await stream.interaction(ident, state="active", agent="bo")
        assert who(item) == ["amy", "bo"]
        await stream.agent("amy", routing_status="wrap_up")
        await stream.agent("bo", routing_status="interacting")
        assert await customer.ended() == 0
        item = await stream.interaction(ident, state="wrapping")
    for agent in ("amy", "bo"):
        await open_centre.wrap_up(ident, by=agent)
    item = await stream.interaction(ident, state="closed")
    assert item["outcome"] == "handled"
    assert all(segment["ended_at"] for segment in item["segments"])
    assert "interaction.abandoned" not in stream.kinds
    assert len(await open_centre.calls()) == 1


async def test_a_blind_transfer_to_an_outside_number_ends_with_the_caller(
    open_centre: Centre, stream: Stream, phones: Telephones, asterisk: Instance
):
    await open_centre.desk("amy")
    outside = Sipp("agent.xml", pbx=phones.pbx, address=PROVIDER, port=asterisk.ports.trunk, d=300, recv_timeout=60000)
    async with (
        outside,
        phones.agent("1001", does="agent_refer.xml", transfer_to=OUTSIDE),
        phones.customer(stay=7) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await outside.until("TALK")
        await stream.event("interaction.transferred", interaction=ident)
        await open_centre.wrap_up(ident, by="amy")
        await stream.agent("amy", routing_status="idle")
        assert await customer.ended() == 0
        item = await stream.interaction(ident, state="closed")
    assert who(item) == ["amy", None]
    assert item["outcome"] == "handled"
    assert "interaction.abandoned" not in stream.kinds


async def test_a_transfer_back_into_a_queue_is_a_contact_of_its_own(open_centre: Centre, stream: Stream, phones):
    await open_centre.desk("amy")
    async with (
        phones.agent("1001", does="agent_refer.xml", transfer_to="8100000001"),
        phones.agent("1002") as second,
        phones.customer(stay=8) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="wrapping")
        await open_centre.desk("bo")
        await second.until("TALK")
        both = await open_centre.calls()
        again = both[0]["id"]
        assert [item["id"] for item in both] == [again, ident]
        item = await stream.interaction(again, state="active", agent="bo")
        assert await customer.ended() == 0
        await stream.interaction(again, state="wrapping")
    assert item["customer"] == (await open_centre.interaction(ident))["customer"]
    assert (await stream.event("interaction.ended", interaction=ident))["data"]["cause"] == "transferred"
    assert "interaction.abandoned" not in stream.kinds


async def test_a_colleague_who_does_not_answer_a_blind_transfer_is_no_abandon(
    open_centre: Centre, stream: Stream, phones: Telephones
):
    await open_centre.desk("amy")
    async with (
        phones.agent("1001", does="agent_refer.xml", transfer_to="1002"),
        phones.agent("1002", does="agent_noanswer.xml") as deaf,
        phones.customer(stay=5) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await deaf.until("RING")
        await customer.ended()
        item = await stream.interaction(ident, state="wrapping")
    assert who(item) == ["amy"]
    assert "interaction.abandoned" not in stream.kinds


async def test_an_attended_transfer_hands_the_caller_over(
    open_centre: Centre, stream: Stream, phones: Telephones, manager: Manager
):
    await open_centre.desk("amy")
    async with (
        phones.agent("1001", talk=3),
        phones.agent("1002") as second,
        phones.customer(stay=9) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="active", agent="amy")
        amy = await manager.event("BridgeEnter", Channel="PJSIP/1001-.*")
        answer = await manager.act("Atxfer", Channel=amy["Channel"], Exten="1002", Context="agents")
        assert answer["Response"] == "Success"
        await second.until("TALK")
        await manager.event("AttendedTransfer", Result="Success")
        await stream.event("interaction.transferred", interaction=ident)
        item = await stream.interaction(ident, state="active", agent="bo")
        assert who(item) == ["amy", "bo"]
        await stream.agent("amy", routing_status="wrap_up")
        assert await customer.ended() == 0
        item = await stream.interaction(ident, state="wrapping")
    assert (await stream.event("interaction.ended", interaction=ident))["data"]["cause"] == "customer_hangup"
    assert "interaction.abandoned" not in stream.kinds


async def test_without_ami_a_transfer_ends_the_call_with_an_unknown_cause_and_no_abandon(closed_centre: Centre, phones):
    await closed_centre.start(ami={"default": 0})
    stream = await closed_centre.stream()
    await closed_centre.desk("amy")
    async with (
        phones.agent("1001", does="agent_refer.xml", transfer_to="1002"),
        phones.agent("1002"),
        phones.customer(stay=6) as customer,
    ):
        ident = (await stream.event("interaction.arrived"))["interaction"]
        await stream.interaction(ident, state="wrapping", agent="amy")
        await customer.ended()
    assert (await stream.event("interaction.ended", interaction=ident))["data"]["cause"] == "unknown"
    assert "interaction.abandoned" not in stream.kinds
