"""Events reach other systems: at least once under one id, signed, in spite of everything on the way."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import deliveries, organisation, sla, tickets
from callcenter.domain.delivery import headers_of
from callcenter.domain.organisation_file import understand
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.webhooks.sender import Sender
from tests.builders import NOW
from tests.channels.webhooks.system import System, a_system

SECRET = "a secret of some length"
HOUR = timedelta(hours=1)


@pytest.fixture
async def system() -> AsyncIterator[System]:
    async with a_system() as found:
        yield found


@dataclass
class House:
    log: ContactLog
    directory: Directory
    now: datetime = NOW

    def clock(self) -> datetime:
        return self.now

    async def apply(self, port: int, *, events: str = "", more: str = "", name: str = "crm") -> None:
        url = f"http://127.0.0.1:{port}/hook"
        text = f'[[webhooks]]\nname = "{name}"\nurl = "{url}"\nsecret = "{SECRET}"\n{events}\n{more}'
        file = understand(toml.parse(text, "org.toml"), {})
        await organisation.apply(self.log, file, prune=False, actor=None, now=self.now)
        # What is opened in the tests is opened at their own time.
        await self.log.pool.execute("update webhook set since = $1", NOW)
        await self.directory.load()

    async def open(self) -> Any:
        return await tickets.open_ticket(
            self.log, subject="Secret subject", customer=None, interaction=None, queue=None, priority="normal",
            text=None, actor=None, now=self.now,
        )  # fmt: skip

    def sender(self, *networks: str) -> Sender:
        allowed = [ip_network(each) for each in networks]
        return Sender(self.log, self.directory, allowed=allowed, clock=self.clock)

    async def collect(self) -> int:
        """Waits for the log to settle: other tests' transactions may hold it back."""
        async with asyncio.timeout(30):
            while True:
                if found := await deliveries.collect(self.log, self.directory, now=self.now):
                    return found
                await asyncio.sleep(0.01)  # a transaction elsewhere tells nobody when it is over

    async def states(self) -> list[tuple[str, int, str | None]]:
        rows = await self.log.pool.fetch("select state, attempts, last_error from delivery order by id")
        return [tuple(row) for row in rows]


@pytest.fixture
async def house(pool: Pool) -> House:
    return House(ContactLog(pool), Directory(pool))


LOOPBACK = "127.0.0.0/8"


async def test_a_subscriber_gets_each_event_once_signed_and_without_what_is_personal(house: House, system: System):
    await house.apply(system.port, events='events = ["ticket.opened"]')
    ticket = await house.open()
    assert await house.collect() == 1
    assert await deliveries.collect(house.log, house.directory, now=house.now) == 0
    sender = house.sender(LOOPBACK)
    await sender.send_due()
    await sender.send_due()
    [(headers, body)] = system.got
    said = json.loads(body)
    assert (said["kind"], said["ticket"], said["id"]) == ("ticket.opened", ticket.id, headers["webhook-id"])
    assert b"Secret subject" not in body
    signed = headers_of(SECRET, ident=headers["webhook-id"], body=body, now=house.now)
    assert headers["webhook-signature"] == signed["webhook-signature"]
    assert sender.outcomes == {"sent": 1, "put_off": 0, "failed": 0}


async def test_an_escalation_that_names_a_webhook_tells_it_once_though_it_subscribes_too(house: House, system: System):
    policy = (
        '[[users]]\nname = "sue"\nfull_name = "Sue"\nrole = "supervisor"\n[[sla_policies]]\nname = "all"\n'
        'resolution = "8h"\nescalations = [{ clock = "resolution", at = "+0m", actions = [{ webhook = "crm" }] }]\n'
    )
    await house.apply(system.port, events='events = ["ticket.escalated"]', more=policy)
    ticket = await house.open()
    house.now += 9 * HOUR
    assert await sla.sweep(house.log, house.directory, now=house.now) == 1
    await house.sender(LOOPBACK).send_due()
    await house.collect()
    await house.sender(LOOPBACK).send_due()
    [said] = system.bodies()
    assert (said["kind"], said["ticket"], said["data"]["late"]) == ("ticket.escalated", ticket.id, True)


