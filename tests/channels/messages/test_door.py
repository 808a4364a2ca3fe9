"""What gateways hand in: proven, read as declared, each message once, in the conversation that it goes on with.

Payloads of known services are written after their public documentation: Twilio's parameters of incoming messages and
its signature, and the notifications of the WhatsApp Cloud API.
"""

import asyncio
import io
from typing import Any

import asyncpg
import pytest

from callcenter.actions import interactions, tickets
from tests.builders import make_customer, make_user, on_queue, reserve
from tests.channels.messages.conftest import Gate, plain

SMS = {
    "ToCountry": "CN", "SmsMessageSid": "SM1f0e8ae6ade43cb3c0ce4525424e404f", "NumMedia": "0", "ToCity": "",
    "SmsSid": "SM1f0e8ae6ade43cb3c0ce4525424e404f", "SmsStatus": "received", "FromCountry": "CN",
    "Body": "路由器坏了 & won't start", "To": "+15005550006", "NumSegments": "1",
    "MessageSid": "SM1f0e8ae6ade43cb3c0ce4525424e404f", "AccountSid": "AC00000000000000000000000000000000",
    "From": "+8613800138000", "ApiVersion": "2010-04-01",
}  # fmt: skip
WHATSAPP = {
    "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
    "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": "16505551234"}],
    "messages": [
        {
            "from": "16505551234", "id": "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=",
            "timestamp": "1773131400", "type": "text", "text": {"body": "Does it come in another colour?"},
        }
    ],
}  # fmt: skip


async def kept(gate: Gate, interaction: int) -> asyncpg.Record:
    row = await gate.log.pool.fetchrow(
        "select channel, state, address_kind, address, address_name, customer_id, queue_id, subject, ticket_id, called "
        "from interaction where id = $1",
        interaction,
    )
    assert row is not None
    return row


async def test_an_sms_from_twilio_waits_like_any_contact_with_its_sender_known(gate: Gate) -> None:
    customer = await make_customer(gate.log.pool, phone="+8613800138000")
    response = await gate.twilio(SMS)
    assert (response.status, response.content_type, await response.text()) == (200, "text/xml", "<Response/>")
    ident = await gate.log.pool.fetchval("select id from interaction")
    row = await kept(gate, ident)
    assert (row["channel"], row["state"], row["address_kind"], row["address"]) == (
        "message", "queued", "phone", "+8613800138000",
    )  # fmt: skip
    assert (row["customer_id"], row["queue_id"], row["called"]) == (customer, gate.ids["support"], "sms")
    assert await gate.texts() == ["路由器坏了 & won't start"]
    assert row["ticket_id"] is not None


async def test_pictures_of_an_sms_are_named_below_its_text(gate: Gate) -> None:
    media = {"Body": "", "MediaUrl0": "https://api.twilio.com/Media/ME1", "MediaContentType0": "image/png"}
    assert (await gate.twilio({**SMS, "NumMedia": "1", **media})).status == 200
    assert await gate.texts() == ["[https://api.twilio.com/Media/ME1]"]


async def test_whatsapp_hands_in_several_messages_at_once_and_their_senders_names(gate: Gate) -> None:
    second = {**WHATSAPP["messages"][0], "id": "wamid.2", "type": "image", "text": {}, "image": {"caption": "This one"}}  # type: ignore[index]
    reaction = {"from": "16505551234", "id": "wamid.3", "type": "reaction", "reaction": {"emoji": "👍"}}
    response = await gate.whatsapp({**WHATSAPP, "messages": [*WHATSAPP["messages"], second, reaction]})
    answer = await response.json()
    assert [each["new"] for each in answer["messages"]] == [True, True]
    assert (answer["ignored"], await gate.count("interaction"), await gate.count("ticket")) == (1, 1, 1)
    row = await kept(gate, answer["messages"][0]["interaction"])
    assert (row["address"], row["address_name"]) == ("+16505551234", "Sheena Nelson")
    assert await gate.texts() == ["Does it come in another colour?", "This one"]


