"""Answers reach gateways: in their order, at least once under one id, with secrets where they belong"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web

from callcenter import toml
from callcenter.actions import answers, mail_in, organisation, tickets
from callcenter.domain.organisation_file import understand
from callcenter.domain.thread import tagged_subject
from callcenter.errors import Conflict
from channels.email.parse import parse
from channels.messages.sender import Sender
from tests.builders import arrive, make_user
from tests.channels.email.messages import message
from tests.channels.messages.conftest import Gate, gateways


@dataclass
class Service:
    """A gateway's own door: answers as it is told, then 200 with an id."""

    port: int = 0
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append((request.raw_path, dict(request.headers), await request.json()))
        status, body = self.answers.pop(0) if self.answers else (200, {"id": f"out-{len(self.got)}"})
        return web.json_response(body, status=status)


@asynccontextmanager
async def a_service() -> AsyncIterator[Service]:
    found = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.port = runner.addresses[0][1]
        yield found
    finally:
        await runner.cleanup()


@dataclass
class House:
    gate: Gate
    service: Service
    sender: Sender
    amy: int

    async def answer(self, text: str, interaction: int) -> None:
        await answers.reply(self.gate.log, interaction, text=text, actor=self.amy, now=self.gate.now)

    async def rows(self) -> list[tuple[Any, ...]]:
        query = "select state, attempts, last_error from gateway_outbound order by id"
        return [tuple(row) for row in await self.gate.log.pool.fetch(query)]

    async def events(self, kind: str) -> list[dict[str, Any]]:
        return [
            row["data"] for row in await self.gate.log.pool.fetch("select data from contact_log where kind = $1", kind)
        ]


@pytest.fixture
async def house(gate: Gate) -> AsyncIterator[House]:
    async with a_service() as service:
        file = understand(toml.parse(gateways(service.port), "org.toml"), {})
        await organisation.apply(gate.log, file, prune=False, actor=None, now=gate.now)
        sender = Sender(gate.log, allowed=[ip_network("127.0.0.0/8")], clock=gate.clock)
        yield House(gate, service, sender, await make_user(gate.log.pool))


async def test_answers_go_out_once_each_in_their_order_with_what_was_declared(house: House) -> None:
    asked = await house.gate.say("Hello", ident="1", sender="王 & co/../x")
    await house.answer('First "quoted"', asked["interaction"])
    await house.answer("Second", asked["interaction"])
    await house.sender.send_due()
    await house.sender.send_due()
    assert [body["text"] for _, _, body in house.service.got] == ['First "quoted"', "Second"]
    path, headers, body = house.service.got[0]
    assert path == "/send/%E7%8E%8B%20%26%20co%2F..%2Fx"
    assert headers["Authorization"] == "Key a key of the tests"
    number = await house.gate.log.pool.fetchval("select number from ticket")
    assert body["about"] == {"ticket": str(number)}
    assert [row[:2] for row in await house.rows()] == [("sent", 1), ("sent", 1)]
    assert len(await house.events("message.sent")) == 2
    assert "quoted" not in json.dumps(await house.events("message.sent"))


async def test_a_gateway_that_is_away_gets_the_same_id_again_and_later_messages_wait(house: House) -> None:
    asked = await house.gate.say("Hello", ident="1")
    house.service.answers = [(503, {"why": "resting"}), (429, {})]
    await house.answer("First", asked["interaction"])
    await house.answer("Second", asked["interaction"])
    await house.sender.send_due()
    assert await house.rows() == [("waiting", 1, "503 resting"), ("waiting", 0, None)]
    await house.sender.send_due()
    assert len(house.service.got) == 1
    for _ in range(2):
        house.gate.move(minutes=1)
        await house.sender.send_due()
    assert [body["text"] for _, _, body in house.service.got] == ["First", "First", "First", "Second"]
    assert len({headers["Idempotency-Key"] for _, headers, _ in house.service.got}) == 2
    assert house.sender.outcomes == {"sent": 2, "put_off": 2, "failed": 0}