async def test_what_fails_is_tried_again_later_under_the_same_id(house: House, system: System):
    await house.apply(system.port, events='events = ["ticket.*"]')
    await house.open()
    await house.collect()
    system.answers = [500, 429]
    for _ in range(4):
        await house.sender(LOOPBACK).send_due()
        house.now += 60 * timedelta(seconds=1)
    assert [headers["webhook-id"] for headers, _ in system.got] == [system.got[0][0]["webhook-id"]] * 3
    assert await house.states() == [("sent", 3, None)]


async def test_an_attempt_soon_after_a_failure_is_not_made(house: House, system: System):
    await house.apply(system.port, events='events = ["ticket.*"]')
    await house.open()
    await house.collect()
    system.answers = [503]
    await house.sender(LOOPBACK).send_due()
    await house.sender(LOOPBACK).send_due()
    assert len(system.got) == 1


@pytest.mark.parametrize("status", [302, 410])
async def test_redirects_are_not_followed_and_a_farewell_is_believed(house: House, system: System, status: int):
    await house.apply(system.port, events='events = ["ticket.*"]')
    await house.open()
    await house.collect()
    system.answers = [status]
    await house.sender(LOOPBACK).send_due()
    assert len(system.got) == 1
    [(state, attempts, error)] = await house.states()
    assert (state, attempts) == ("failed", 1)
    assert error is not None
    assert error.startswith(str(status))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_our_own_doors_are_not_knocked_at_whatever_they_are_called(house: House, system: System, host: str):
    await house.apply(system.port, events='events = ["ticket.*"]')
    await house.log.pool.execute("update webhook set url = replace(url, '127.0.0.1', $1)", host)
    await house.open()
    await house.collect()
    await house.sender().send_due()
    assert system.got == []
    [(state, _, error)] = await house.states()
    assert state == "waiting"
    assert "webhook_networks" in (error or "")


async def test_what_nobody_takes_for_days_is_given_up_and_may_be_sent_by_hand(house: House, system: System):
    await house.apply(system.port, events='events = ["ticket.*"]')
    await house.open()
    await house.collect()
    system.answers = [500] * 100
    while (await house.states())[0][0] == "waiting":
        await house.sender(LOOPBACK).send_due()
        house.now += 4 * HOUR
    assert len(system.got) < 30
    system.answers = []
    ident = await house.log.pool.fetchval("select id from delivery")
    await deliveries.retry(house.log, ident, now=house.now)
    await house.sender(LOOPBACK).send_due()
    assert (await house.states())[0][0] == "sent"


async def test_a_server_that_dies_with_a_delivery_in_hand_leaves_it_to_the_next(house: House, system: System):
    await house.apply(system.port, events='events = ["ticket.*"]')
    await house.open()
    await house.collect()
    [webhook] = await deliveries.waiting(house.log, now=house.now)
    lease = timedelta(seconds=60)
    taken = await deliveries.take(house.log, webhook, most=4, lease=lease, now=house.now)
    assert len(taken) == 1
    await house.sender(LOOPBACK).send_due()
    assert system.got == []
    house.now += lease
    await house.sender(LOOPBACK).send_due()
    assert len(system.got) == 1
    await deliveries.sent(house.log, taken[0], now=house.now)
    assert await house.states() == [("sent", 2, None)]


async def test_two_servers_send_each_delivery_once(house: House, system: System):
    await house.apply(system.port, events='events = ["ticket.*"]')
    for _ in range(20):
        await house.open()
    found = 0
    while found < 20:
        found += await house.collect()
    await asyncio.gather(*(house.sender(LOOPBACK).send_due() for _ in range(2)))
    idents = [headers["webhook-id"] for headers, _ in system.got]
    assert len(idents) == len(set(idents)) == 20


async def test_a_webhook_hears_nothing_of_what_was_before_it(house: House, system: System):
    await house.open()
    house.now += HOUR
    await house.apply(system.port, events='events = ["ticket.*"]')
    await house.log.pool.execute("update webhook set since = $1", house.now)
    ticket = await house.open()
    await house.collect()
    await house.sender(LOOPBACK).send_due()
    assert [said["ticket"] for said in system.bodies()] == [ticket.id]