async def test_whatsapp_makes_sure_that_we_are_there(gate: Gate) -> None:
    path = "/api/v1/gateways/whatsapp?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    response = await gate.client.get(f"{path}a word of your own")
    assert (response.status, await response.text()) == (200, "1158201444")
    assert (await gate.client.get(f"{path}another word")).status == 403
    assert (await gate.client.get("/api/v1/gateways/plain")).status == 404


@pytest.mark.parametrize("times", [1, 2])
async def test_the_same_message_handed_in_again_changes_nothing(gate: Gate, times: int) -> None:
    first = await gate.say("Hello", ident="m1")
    for _ in range(times):
        again = await gate.say("Hello", ident="m1")
        assert again == {**first, "new": False}
    assert (await gate.count("interaction"), await gate.count("message")) == (1, 1)
    assert gate.door.outcomes["repeated"] == times


async def test_the_same_message_twice_at_once_is_one(gate: Gate) -> None:
    found = await asyncio.gather(*(gate.say("Hello", ident="m1") for _ in range(4)))
    assert sorted(each["new"] for each in found) == [False, False, False, True]
    assert (await gate.count("interaction"), await gate.count("message")) == (1, 1)


@pytest.mark.parametrize("how", ["wrong", "missing", "of another body", "no hex"])
async def test_who_has_no_proof_is_refused_with_the_reason_and_leaves_nothing(gate: Gate, how: str) -> None:
    given = {"wrong": "00" * 32, "missing": "", "of another body": "ab" * 32, "no hex": "zz"}[how]
    headers = {"X-Time": str(int(gate.now.timestamp())), "X-Signature": given}
    response = await gate.knock("plain", plain({"id": "1", "from": "wang", "text": "x"}), **headers)
    assert response.status == 403
    assert "X-Signature" in (await response.json())["detail"]
    assert (await gate.count("interaction"), gate.door.outcomes["refused"]) == (0, 1)


async def test_a_wrong_token_of_twilio_or_another_address_is_refused(gate: Gate) -> None:
    assert (await gate.twilio(SMS, token="another token")).status == 403
    assert (await gate.whatsapp(WHATSAPP, secret="another secret")).status == 403


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_message_that_was_signed_too_long_ago_is_refused(gate: Gate, minutes: int) -> None:
    before = gate.now
    gate.move(minutes=minutes)
    response = await gate.send({"id": "1", "from": "wang", "text": "x"}, at=before)
    assert response.status == 403
    assert "too long ago" in (await response.json())["detail"]
    assert await gate.count("interaction") == 0


async def test_whoever_guesses_is_made_to_wait_and_the_gateway_is_not(gate: Gate) -> None:
    statuses = [(await gate.knock("plain", b"{}", **{"X-Signature": "00"})).status for _ in range(35)]
    assert statuses.count(403) == 30
    assert statuses[-1] == 429
    assert (await gate.say("Hello", ident="m1"))["new"]


async def test_what_is_too_large_is_refused_and_counted(gate: Gate) -> None:
    body = io.BytesIO(plain({"id": "1", "from": "wang", "text": "x" * 2_000_000}))
    response = await gate.client.post("/api/v1/gateways/plain", data=body)
    assert (response.status, gate.door.outcomes["too_large"], await gate.count("interaction")) == (413, 1, 0)


async def test_what_is_not_declared_is_refused_and_holds_up_no_good_message_beside_it(gate: Gate) -> None:
    good, bad = {"id": "1", "from": "wang", "text": "x"}, {"id": "2", "text": "who?"}
    response = await gate.send(bad, good)
    detail = (await response.json())["detail"]
    assert (response.status, await gate.count("message")) == (422, 1)
    assert "/messages/0 has no sender at /from" in detail
    assert gate.door.outcomes["unreadable"] == 1
    assert (await gate.send()).status == 422
    assert (await gate.send({"typing": True})).status == 200


async def test_what_is_declared_to_be_no_message_is_taken_and_leaves_nothing(gate: Gate) -> None:
    response = await gate.whatsapp({"event": "APPROVED", "message_template_id": 1})
    assert (response.status, (await response.json())["ignored"], await gate.count("interaction")) == (200, 1, 0)


async def test_an_unknown_gateway_is_not_there(gate: Gate) -> None:
    assert (await gate.knock("nobody", b"{}")).status == 404


