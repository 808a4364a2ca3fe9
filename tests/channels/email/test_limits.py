"""What bad mail gets: every message is kept and has a place, none takes long or much, and the next one comes in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime

import aiosmtplib
import pytest

from callcenter.actions import mail_in
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.email import intake as limits
from channels.email import server
from channels.email.intake import LARGEST, Intake, is_small
from channels.email.parse import opaque, parse, unreadable
from channels.email.server import MailServer
from tests.builders import eventually
from tests.channels.email.hostile import HOSTILE, MB
from tests.channels.email.messages import attached, message, multipart, part


@pytest.fixture
async def intake(log: ContactLog, now: datetime) -> AsyncIterator[Intake]:
    await log.pool.execute("insert into queue (name) values ('support')")
    await log.pool.execute("insert into mailbox (address, queue_id) select 'care@heronbay.example', id from queue")
    intake = Intake(log, clock=lambda: now)
    yield intake
    intake.close()


@pytest.fixture
async def door(intake: Intake) -> AsyncIterator[MailServer]:
    door = MailServer(intake, protocol="smtp", at=("127.0.0.1", 0))
    await door.start()
    yield door
    await door.stop()


async def _text(pool: Pool, interaction: int) -> str:
    text: str = await pool.fetchval("select text from message where interaction_id = $1", interaction)
    return text


async def test_every_hostile_message_is_kept_whole_and_the_next_one_comes_in(intake: Intake, pool: Pool):
    given_up = []
    for n, (name, make) in enumerate(HOSTILE.items()):
        raw = f"Message-ID: <hostile-{n}@customer.example>\r\n".encode() + make()
        received = await intake.receive(raw, otherwise="care@heronbay.example")
        assert received.new, name
        assert await pool.fetchval("select raw = $2 from mail where interaction_id = $1", received.interaction, raw)
        if "it is kept as it came" in await _text(pool, received.interaction):
            given_up.append(name)
    # Within time and memory there is something to be seen of each.
    assert given_up == []
    after = await intake.receive(message(b"light " * 50_000, Message_ID="<next@customer.example>"))
    assert after.ticket is not None


async def test_an_ordinary_message_of_50_mb_comes_through_with_its_attachment(intake: Intake, pool: Pool):
    raw = multipart(
        part(b"Please find the pictures."), attached(b"\xff\xd8 pixels" * (36 * MB // 9), "all.jpg", "image/jpeg")
    )
    assert LARGEST * 0.95 < len(raw) <= LARGEST
    received = await intake.receive(raw)
    assert await _text(pool, received.interaction) == "Please find the pictures."
    assert await pool.fetchval("select size from mail_attachment") == 36 * MB // 9 * 9


@pytest.mark.parametrize(("limit", "most"), [("_MOST_MEMORY", 50 * MB), ("_MOST_SECONDS", 0.01)])
async def test_what_takes_too_much_is_kept_with_its_head_for_a_person_to_see(
    intake: Intake, pool: Pool, monkeypatch: pytest.MonkeyPatch, limit: str, most: float
):
    monkeypatch.setattr(limits, limit, most)
    raw = message(b"<p>light</p>" * (25 * MB // 12), kind="text/html")
    received = await intake.receive(raw)
    assert received.ticket is not None
    assert await _text(pool, received.interaction) == (
        "[It takes too long or too much memory to read; it is kept as it came.]"
    )
    row = await pool.fetchrow(
        "select i.subject, i.address, m.raw = $2 from mail m join interaction i on i.id = m.interaction_id "
        "where i.id = $1", received.interaction, raw,
    )  # fmt: skip
    assert row is not None
    assert tuple(row) == ("No light", "wang@customer.example", True)
    monkeypatch.undo()
    after = await intake.receive(message(b"light " * 50_000, Message_ID="<next@customer.example>"))
    assert "light" in await _text(pool, after.interaction)


async def test_what_nothing_is_known_of_has_a_place_too(intake: Intake, pool: Pool, log: ContactLog, now: datetime):
    mail = opaque(b"\x00", "It could not be understood; it is kept as it came.")
    received = await mail_in.receive(log, mail, b"\x00", recipients=("care@heronbay.example",), now=now)
    assert received.ticket is not None
    assert "could not be understood" in await _text(pool, received.interaction)


@pytest.mark.parametrize(
    "unfit",
    [
        "alter table mail add check (message_id is null)",
        "create index on mail (html)",  # of a row in an index the longest is 2,704 bytes
    ],
)
async def test_what_the_database_cannot_hold_is_kept_as_it_came_and_holds_nothing_up(
    intake: Intake, pool: Pool, unfit: str
):
    await pool.execute(unfit)
    words = " ".join(str(n * n) for n in range(3_000))  # which cannot be compressed to so little
    raw = message(f"<p>{words}</p>".encode(), kind="text/html")
    received = await intake.receive(raw, otherwise="care@heronbay.example")
    assert (received.new, received.ticket is not None) == (True, True)
    assert "could not be understood" in await _text(pool, received.interaction)
    assert await pool.fetchval("select raw from mail") == raw


@pytest.mark.parametrize("ident", ["<1@customer.example>", None], ids=["with an id", "without"])
def test_what_takes_too_much_is_the_same_by_whatever_way_it_comes(ident: str | None):
    ways = [message(Message_ID=ident, Received=f"from {name}.example by mx.example") for name in "ab"]
    first, second = (unreadable(raw, "too much").fingerprint for raw in ways)
    assert first == second
    assert unreadable(message(b"Another.", Message_ID=ident, Date=None), "too much").fingerprint != first
    if ident is not None:
        assert parse(ways[0]).fingerprint == first


def test_formatted_text_is_read_apart_sooner_than_plain_text():
    assert is_small(message(b"light\n" * 20_000))
    assert is_small(message(b"<p>light", kind="text/html"))
    assert not is_small(message(b"<p>" * 10_000, kind="Text/HTML"))
    assert not is_small(multipart(part(b"light"), part(b"&" * 20_000, "text/html"), subtype="alternative"))
    assert not is_small(multipart(part(b"light"), attached(b"\x78\x9f\x3e\x22" + b"<p>" * 10_000, "a")))
    assert not is_small(message(b"light " * 50_000))


async def _leave(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _refusal(door: MailServer, *lines: bytes) -> bytes:
    """What is said in the end, in SMTP, before the line is cut; b"" when nothing is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    try:
        said = await reader.readline()
        for line in lines:
            writer.write(line + b"\r\n")
            said = await reader.readline()
            while said[3:4] == b"-":
                said = await reader.readline()
        return said
    finally:
        await _leave(writer)


