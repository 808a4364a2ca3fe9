"""The doors for mail, as mail servers and pipes use them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import aiosmtplib
import pytest

from callcenter.actions import interactions
from callcenter.domain.interaction import Arrival, Channel
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.email.intake import Intake
from channels.email.pace import GAP
from channels.email.server import MailServer
from tests.channels.email.messages import message


@pytest.fixture
async def mailbox(pool: Pool) -> None:
    await pool.execute("insert into queue (name) values ('support')")
    await pool.execute("insert into mailbox (address, queue_id) select 'care@heronbay.example', id from queue")


@pytest.fixture
async def door(log: ContactLog, mailbox: None, now: datetime) -> AsyncIterator[MailServer]:
    door = MailServer(Intake(log, clock=lambda: now), protocol="smtp", at=("127.0.0.1", 0))
    await door.start()
    yield door
    await door.stop()


async def hand_in(door: MailServer, raw: bytes, to: str = "care@heronbay.example") -> str:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=door.port, timeout=20, start_tls=False) as smtp:
        _, said = await smtp.sendmail("wang@customer.example", [to], raw)
        return said


async def test_a_message_is_committed_before_it_is_answered(door: MailServer, pool: Pool) -> None:
    said = await hand_in(door, message())
    assert said == f"OK {await pool.fetchval('select id from interaction')}"
    assert await hand_in(door, message()) == said
    assert await pool.fetchval("select raw from mail") == message()


async def test_an_address_that_nobody_has_is_refused(door: MailServer) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await hand_in(door, message(), to="who@heronbay.example")
    assert refused.value.recipients[0].code == 550


async def test_a_large_message_with_long_lines_is_read_in_a_process_of_its_own(door: MailServer, pool: Pool) -> None:
    await hand_in(door, message(b"light " * 100_000 + b"\r\n"))
    assert await pool.fetchval("select length(text) from message") > 99_000


async def test_while_the_database_is_away_the_sender_is_to_try_again(door: MailServer, pool: Pool) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=door.port, timeout=20, start_tls=False) as smtp:
        await smtp.mail("wang@customer.example")
        await smtp.rcpt("care@heronbay.example")
        pool.terminate()
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await smtp.data(message())
        assert refused.value.code == 451


async def test_whatever_is_wrong_with_the_database_the_sender_is_to_try_again(door: MailServer, pool: Pool) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=door.port, timeout=20, start_tls=False) as smtp:
        await pool.execute("alter table mailbox rename to elsewhere")
        await smtp.mail("wang@customer.example")
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refused:
            await smtp.rcpt("care@heronbay.example")
        assert refused.value.code == 451
        await pool.execute("alter table elsewhere rename to mailbox")
        await smtp.rcpt("care@heronbay.example")
        await pool.execute("alter table mail rename to elsewhere")
        with pytest.raises(aiosmtplib.SMTPDataError) as put_off:
            await smtp.data(message())
        assert put_off.value.code == 451


class Watched(Intake):
    """Tells when each message was let in."""

    let_in: list[float]

    async def turn(self) -> None:
        await super().turn()
        self.let_in.append(asyncio.get_running_loop().time())


async def test_while_the_phone_rings_messages_are_let_in_one_after_the_other(
    log: ContactLog, mailbox: None, now: datetime
) -> None:
    intake = Watched(log, clock=lambda: now)
    intake.let_in = []
    door = MailServer(intake, protocol="smtp", at=("127.0.0.1", 0))
    await door.start()
    try:
        call = Arrival(Channel.PHONE, "a call", None, None)
        await interactions.arrive(log, call, queue=None, queued=False, node=None, now=now)
        await asyncio.gather(*[hand_in(door, message(Message_ID=f"<m{n}@customer.example>")) for n in range(3)])
    finally:
        await door.stop()
    first, second, third = intake.let_in
    assert min(second - first, third - second) > GAP / 2


async def test_lmtp_answers_for_each_recipient(log: ContactLog, mailbox: None, now: datetime) -> None:
    door = MailServer(Intake(log, clock=lambda: now), protocol="lmtp", at=("127.0.0.1", 0))
    await door.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        lines = [b"LHLO here", b"MAIL FROM:<>", *[b"RCPT TO:<care@heronbay.example>"] * 2, b"DATA"]
        assert (await reader.readline()).startswith(b"220")
        for line in lines:
            writer.write(line + b"\r\n")
            while (await reader.readline())[3:4] == b"-":
                pass
        writer.write(message() + b"\r\n.\r\n")
        answers = [await reader.readline(), await reader.readline()]
        writer.close()
    finally:
        await door.stop()
    assert all(answer.startswith(b"250 OK") for answer in answers)
    assert await log.pool.fetchval("select nature from mail") == "bulk"  # from nobody


async def run(raw: bytes, dsn: str, *more: str) -> tuple[int, str]:
    environ = {**os.environ, "CALLCENTER_DATABASE_URL": dsn}
    command = str(Path(sys.executable).with_name("callcenter"))
    process = await asyncio.create_subprocess_exec(
        command, "mail", *more, env=environ, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(raw)
    assert process.returncode is not None
    return process.returncode, out.decode().strip()


async def test_a_pipe_hands_in_a_message_or_is_to_try_again(database: str, pool: Pool, mailbox: None) -> None:
    code, ident = await run(message(), database)
    assert (code, ident) == (0, str(await pool.fetchval("select id from interaction")))
    assert await run(message(), database) == (0, ident)
    assert (await run(b"", database))[0] == os.EX_DATAERR
    assert (await run(message(To="who@x.example", Message_ID="<2@x>"), database))[0] == os.EX_NOUSER
    assert (await run(message(), "postgresql://nobody@127.0.0.1:1/none"))[0] == os.EX_TEMPFAIL