async def test_a_message_without_words_is_shown_as_it_came(gate: Gate) -> None:
    await gate.send({"id": "1", "from": "wang", "location": {"latitude": 31.2}})
    assert (await gate.texts())[0] == '{"id":"1","from":"wang","location":{"latitude":31.2}}'


async def test_hostile_texts_are_kept_as_texts(gate: Gate) -> None:
    await gate.send(
        {"id": "1\x00", "from": "wa\x00ng\r\nX: y", "name": "\x00", "text": "<script>\x00alert(1)</script>"}
    )
    assert await gate.texts() == ["<script>alert(1)</script>"]
    row = await gate.log.pool.fetchrow("select address, address_name from interaction")
    assert row is not None
    assert tuple(row) == ("plain:wang X: y", None)


async def test_who_writes_again_goes_on_with_the_open_contact(gate: Gate) -> None:
    first = await gate.say("It is broken", ident="1")
    gate.move(hours=3)
    second = await gate.say("Are you there?", ident="2")
    other = await gate.say("Hello", ident="3", sender="li")
    assert second["interaction"] == first["interaction"] != other["interaction"]
    assert (await gate.count("interaction"), await gate.count("ticket")) == (2, 2)
    rows = await gate.log.pool.fetch("select kind, interaction_id from contact_log where kind = 'message.received'")
    assert len(rows) == 3


async def handled(gate: Gate, interaction: int) -> None:
    """Accepted, ended and wrapped up."""
    pool, log = gate.log.pool, gate.log
    agent = await make_user(pool)
    await pool.execute("insert into queue_member (queue_id, user_id) values ($1, $2)", gate.ids["support"], agent)
    await on_queue(log, agent)
    reservation = await reserve(log, interaction, agent, now=gate.now)
    await interactions.answer(log, reservation, now=gate.now)
    await interactions.end_interaction(log, interaction, cause="agent", now=gate.now)
    await interactions.wrap_up(log, reservation, queue=None, disposition=None, note=None, now=gate.now)


@pytest.mark.parametrize(("hours", "same"), [(23, True), (25, False)])
async def test_who_writes_soon_after_the_end_goes_on_with_the_ticket_in_a_contact_of_its_own(
    gate: Gate, hours: int, same: bool
) -> None:
    first = await gate.say("It is broken", ident="1")
    await handled(gate, first["interaction"])
    ticket = (await kept(gate, first["interaction"]))["ticket_id"]
    await tickets.change(gate.log, ticket, changes={"state": "resolved"}, version=None, actor=None, now=gate.now)
    gate.move(hours=hours)
    second = await gate.say("Still broken", ident="2")
    assert second["interaction"] != first["interaction"]
    row = await kept(gate, second["interaction"])
    assert (row["state"], row["ticket_id"] == ticket) == ("queued", same)
    state = await gate.log.pool.fetchval("select state from ticket where id = $1", ticket)
    assert state == ("open" if same else "resolved")


async def test_a_question_in_an_open_contact_starts_the_clock_of_the_next_response(gate: Gate) -> None:
    targets = {"first_response": "1h", "next_response": "1h"}
    await gate.log.pool.execute("insert into sla_policy (name, place, targets) values ('all', 0, $1)", targets)
    first = await gate.say("It is broken", ident="1")
    ticket = (await kept(gate, first["interaction"]))["ticket_id"]
    amy = await make_user(gate.log.pool)
    await tickets.reply(gate.log, ticket, text="Is it on?", public=True, actor=amy, now=gate.now)
    await tickets.change(gate.log, ticket, changes={"state": "pending"}, version=None, actor=amy, now=gate.now)
    gate.move(minutes=5)
    await gate.say("Yes", ident="2")
    clock: Any = await gate.log.pool.fetchrow(
        "select s.state, s.due_at, t.state as ticket from sla_clock s join ticket t on t.id = s.ticket_id "
        "where s.clock = 'next_response' and s.ticket_id = $1 and s.ended_at is null",
        ticket,
    )
    assert (clock["state"], clock["ticket"], clock["due_at"] > gate.now) == ("running", "open", True)
