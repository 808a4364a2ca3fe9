"""The door of gateways on a database of its own, with the gateways of the example file, and one of the tests."""

import base64
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import understand
from callcenter.feed import Feed
from callcenter.settings import Settings
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.web import keys, site
from channels.messages.door import Door
from tests.builders import NOW, FakeWaits, make_queue

EXAMPLE = Path(__file__).parents[3] / "config" / "org.example.toml"
PUBLIC = "https://calls.example.com"
PLAIN = """
[[gateways]]
name = "plain"
queue = "support"
secrets = { key = "a key of the tests" }

[gateways.message]
items = "/messages/*"
id = "/id"
from = "/from"
name = "/name"
text = "/text"
at = "/at"
ignore = "/typing"

[gateways.signature]
method = "hmac-sha256"
header = "X-Signature"
secret = "key"
signs = "{timestamp}.{body}"
timestamp = "X-Time"

[gateways.outbound]
url = "http://127.0.0.1:PORT/send/{{ to }}"
headers = { Authorization = "Key {{ secret.key }}", Idempotency-Key = "{{ id }}" }
body = { text = "{{ text }}", about = { ticket = "{{ ticket }}" } }
id = "/id"
error = "/why"
give_up = "1h"
"""


def plain(*messages: dict[str, Any]) -> bytes:
    return json.dumps({"messages": messages}).encode()


@dataclass
class Gate:
    """Knocks as gateways do."""

    client: TestClient[Any, Any]
    log: ContactLog
    door: Door
    now: datetime = NOW
    ids: dict[str, int] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)

    async def knock(self, name: str, body: bytes, **headers: str) -> ClientResponse:
        return await self.client.post(f"/api/v1/gateways/{name}", data=body, headers=headers)

    async def send(self, *messages: dict[str, Any], at: datetime | None = None) -> ClientResponse:
        """Through the gateway `plain`, with its signature."""
        body, stamp = plain(*messages), str(int((at or self.now).timestamp()))
        digest = hmac.digest(b"a key of the tests", f"{stamp}.".encode() + body, "sha256").hex()
        headers = {"X-Time": stamp, "X-Signature": digest, "Content-Type": "application/json"}
        return await self.knock("plain", body, **headers)

    async def say(self, text: str, *, ident: str, sender: str = "wang") -> dict[str, Any]:
        response = await self.send({"id": ident, "from": sender, "text": text})
        assert response.status == 200, await response.text()
        answer = await response.json()
        found: dict[str, Any] = answer["messages"][0]
        return found

    async def twilio(self, fields: dict[str, str], *, token: str = "at least 8 characters") -> ClientResponse:
        signed = f"{PUBLIC}/api/v1/gateways/sms" + "".join(f"{name}{fields[name]}" for name in sorted(fields))
        signature = base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()
        kind = "application/x-www-form-urlencoded"
        return await self.knock(
            "sms", urlencode(fields).encode(), **{"X-Twilio-Signature": signature, "Content-Type": kind}
        )

    async def whatsapp(self, value: dict[str, Any], *, secret: str = "the app's secret") -> ClientResponse:
        change = {"field": "messages", "value": {"messaging_product": "whatsapp", **value}}
        document = {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}
        body = json.dumps(document).encode()
        signature = f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}"
        return await self.knock("whatsapp", body, **{"X-Hub-Signature-256": signature})

    async def count(self, table: str) -> int:
        return int(await self.log.pool.fetchval(f"select count(*) from {table}"))

    async def texts(self) -> list[str]:
        return [row["text"] for row in await self.log.pool.fetch("select text from message order by id")]


def gateways(port: int) -> str:
    shown = "\n".join(EXAMPLE.read_text().partition("[[gateways]]")[1:])
    return shown + PLAIN.replace("PORT", str(port))


@pytest.fixture
async def gate(pool: Any, database: str) -> AsyncIterator[Gate]:
    log = ContactLog(pool)
    feed = Feed(pool, log, dsn=database)
    feed.alone = True
    await feed.start()
    directory = Directory(pool)
    made: list[Gate] = []
    door = Door(log, directory, clock=lambda: made[0].now)
    app = site.application()
    app[keys.SETTINGS] = Settings(public_url=PUBLIC)
    app[keys.POOL] = pool
    app[keys.LOG] = log
    app[keys.FEED] = feed
    app[keys.DIRECTORY] = directory
    app[keys.CLOCK] = lambda: made[0].now
    app[keys.READINESS] = {}
    app[keys.WAITS] = FakeWaits()
    app.add_routes(door.routes())
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    await client.start_server()
    made.append(Gate(client, log, door))
    made[0].ids["support"] = await make_queue(pool, "support", is_default=True)
    file = understand(toml.parse(gateways(9), "org.toml"), {})
    await organisation.apply(log, file, prune=False, actor=None, now=NOW)
    await directory.load()
    yield made[0]
    await client.close()
