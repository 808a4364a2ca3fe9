"""Handing a written contact over, as other systems do it."""

import pytest

from callcenter.actions import agents, interactions
from callcenter.domain.interaction import Channel
from tests.web.conftest import Doors


async def talk(doors: Doors, channel: Channel = Channel.CHAT) -> int:
    ident = await doors.arrive(channel=channel)
    reservation = await doors.offer(ident, "amy")
    await interactions.answer(doors.log, reservation, now=doors.clock())
    return ident


async def transfer(doors: Doors, ident: int, who: str = "amy", **body: object):
    response = await doors.call(who, "POST", f"/api/v1/interactions/{ident}/transfer", json=body)
    return response.status, await response.json()


async def test_it_waits_in_the_other_queue_since_it_came(doors: Doors) -> None:
    ident = await talk(doors)
    doors.clock.move(seconds=60)
    status, item = await transfer(doors, ident, to="queue:billing", note="asks for an invoice")
    assert (status, item["state"], item["queue"], item["agent"]) == (200, "queued", "billing", None)
    assert item["queued_at"] == item["arrived_at"]
    whole = await doors.get("sue", f"/api/v1/interactions/{ident}")
    assert [said["text"] for said in whole["messages"]] == ["asks for an invoice"]
    assert [segment["cause"] for segment in whole["segments"]] == ["transferred"]
    [handed] = [event for event in whole["timeline"] if event["kind"] == "interaction.transferred"]
    assert (handed["agent"], handed["data"]["kind"]) == ("amy", "queue")
    assert "asks" not in str(handed["data"])


async def test_a_colleague_is_offered_it_and_told_by_whom(doors: Doors) -> None:
    ident = await talk(doors)
    await agents.set_presence(
        doors.log, doors.ids["bo"], presence="on_queue", reason=None, actor=doors.ids["bo"], now=doors.clock()
    )
    status, item = await transfer(doors, ident, to="agent:bo")
    assert (status, item["state"], item["agent"]) == (200, "offered", "bo")
    why = await doors.get("sue", f"/api/v1/interactions/{ident}/why")
    assert why["chosen_because"] == "amy transferred it to bo."


@pytest.mark.parametrize(
    ("to", "status", "words"),
    [
        ("billing", 422, "queue:NAME or agent:NAME"),
        ("number:+8613800138000", 422, "queue:NAME or agent:NAME"),
        ("queue:nowhere", 422, "nowhere"),
        ("agent:nobody", 422, "nobody"),
        ("agent:amy", 409, "already"),
        ("agent:bo", 409, "takes none"),
    ],
)
async def test_what_leads_nowhere_is_refused_in_words(doors: Doors, to: str, status: int, words: str) -> None:
    ident = await talk(doors)
    answered, problem = await transfer(doors, ident, to=to)
    assert answered == status, problem
    assert words in problem["detail"]


async def test_a_call_is_transferred_on_the_phone_and_what_is_over_not_at_all(doors: Doors) -> None:
    call = await talk(doors, Channel.PHONE)
    status, problem = await transfer(doors, call, to="queue:billing")
    assert (status, problem["detail"]) == (409, "Transfer a call on the phone.")


async def test_nobody_hands_over_the_work_of_somebody_else(doors: Doors) -> None:
    ident = await talk(doors)
    status, _ = await transfer(doors, ident, who="bo", to="queue:billing")
    assert status == 403
    status, item = await transfer(doors, ident, who="sue", to="queue:billing")
    assert (status, item["state"]) == (200, "queued")


async def test_whoever_handed_a_chat_over_writes_in_it_no_more(doors: Doors) -> None:
    ident = await talk(doors)
    await transfer(doors, ident, to="queue:billing")
    answer = await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/reply", json={"text": "One more thing"})
    assert (answer.status, (await answer.json())["detail"]) == (409, "Nobody has it in hand.")
    reservation = await doors.offer(ident, "bo")
    await interactions.answer(doors.log, reservation, now=doors.clock())
    answer = await doors.call("amy", "POST", f"/api/v1/interactions/{ident}/reply", json={"text": "One more thing"})
    assert (answer.status, (await answer.json())["detail"]) == (409, "Somebody else has it in hand.")
