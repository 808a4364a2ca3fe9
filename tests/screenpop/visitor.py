"""The portal with two customers, as a browser sees it."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from callcenter.actions import tickets, web_in
from callcenter.actions.web_in import WebMessage
from callcenter.domain.customer import AddressKind
from callcenter.domain.web_form import Portal
from callcenter.store import web_forms
from screenpop.letters import Letters
from tests.builders import make_customer
from tests.screenpop.conftest import House

WANG, LI = "wang@post.example", "li@post.example"


@dataclass
class My:
    """The portal with two customers, and a browser."""

    house: House
    wang: int
    li: int

    async def write(self, address: str, text: str = "It stays dark.", *, ticket: int | None = None) -> int:
        """The ticket of what somebody sent by a form."""
        count = await self.house.pool.fetchval("select count(*) from interaction")
        message = WebMessage(
            external_id=f"t{count}", called="contact", subject=f"About {text}", text=text,
            address_kind=AddressKind.EMAIL, address=address,
        )  # fmt: skip
        received = await web_in.receive(
            self.house.log, message, queue=self.house.queue, ticket=ticket, now=self.house.moment()
        )
        return received.ticket

    async def answer(self, ticket: int, text: str, *, to: str | None = None) -> None:
        amy, now = self.house.users["amy"], self.house.moment()
        await tickets.reply(self.house.log, ticket, text=text, public=True, to=to, actor=amy, now=now)

    async def number(self, ticket: int) -> int:
        return int(await self.house.pool.fetchval("select number from ticket where id = $1", ticket))

    async def ask(self, address: str) -> str:
        response = await self.house.client.post("/my/link", data={"email": address}, headers={"Accept-Language": "en"})
        assert response.status == 200
        return await response.text()

    async def letters(self) -> list[Any]:
        return list(await self.house.pool.fetch("select * from outbox where template = 'portal' order by id"))

    async def link(self, address: str) -> str:
        """As it stands in the letter."""
        await self.ask(address)
        row = (await self.letters())[-1]
        key = await self.house.pool.fetchval("select link_key from organisation")
        writer = Letters(
            self.house.hub.renderer, organisation=lambda: self.house.directory.organisation, key=key,
            site="https://care.example", clock=self.house.moment,
        )  # fmt: skip
        found = re.search(r"https://care\.example(/my/enter\S+)", writer.write("portal", "en", row["data"]).text)
        assert found is not None
        return found[1]

    async def enter(self, address: str) -> None:
        token = (await self.link(address)).partition("t=")[2].partition("&")[0]
        self.house.client.session.cookie_jar.clear()
        response = await self.house.client.post("/my/enter", data={"t": token}, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/my")

    async def get(self, path: str = "/my", *, status: int = 200) -> str:
        response = await self.house.client.get(path, headers={"Accept-Language": "en"}, allow_redirects=False)
        assert response.status == status, await response.text()
        return unescape(await response.text())

    async def act(self, path: str, *, status: int = 303, **fields: str) -> str:
        response = await self.house.client.post(path, data=fields, allow_redirects=False)
        assert response.status == status, await response.text()
        return await response.text()


async def open_portal(house: House) -> My:
    pool = house.pool
    async with pool.acquire() as connection:
        await web_forms.put_portal(connection, Portal(queue="support"))
    found = []
    for name, address in (("Wang Fang", WANG), ("Li Na", LI)):
        customer = await make_customer(pool, name)
        await pool.execute("update customer set company = 'Heron Ltd' where id = $1", customer)
        await know(house, customer, address)
        found.append(customer)
    house.client.session.cookie_jar.clear()
    return My(house, *found)


async def know(house: House, customer: int, address: str, certainty: str = "known") -> None:
    await house.pool.execute(
        "insert into address (customer_id, kind, value, certainty) values ($1, 'email', $2, $3)",
        customer, address, certainty,
    )  # fmt: skip
