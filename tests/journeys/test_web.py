"""From a form on a web page to its agent, their answer by a real mail, and the customer's own look at the case."""

import re
from typing import Any

from callcenter.domain.web_form import FieldKind, FormField, Portal, WebForm
from callcenter.store import web_forms
from tests.builders import eventually
from tests.channels.email.conftest import post_office
from tests.journeys.world import a_world

ADDRESS = "wang@post.example"
FORM = WebForm(
    name="contact",
    queue="support",
    title="Write to us",
    fields=(
        FormField(name="email", kind=FieldKind.EMAIL, text="Mail", required=True),
        FormField(name="text", kind=FieldKind.LONG_TEXT, text="Text", required=True, to="text"),
    ),
)


async def test_a_form_is_routed_answered_by_mail_and_seen_in_the_portal(database):
    async with post_office() as office:
        mail: dict[str, Any] = {
            "mail_host": "127.0.0.1", "mail_port": office.port, "mail_security": "none", "mail_from": "care@x.example",
        }  # fmt: skip
        async with a_world(database, **mail) as world:
            url = world.server.url
            async with world.pool.acquire() as connection:
                await web_forms.put(connection, [FORM])
                await web_forms.put_portal(connection, Portal(queue="support"))
            await world.on_queue("amy")
            values = {"email": ADDRESS, "text": "It stays dark."}
            async with world.http.post(f"{url}/api/v1/forms/contact", json={"values": values}) as sent:
                assert sent.status == 201, await sent.text()
                number = (await sent.json())["number"]
            offered = await world.until("interaction.reserved")
            contact = offered["interaction"]
            await world.ask("POST", f"/interactions/{contact}/accept")
            [ticket] = (await world.ask("GET", f"/tickets?number={number}", who="sue"))["items"]
            await world.ask("POST", f"/tickets/{ticket['id']}/reply", text="Change the lamp.", public=True)
            await world.ask("POST", f"/interactions/{contact}/end")
            await world.until("interaction.ended", interaction=contact)

            def texts() -> list[str]:
                bodies = [each.get_body(("plain",)) for each in office.taken]
                return [body.get_content() for body in bodies if body is not None]

            async def mailed(words: str) -> None:
                async def there() -> bool:
                    return any(words in text for text in texts())

                await eventually(there)

            await mailed(f"number {number}")
            await mailed("Change the lamp.")
            assert {each["To"].addresses[0].addr_spec for each in office.taken} == {ADDRESS}
            async with world.http.post(f"{url}/my/link", data={"email": ADDRESS}) as asked:
                assert asked.status == 200
            await mailed("/my/enter")
            found = re.search(rf"{url}/my/enter\?t=([\w-]+)", "".join(texts()))
            assert found is not None
            entered = await world.http.post(f"{url}/my/enter", data={"t": found[1]}, allow_redirects=False)
            session = {"Cookie": f"cc_my={entered.cookies['cc_my'].value}"}
            async with world.http.get(f"{url}/my/cases/{number}", headers=session) as page:
                text = await page.text()
            assert "It stays dark." in text
            assert "Change the lamp." in text
            async with world.http.post(
                f"{url}/my/cases/{number}/answer", data={"text": "It shines."}, headers=session
            ) as said:
                assert "It shines." in await said.text()
            arrived = await world.until("interaction.arrived", count=2)
            await world.until("interaction.queued", interaction=arrived["interaction"])
