"""Mailboxes on a real Dovecot: everything in them comes once, whatever breaks on the way."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from callcenter.settings import ImapSettings
from callcenter.store.db import connect_pool
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.email import intake
from channels.email.imap import ImapMetrics
from channels.email.intake import Intake
from channels.email.mailbox import complaints
from tests.builders import NOW, eventually
from tests.channels.email.messages import message
from tests.imap.conftest import Reading
from tests.imap.dovecot import PASSWORD, Dovecot, Wire
from tests.journeys.test_trouble import Wire as DatabaseWire

Make = Callable[..., ImapSettings]


def numbered(n: int, /, **fields: str) -> bytes:
    return message(Message_ID=f"<{n}@customer.example>", Subject=f"Number {n}", **fields)


async def here(pool: Pool, count: int) -> None:
    async def all_of_them() -> bool:
        return bool(await pool.fetchval("select count(*) from mail") == count)

    await eventually(all_of_them, within=60)


async def marked(dovecot: Dovecot, user: str, *flags: str, folder: str = "INBOX") -> None:
    async def as_told() -> bool:
        return sorted(await asyncio.to_thread(dovecot.flags, user, folder)) == sorted(flags)

    await eventually(as_told, within=60)


async def noted(pool: Pool) -> None:
    """Nothing is left to be marked."""

    async def empty() -> bool:
        return bool(await pool.fetchval("select unmarked = '{}' from imap_mailbox"))

    await eventually(empty)


async def test_what_is_there_and_what_comes_is_committed_and_then_flagged(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool, metrics: ImapMetrics
):
    dovecot.deliver(user, numbered(1), numbered(2))
    async with reading(settings()):
        await here(pool, 2)
        assert metrics.connected.labels("care")._value.get() == 1
        # Announced: nobody looks for it before two minutes have passed.
        await asyncio.to_thread(dovecot.deliver, user, numbered(3))
        await here(pool, 3)
        await marked(dovecot, user, *["\\Seen"] * 3)
    assert await pool.fetchval("select raw from mail order by id limit 1") == numbered(1)
    assert await pool.fetchval("select count(*) from ticket") == 3
    assert metrics.messages.labels("care", "new")._value.get() == 3
    assert metrics.connected.labels("care")._value.get() == 0


@pytest.mark.parametrize(
    "after", [{"after": "seen"}, {"after": "move", "move_to": "Done"}, {"after": "delete"}], ids=str
)
async def test_what_people_had_read_before_the_first_visit_is_left_alone(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool, after: dict[str, str]
):
    dovecot.create(user, "Done")
    with dovecot.client(user) as client:
        client.append("INBOX", "(\\Seen)", '"01-Mar-2020 10:00:00 +0000"', numbered(1))
        client.append("INBOX", "", '"01-Mar-2020 10:00:00 +0000"', numbered(2))
    async with reading(settings(**after)):
        await here(pool, 1)
        # From then on what somebody else opens first is ours all the same.
        await asyncio.to_thread(dovecot.deliver, user, numbered(3), flags="(\\Seen)")
        await here(pool, 2)
        await marked(dovecot, user, *["\\Seen"] * (3 if after["after"] == "seen" else 1))
    rows = await pool.fetch("select subject from interaction order by id")
    assert [row["subject"] for row in rows] == ["Number 2", "Number 3"]


async def test_messages_are_moved_or_deleted_when_they_are_safe(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool
):
    dovecot.deliver(user, numbered(1))
    dovecot.create(user, "&XfJZBHQG-")
    async with reading(settings(after="move", move_to="已处理")):
        await here(pool, 1)
        await marked(dovecot, user, "", folder="&XfJZBHQG-")
        await marked(dovecot, user)
    dovecot.deliver(user, numbered(2))
    async with reading(settings(after="delete")):
        await here(pool, 2)
        await marked(dovecot, user)


async def test_what_cannot_be_moved_is_safe_and_is_moved_later(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool, metrics: ImapMetrics
):
    dovecot.deliver(user, numbered(1))
    async with reading(settings(after="move", move_to="Done")):
        await here(pool, 1)

        async def told() -> bool:
            return bool(metrics.messages.labels("care", "unmarked")._value.get())

        await eventually(told, within=60)
        await asyncio.to_thread(dovecot.create, user, "Done")
        await asyncio.to_thread(dovecot.deliver, user, numbered(2))
        await marked(dovecot, user, "", "", folder="Done")
    assert await pool.fetchval("select count(*) from mail") == 2


async def test_a_line_that_is_cut_between_commit_and_flag_loses_and_doubles_nothing(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool
):
    dovecot.deliver(user, numbered(1), numbered(2))
    async with Wire(dovecot.port) as wire:
        wire.cut_at = b"STORE"
        async with reading(settings(port=wire.port)):
            await marked(dovecot, user, "\\Seen", "\\Seen")
            await noted(pool)
        assert wire.cuts == 1
    assert await pool.fetchval("select count(*) from interaction") == 2


async def test_a_server_killed_between_commit_and_flag_goes_on_where_it_was(
    dovecot: Dovecot, user: str, log: ContactLog, pool: Pool, database: str, tmp_path: Path
):
    dovecot.deliver(user, numbered(1), numbered(2))
    async with Wire(dovecot.port) as wire:
        config = tmp_path / "callcenter.toml"
        config.write_text(
            f'[[imap]]\nname = "care"\nhost = "127.0.0.1"\nport = {wire.port}\nsecurity = "none"\nuser = "{user}"\n'
            'password_env = "CARE_PASSWORD"\n'
        )
        environ = os.environ | {
            "CALLCENTER_CONFIG": str(config), "CARE_PASSWORD": PASSWORD, "CALLCENTER_DATABASE_URL": database,
            "CALLCENTER_HTTP_PORT": "0", "CALLCENTER_AGI_PORT": "0", "CALLCENTER_NODE_NAME": "one",
        }  # fmt: skip
        command = [str(Path(sys.executable).with_name("callcenter")), "serve"]

        async def serve() -> asyncio.subprocess.Process:
            quiet = asyncio.subprocess.DEVNULL
            return await asyncio.create_subprocess_exec(*command, env=environ, stdout=quiet, stderr=quiet)

        first = await serve()
        wire.when_cut = lambda: first.send_signal(signal.SIGKILL)
        wire.cut_at = b"STORE"
        await first.wait()
        assert wire.cuts == 1
        assert await pool.fetchval("select count(*) from mail") == 2
        assert dovecot.flags(user) == ["", ""]
        second = await serve()
        try:
            await marked(dovecot, user, "\\Seen", "\\Seen")
        finally:
            second.terminate()
            await second.wait()
    assert await pool.fetchval("select count(*) from interaction") == 2
    assert await pool.fetchval("select count(*) from ticket") == 2


async def test_a_message_that_came_by_another_way_too_is_only_flagged(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, log: ContactLog, pool: Pool, metrics: ImapMetrics
):
    await Intake(log, clock=lambda: NOW).receive(numbered(1))
    dovecot.deliver(user, numbered(1))
    async with reading(settings()):
        await marked(dovecot, user, "\\Seen")
    assert metrics.messages.labels("care", "known")._value.get() == 1
    assert await pool.fetchval("select count(*) from interaction") == 1


async def test_a_folder_that_was_made_again_is_read_anew(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool, metrics: ImapMetrics
):
    dovecot.create(user, "Support")
    dovecot.deliver(user, numbered(1), numbered(2), numbered(3), folder="Support")
    async with reading(settings(folder="Support")):
        await here(pool, 3)
        await noted(pool)
    dovecot.begin_anew(user, "Support", numbered(4))
    dovecot.deliver(user, numbered(1), folder="Support")
    async with reading(settings(folder="Support")):
        await here(pool, 4)
        await marked(dovecot, user, "\\Seen", "\\Seen", folder="Support")
    assert metrics.messages.labels("care", "known")._value.get() == 1


async def test_a_server_that_restarts_is_connected_to_again(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool
):
    dovecot.deliver(user, numbered(1))
    async with reading(settings()):
        await here(pool, 1)
        dovecot.stop()
        dovecot.start()
        await asyncio.to_thread(dovecot.deliver, user, numbered(2))
        await here(pool, 2)


async def test_a_line_that_dies_without_a_word_is_noticed(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool
):
    dovecot.deliver(user, numbered(1))
    async with Wire(dovecot.port) as wire, reading(settings(port=wire.port, poll_seconds=5)):
        await marked(dovecot, user, "\\Seen")
        wire.mute()
        await asyncio.to_thread(dovecot.deliver, user, numbered(2))

        async def second() -> bool:
            return bool(await pool.fetchval("select count(*) = 2 from mail"))

        await eventually(second, within=90)


async def test_a_mailbox_that_is_broken_does_not_hold_up_the_others(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool, metrics: ImapMetrics
):
    dovecot.deliver(user, numbered(1))
    dovecot.deliver(f"{user}-sales", numbered(2))
    broken = settings(name="broken", password=SecretStr("wrong"))
    sales = settings(name="sales", user=f"{user}-sales")
    async with reading(broken, settings(), sales):
        await here(pool, 2)
        assert metrics.connected.labels("broken")._value.get() == 0
        assert metrics.connected.labels("sales")._value.get() == 1


async def test_one_node_of_several_reads_and_another_takes_over(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool
):
    dovecot.deliver(user, numbered(1))
    who = "select n.name from imap_mailbox b left join node n on n.id = b.reader_id"
    async with reading(settings(), node="one"):
        await here(pool, 1)
        async with reading(settings(), node="two"):
            assert await pool.fetchval(who) == "one"
    assert await pool.fetchval(who) is None
    async with reading(settings(), node="two"):
        await asyncio.to_thread(dovecot.deliver, user, numbered(2))
        await here(pool, 2)
        assert await pool.fetchval(who) == "two"


async def test_without_a_database_the_mailbox_is_not_touched(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, log: ContactLog, pool: Pool, database: str
):
    wire = DatabaseWire(database)
    await wire.open()
    async with await connect_pool(wire.dsn, min_size=1, max_size=3) as cut_off:
        async with reading(settings(), log=ContactLog(cut_off)):
            await eventually(lambda: pool.fetchval("select reader_id is not null from imap_mailbox"))
            wire.cut()
            await asyncio.to_thread(dovecot.deliver, user, numbered(1))
            await eventually(lambda: pool.fetchval("select lease_until < now() + interval '55 s' from imap_mailbox"))
            assert await asyncio.to_thread(dovecot.flags, user) == [""]
            await wire.open()
            await here(pool, 1)
            await marked(dovecot, user, "\\Seen")
        await noted(pool)
    wire.cut()
    assert await pool.fetchval("select count(*) from interaction") == 1


async def test_what_has_no_place_here_stays_and_holds_nothing_up(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool, metrics: ImapMetrics
):
    dovecot.deliver(user, numbered(1, To="who@elsewhere.example"), numbered(2))
    async with reading(settings(address=None)):
        await here(pool, 1)
        await marked(dovecot, user, "", "\\Seen")
    assert metrics.messages.labels("care", "refused")._value.get() == 1
    async with reading(settings()):  # and once its place is known it comes
        await here(pool, 2)


async def test_of_a_message_beyond_the_limit_the_beginning_is_kept(
    dovecot: Dovecot, user: str, settings: Make, reading: Reading, pool: Pool
):
    huge = numbered(1) + b"x" * (intake.LARGEST + 1)
    await asyncio.to_thread(dovecot.deliver, user, huge, numbered(2))
    async with reading(settings(after="delete")):
        await here(pool, 2)
        await marked(dovecot, user, "")  # the only whole one
    text = await pool.fetchval("select text from message order by id limit 1")
    assert "more than the 50 MB" in text
    assert await pool.fetchval("select octet_length(raw) < 100000 from mail order by id limit 1")


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_the_line_is_encrypted_and_its_server_known(
    dovecot: Dovecot, user: str, settings: Make, security: str, monkeypatch: pytest.MonkeyPatch
):
    port = dovecot.tls_port if security == "tls" else dovecot.port
    found = await complaints(settings(security=security, port=port))
    assert "certificate" in found[0]
    monkeypatch.setenv("SSL_CERT_FILE", dovecot.certificate)
    assert await complaints(settings(security=security, port=port)) == []


async def test_what_is_wrong_with_a_mailbox_is_said_in_words(dovecot: Dovecot, user: str, settings: Make):
    assert await complaints(settings()) == []
    wrong = {
        "the log-in was refused": settings(password=SecretStr("wrong")),
        "the folder Nowhere cannot be opened": settings(folder="Nowhere"),
        "there is no folder Done": settings(after="move", move_to="Done"),
        "refused": settings(port=1),
    }
    for words, one in wrong.items():
        found = await complaints(one)
        assert words in "\n".join(found), found