async def test_a_refusal_is_for_good_and_says_why_in_the_gateways_words(house: House) -> None:
    asked = await house.gate.say("Hello", ident="1")
    house.service.answers = [(400, {"why": "The number is not in service: wang"})]
    await house.answer("Hello back", asked["interaction"])
    await house.sender.send_due()
    assert await house.rows() == [("failed", 1, "400 The number is not in service: wang")]
    (data,) = await house.events("message.failed")
    assert (data["reason"], data["state"]) == ("refused", "failed")
    assert "wang" not in json.dumps(data)


async def test_what_cannot_be_sent_for_too_long_is_given_up(house: House) -> None:
    asked = await house.gate.say("Hello", ident="1")
    house.service.answers = [(500, {})] * 9
    await house.answer("Hello back", asked["interaction"])
    await house.sender.send_due()
    house.gate.move(minutes=61)
    await house.sender.send_due()
    assert (await house.rows())[0][0] == "failed"
    assert (await house.events("message.failed"))[0]["reason"] == "expired"


async def test_doors_that_only_we_can_see_are_not_knocked_at(house: House) -> None:
    asked = await house.gate.say("Hello", ident="1")
    await house.answer("Hello back", asked["interaction"])
    await Sender(house.gate.log, allowed=(), clock=house.gate.clock).send_due()
    assert house.service.got == []
    assert "no public address" in (await house.rows())[0][2]


async def test_receipts_say_what_became_of_it_once(house: House) -> None:
    gate = house.gate
    sms = {"MessageSid": "SM1", "From": "+8613800138000", "To": "+15005550006", "Body": "Hello"}
    assert (await gate.twilio(sms)).status == 200
    asked = await gate.log.pool.fetchval("select id from interaction")
    await house.answer("Hello back", asked)
    await gate.log.pool.execute(
        "update gateway_outbound set state = 'sent', external_id = 'SM2', ended_at = $1", gate.now
    )
    receipt = {"MessageSid": "SM2", "From": "+15005550006", "To": "+8613800138000", "ErrorCode": "30003"}
    for status in ("sent", "undelivered", "undelivered"):
        assert (await gate.twilio({**receipt, "MessageStatus": status})).status == 200
    assert (await house.rows())[0] == ("failed", 0, "30003")
    assert len(await house.events("message.failed")) == 1
    assert (await gate.count("interaction"), await gate.count("message")) == (1, 2)


async def test_an_answer_to_what_came_through_no_gateway_says_so(house: House) -> None:
    call = await arrive(house.gate.log, queue=house.gate.ids["support"])
    with pytest.raises(Conflict, match="of this kind"):
        await house.answer("Hello", call)


async def test_who_wrote_through_a_gateway_is_answered_there_whoever_writes_a_mail_into_their_case(
    house: House,
) -> None:
    gate = house.gate
    asked = await gate.say("Hello", ident="1", sender="+8613800138009")
    ticket = await gate.log.pool.fetchval("select ticket_id from interaction where id = $1", asked["interaction"])
    number = await gate.log.pool.fetchval("select number from ticket where id = $1", ticket)
    key = await gate.log.pool.fetchval("select link_key from organisation")
    raw = message(From="stranger@other.example", Subject=tagged_subject(key, number, "Hello"))
    assert (await mail_in.receive(gate.log, parse(raw), raw, now=gate.now)).ticket == ticket
    said: dict[str, Any] = {"text": "Here.", "public": True, "actor": house.amy, "now": gate.now}
    await tickets.reply(gate.log, ticket, **said)
    assert (len(await house.rows()), await gate.count("outbox where template is null")) == (1, 0)
    # Unless another address is typed.
    await tickets.reply(gate.log, ticket, **said, to="stranger@other.example")
    assert (len(await house.rows()), await gate.count("outbox where template is null")) == (1, 1)