MAIL = (b"EHLO there", b"MAIL FROM:<a@b.example>")


async def test_a_message_beyond_the_size_is_refused_before_and_after_it_is_sent(door: MailServer, pool: Pool):
    assert (await _refusal(door, b"EHLO there", b"MAIL FROM:<a@b.example> SIZE=60000000")).startswith(b"552")
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=door.port, timeout=60, start_tls=False) as smtp:
        await smtp.ehlo()
        await smtp.mail("a@b.example")
        await smtp.rcpt("care@heronbay.example")
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await smtp.data(message(b"x" * 99 + b"\r\n") + (b"x" * 998 + b"\r\n") * (LARGEST // 1000 + 1))
        assert refused.value.code == 552
    assert await pool.fetchval("select count(*) from mail") == 0


async def test_messages_of_all_senders_have_a_common_limit_and_whoever_leaves_makes_room(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "_ROOM", LARGEST + 5 * MB)  # for one that does not say how large it is
    monkeypatch.setattr(server, "_WAITS", 0.2)  # a refusal is wanted
    door = MailServer(intake, protocol="smtp", at=("127.0.0.1", 0))
    await door.start()
    begin = (b"EHLO there", b"MAIL FROM:<a@b.example>", b"RCPT TO:<care@heronbay.example>", b"DATA")
    small = (b"EHLO there", b"MAIL FROM:<a@b.example> SIZE=100000", *begin[2:])
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(b"\r\n".join(begin) + b"\r\nSubject: half\r\n")
        while not (await reader.readline()).startswith(b"354"):
            pass
        assert (await _refusal(door, *begin)).startswith(b"452 4.3.1")
        assert (await _refusal(door, *small)).startswith(b"354")
        await _leave(writer)

        async def room_again() -> bool:
            return (await _refusal(door, *begin)).startswith(b"354")

        await eventually(room_again)
    finally:
        await door.stop()


async def test_who_finds_no_room_waits_for_it(intake: Intake, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "_ROOM", LARGEST)  # for one that does not say how large it is
    door = MailServer(intake, protocol="smtp", at=("127.0.0.1", 0))
    await door.start()

    async def deliver(n: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=door.port) as smtp:
            await smtp.ehlo()
            await smtp.mail("a@b.example")  # without a size
            await smtp.rcpt("care@heronbay.example")
            assert (await smtp.data(message(Message_ID=f"<{n}@x>"))).code == 250

    try:
        await asyncio.gather(*map(deliver, range(8)))
    finally:
        await door.stop()


async def test_a_message_has_at_most_100_recipients(door: MailServer):
    recipients = [b"RCPT TO:<care@heronbay.example>"] * 101
    assert (await _refusal(door, *MAIL, *recipients[:100])).startswith(b"250")
    assert (await _refusal(door, *MAIL, *recipients)).startswith(b"452")


async def test_who_says_nothing_is_let_go(door: MailServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "_IDLE", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    async with asyncio.timeout(20):
        said = await reader.read()  # until it ends
    assert said.startswith(b"220")
    await _leave(writer)


async def test_neither_one_peer_nor_all_have_more_than_so_many_connections(
    door: MailServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "_MOST_OF_PEER", 3)
    monkeypatch.setattr(server, "_MOST_CONNECTIONS", 5)

    async def come(address: str) -> tuple[bytes, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port, local_addr=(address, 0))
        return (await reader.readline())[:3], writer

    met = [await come("127.0.0.1") for _ in range(4)]
    assert [said for said, _ in met] == [b"220", b"220", b"220", b"421"]
    met += [await come("127.0.0.2") for _ in range(3)]
    assert [said for said, _ in met[4:]] == [b"220", b"220", b"421"]
    for _, writer in met:
        await _leave(writer)

    async def served() -> bool:
        said, writer = await come("127.0.0.1")
        await _leave(writer)
        return said == b"220"

    async with asyncio.timeout(20):
        while not await served():
            pass
