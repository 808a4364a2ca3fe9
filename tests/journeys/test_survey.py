"""From a call to what the customer says of it: wrapped up, asked by a real mail, answered on the page of its link."""

import re
from dataclasses import replace
from typing import Any

from callcenter import chores
from tests.builders import eventually
from tests.channels.email.conftest import post_office
from tests.journeys.world import a_world, kinds_of

RULES = {"ask": "csat", "bad": 2, "delay": 0, "not_again": 86400, "valid": 86400, "change_within": 3600}


async def test_a_caller_who_is_not_content_reaches_the_supervisor(database, monkeypatch):
    # Customers are in no hurry, the test is.
    monkeypatch.setattr(chores, "CHORES", [replace(each, pause=0.05) for each in chores.CHORES])
    async with post_office() as office:
        mail: dict[str, Any] = {
            "mail_host": "127.0.0.1", "mail_port": office.port, "mail_security": "none", "mail_from": "care@x.example",
        }  # fmt: skip
        async with a_world(database, queue={"survey": RULES}, **mail) as world:
            await world.pool.execute("update users set manager_id = $1 where name = 'amy'", world.agents["sue"])
            await world.pool.execute("update customer set language = 'en'")
            await world.pool.execute(
                "insert into address (customer_id, kind, value) select id, 'email', 'wang@post.example' from customer"
            )
            await world.on_queue("amy")
            call = await world.call()
            await call.until("talking", timeout=20)
            call.hangup()
            [item] = (await world.ask("GET", "/interactions", who="sue"))["items"]

            async def wrapping() -> bool:
                found = await world.ask("GET", f"/interactions/{item['id']}", who="sue")
                return bool(found["state"] == "wrapping")

            await eventually(wrapping)
            await world.ask("POST", f"/interactions/{item['id']}/wrap-up", note="fine")

            async def mailed() -> bool:
                return bool(office.taken)

            await eventually(mailed)
            [message] = office.taken
            assert message["To"].addresses[0].addr_spec == "wang@post.example"
            body = message.get_body(("plain",))
            assert body is not None
            found = re.search(r"(http://127\.0\.0\.1:\d+)/survey\?t=([\w-]+)&score=1", body.get_content())
            assert found is not None
            assert found[1] == world.server.url
            async with world.http.get(found[0]) as page:
                assert page.status == 200
            async with world.http.post(f"{found[1]}/survey", data={"t": found[2], "score": "1"}) as done:
                assert done.status == 200
                assert "You answered: 1/5" in await done.text()

            async def told() -> bool:
                return "survey.answered" in kinds_of(world.events, item["id"])

            await eventually(told)
            kinds = [
                kind for kind in kinds_of(world.events, item["id"]) if kind.startswith(("survey", "message", "ticket"))
            ]
            assert kinds == ["survey.asked", "message.sent", "ticket.opened", "survey.answered"]
            [ticket] = (await world.ask("GET", "/tickets", who="sue"))["items"]
            assert (ticket["owner"], ticket["interactions"]) == ("sue", [item["id"]])
            async with world.http.get(f"{found[1]}/metrics") as metrics:
                assert 'callcenter_mail_total{outcome="sent"} 1.0' in await metrics.text()
