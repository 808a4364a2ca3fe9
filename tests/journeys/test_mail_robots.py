"""Mail that nobody wrote, through the whole server: it reopens nothing, moves no clock and is never answered."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import aiosmtplib

from tests.builders import eventually
from tests.channels.email.conftest import post_office
from tests.channels.email.messages import bounce, message
from tests.journeys.world import World, a_world

CARE = "care@heronbay.example"
AWAY = "您好，我正在出差，无法及时回复您的邮件，如有急事请拨打手机。".encode()
QQ = "这是来自QQ邮箱的假期自动回复邮件。\r\n您好，我最近正在休假中。".encode()


class Post:
    """A customer's mail server, and what reached the customers of ours."""

    def __init__(self, world: World, port: int, taken: list[EmailMessage]) -> None:
        self.world = world
        self.taken = taken
        self._port = port
        self._count = 0

    async def write(self, raw: bytes, *, sender: str = "wang@customer.example") -> dict[str, Any]:
        """Its event, once it is here."""
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self._port, timeout=20, start_tls=False) as smtp:
            await smtp.sendmail(sender, [CARE], raw)
        self._count += 1
        return await self.world.until("message.received", count=self._count)

    async def letters(self, count: int) -> list[EmailMessage]:
        async def there() -> bool:
            return len(self.taken) >= count

        await eventually(there)
        return self.taken

    async def ticket(self, ident: int) -> dict[str, Any]:
        found: dict[str, Any] = await self.world.ask("GET", f"/tickets/{ident}", who="sue")
        return found

    async def clocks(self, ident: int) -> dict[str, str]:
        return {each["clock"]: each["state"] for each in (await self.ticket(ident))["clocks"]}

    async def answered(self) -> tuple[int, str]:
        """A customer wrote, was acknowledged and got an answer: the ticket, and the answer's Message-ID."""
        ticket = (await self.write(message()))["ticket"]
        await self.letters(1)
        await self.world.ask("POST", f"/tickets/{ticket}/reply", who="sue", text="Is it plugged in?", public=True)
        return ticket, str((await self.letters(2))[-1]["Message-ID"]).strip("<>")


def robots(letter: str) -> list[bytes]:
    """Answers of programmes to a letter of ours, of which some say in a field what they are."""
    answer = {"In_Reply_To": f"<{letter}>", "Subject": "Re: No light"}
    return [
        message(b"Away.", Message_ID="<a1@x>", Auto_Submitted="auto-replied", **answer),
        message(AWAY, Message_ID="<a2@x>", **answer),
        message(QQ, Message_ID="<a3@x>", **answer),
        message(b"Click here.", Message_ID="<a4@x>", **(answer | {"Subject": "Please confirm your message"})),
        message(b"Away.", Message_ID="<a5@x>", Precedence="auto_reply", **answer),
        message(b"Away.", Message_ID="<a6@x>", Precedence="bulk", **answer),
        message(b"Away.", Message_ID="<a7@x>", Auto_Submitted="auto-generated", **answer),
        bounce(letter, status="4.4.7").replace(b"Action: failed", b"Action: delayed"),
    ]


@asynccontextmanager
async def a_post(database: str) -> AsyncIterator[Post]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with post_office() as office:
        mail: dict[str, Any] = {
            "mail_host": "127.0.0.1", "mail_port": office.port, "mail_security": "none", "mail_from": CARE,
            "mail_listen": "smtp", "smtp_port": port,
        }  # fmt: skip
        async with a_world(database, **mail) as world:
            await world.pool.execute("insert into mailbox (address, queue_id) values ($1, $2)", CARE, world.queue)
            targets = {"first_response": "1h", "next_response": "1h", "resolution": "8h"}
            await world.pool.execute("insert into sla_policy (name, place, targets) values ('all', 0, $1)", targets)
            await world.applied()
            yield Post(world, port, office.taken)


async def test_an_automatic_reply_never_reopens(database: str) -> None:
    async with a_post(database) as post:
        ticket, letter = await post.answered()
        await post.world.ask("PATCH", f"/tickets/{ticket}", who="sue", state="resolved")
        for raw in robots(letter):
            assert (await post.write(raw))["ticket"] == ticket
            assert (await post.ticket(ticket))["state"] == "resolved"
        await post.write(message(b"Still dark.", Message_ID="<2@x>", In_Reply_To=f"<{letter}>"))
        assert (await post.ticket(ticket))["state"] == "open"


async def test_what_a_programme_writes_or_seems_to_and_answers_nothing_of_ours_is_seen_and_not_answered(
    database: str,
) -> None:
    async with a_post(database) as post:
        for n, fields in enumerate(
            ({"Subject": "Annual leave"}, {"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"})
        ):
            found = await post.write(message(Message_ID=f"<{n}@x>", In_Reply_To="<another@x>" if n else None, **fields))
            assert (await post.ticket(found["ticket"]))["state"] == "new"
        assert await post.world.pool.fetchval("select count(*) from outbox") == 0


async def test_an_alert_that_follows_its_own_first_one_brings_the_case_back_to_work(database: str) -> None:
    async with a_post(database) as post:
        ticket = (await post.write(message(Message_ID="<1@x>", Precedence="bulk")))["ticket"]
        await post.world.ask("PATCH", f"/tickets/{ticket}", who="sue", state="resolved")
        again = await post.write(message(Message_ID="<2@x>", In_Reply_To="<1@x>", Precedence="bulk"))
        assert (again["ticket"], (await post.ticket(ticket))["state"]) == (ticket, "open")


async def test_an_automatic_reply_never_moves_a_clock_in_either_direction(database: str) -> None:
    async with a_post(database) as post:
        ticket = (await post.write(message()))["ticket"]
        await post.letters(1)
        # Our own acknowledgement is no answer either.
        assert (await post.clocks(ticket))["first_response"] == "running"
        await post.world.ask("POST", f"/tickets/{ticket}/reply", who="sue", text="Is it plugged in?", public=True)
        letter = str((await post.letters(2))[-1]["Message-ID"]).strip("<>")
        await post.world.ask("PATCH", f"/tickets/{ticket}", who="sue", state="pending")
        before = (await post.ticket(ticket))["clocks"]
        for raw in robots(letter):
            await post.write(raw)
        after = await post.ticket(ticket)
        assert (after["state"], after["clocks"]) == ("pending", before)
        await post.write(message(b"Still dark.", Message_ID="<2@x>", In_Reply_To=f"<{letter}>"))
        assert (await post.ticket(ticket))["state"] == "open"
        assert (await post.clocks(ticket))["next_response"] == "running"


async def test_an_automatic_reply_is_never_answered_by_itself(database: str) -> None:
    async with a_post(database) as post:
        # Two of them are told by fields that alerts have too, of which somebody should know unless they answer us.
        alerts = (b"<a6@x>", b"<a7@x>")
        for n, raw in enumerate(robots("unknown@heronbay.example")):
            if any(alert in raw for alert in alerts):
                continue
            other = raw.replace(b"wang@customer", b"robot%d@customer" % n)
            assert (await post.write(other, sender=f"robot{n}@customer.example"))["ticket"] is None
        await post.write(message())
        (letter,) = await post.letters(1)
        assert letter["To"].addresses[0].addr_spec == "wang@customer.example"
        assert (letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
        body = letter.get_body(("plain",))
        assert body is not None
        assert "You will have an answer by" in body.get_content()
        assert await post.world.pool.fetchval("select count(*) from outbox") == 1
