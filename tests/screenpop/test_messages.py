"""Contacts by message on the desk: what was said by both sides, what became of an answer, and who may see it."""

from typing import Any

from callcenter import toml
from callcenter.actions import gateway_in, interactions, organisation
from callcenter.domain.gateway import Written
from callcenter.domain.organisation_file import understand
from callcenter.store import gateways
from tests.builders import NOW, on_queue, reserve
from tests.screenpop.conftest import House

FILE = """
[[gateways]]
name = "sms"
queue = "support"
message = { from = "/from" }
signature = { method = "token", header = "X-Token", secret = "key" }
secrets = { key = "long enough" }
outbound = { url = "https://sms.example/send", body = { to = "{{ to }}", text = "{{ text }}" } }
"""


async def come(house: House, text: str, *, ident: str = "1") -> int:
    file = understand(toml.parse(FILE, "org.toml"), {})
    await organisation.apply(house.log, file, prune=False, actor=None, now=NOW)
    gateway = await gateways.named(house.pool, "sms")
    written = Written(id=ident, sender="+8613800138000", name=None, text=text, at=None)
    return (await gateway_in.receive(house.log, gateway, written, region="CN", now=NOW)).interaction


async def in_hand(house: House, interaction: int, who: str = "amy") -> None:
    await on_queue(house.log, house.users[who])
    reservation = await reserve(house.log, interaction, house.users[who])
    await interactions.answer(house.log, reservation, now=NOW)


async def test_an_agent_reads_messages_and_answers_in_the_same_place(house: House):
    ident = await come(house, "It is <b>broken</b>")
    await in_hand(house, ident)
    await house.sign_in("amy")
    desk = await (await house.client.get("/desk")).text()
    assert f'hx-get="/desk/interactions/{ident}/messages"' in desk
    page = await (await house.client.get(f"/desk/interactions/{ident}/messages")).text()
    assert "It is &lt;b&gt;broken&lt;/b&gt;" in page
    answer = await house.act("amy", f"/desk/interactions/{ident}/reply", text="Is it <on>?\r\nReally?")
    assert answer.status == 200, await answer.text()
    page = await answer.text()
    assert page.index("broken") < page.index("Is it &lt;on&gt;?")
    assert "on its way" in page
    await house.pool.execute("update gateway_outbound set state = 'failed', last_error = '400 No such <number>'")
    page = await (await house.client.get(f"/desk/interactions/{ident}/messages")).text()
    assert "400 No such &lt;number&gt;" in page


async def test_a_message_in_hand_makes_the_desk_of_its_agent_stale(house: House):
    ident = await come(house, "Hello")
    await in_hand(house, ident)
    assert await come(house, "Are you there?", ident="2") == ident
    told = "select agent_id from contact_log where kind = 'message.received' order by seq desc limit 1"
    assert await house.pool.fetchval(told) == house.users["amy"]


async def test_messages_of_others_are_not_shown_and_nothing_is_not_sent(house: House):
    ident = await come(house, "Hello")
    await in_hand(house, ident)
    await house.sign_in("bo")
    assert (await house.client.get(f"/desk/interactions/{ident}/messages")).status == 403
    assert (await house.act("bo", f"/desk/interactions/{ident}/reply", text="x")).status == 403
    await house.sign_in("amy")
    assert (await house.act("amy", f"/desk/interactions/{ident}/reply", text=" ")).status == 422


async def test_an_answer_over_rest_goes_the_same_way(house: House):
    ident = await come(house, "Hello")
    await in_hand(house, ident)
    csrf = await house.sign_in("amy")
    path = f"/api/v1/interactions/{ident}/reply"
    answer = await house.client.post(path, json={"text": "Hello back"}, headers={"X-CSRF-Token": csrf})
    body: dict[str, Any] = await answer.json()
    assert (answer.status, body["id"]) == (200, ident)
    assert await house.pool.fetchval("select count(*) from gateway_outbound") == 1
    assert await house.pool.fetchval("select interaction_id from message where kind = 'outbound'") == ident
