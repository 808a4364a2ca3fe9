"""A thousand messages at once while calls come in: what the pops feel of them."""

import asyncio
import time
from collections.abc import Sequence

from tests.bench.calls import Bench, complete
from tests.bench.figures import Row, Target, Unit, paired, percentile
from tests.bench.ground import checkpoint, connected
from tests.bench.letters import HOUSE, Kind, corpus
from tests.bench.process import Failed
from tests.bench.rig import Seen, play
from tests.bench.servers import free_ports, product

_MAILS = 1_000
_RATE = 50  # calls a second
_DESKS = 200
_LINES = 20  # connections, as many as a Postfix opens
# What comes out of a message depends on no other: they come in any order.
_KINDS = (Kind.NEW, Kind.AUTOMATIC)


async def burst(bench: Bench) -> list[Row]:
    """Calls by themselves and calls with a burst of mail, in turn, at the same server."""
    seconds = 10 if bench.quick else 20
    (port,) = free_ports(1)
    settings = {"CALLCENTER_MAIL_LISTEN": "lmtp", "CALLCENTER_SMTP_PORT": str(port)}
    p50s, p99s, lengths = [], [], []
    async with product(bench.dsn, bench.folder, bench.staff, settings=settings) as server:

        async def calls(length: int) -> Seen:
            await checkpoint(bench.dsn)
            plan = bench.plan(_RATE * length, rate=_RATE, ring=0.2, talk=1.0)
            return await play(server, plan, bench.folder, desks=_DESKS)

        # What a process and its sessions do once is done with these.
        await calls(2)
        await _deliver(port, _mails(100, 0))
        for number in range(bench.rounds):
            mails = _mails(_MAILS, number + 1)
            before = await _kept(bench.dsn)
            alone = complete(await calls(seconds)).pops
            # The callers need a moment to begin; the mails come into the midst of them.
            seen, came = await asyncio.gather(calls(seconds), _amidst(bench.dsn, port, mails))
            beside = complete(seen).pops
            if (kept := await _kept(bench.dsn) - before) != _MAILS:
                raise Failed(f"of {_MAILS} messages {kept} were kept")
            p50s.append((percentile(alone, 0.5), percentile(beside, 0.5)))
            p99s.append((percentile(alone, 0.99), percentile(beside, 0.99)))
            lengths.append(came)
            bench.say(
                f"burst, round {number + 1}: p99 {p99s[-1][0]:.1f} ms alone, {p99s[-1][1]:.1f} ms beside the mail; "
                f"{came:.1f} s until the last message was in"
            )
    note = (
        f"{_RATE} calls/s, {_DESKS} agents, {_MAILS:,} messages by {_LINES} connections, in after {max(lengths):.0f} s"
    )
    what = "AGI request to pop beside a burst of mail"
    return [
        paired(f"{what}, p50", Unit.MS, p50s, note="floor: the same calls without mail"),
        paired(f"{what}, p99", Unit.MS, p99s, Target(1.5, ratio=True), note),
    ]


def _mails(count: int, run: int) -> list[bytes]:
    """No two runs have one in common."""
    items = [item for item in corpus(3 * count) if item.kind in _KINDS][:count]
    return [item.raw.replace(b"Message-ID: <", b"Message-ID: <%d-" % run) for item in items]


async def _amidst(dsn: str, port: int, mails: Sequence[bytes]) -> float:
    """Delivered once the calls have begun."""
    latest = "select max(id) from interaction"
    async with connected(dsn) as connection:
        before = await connection.fetchval(latest)
        while True:
            if await connection.fetchval(latest) >= before + _RATE:
                break
            await asyncio.sleep(0.1)  # the callers are another program, which tells nobody that it has begun
    return await _deliver(port, mails)


async def _deliver(port: int, mails: Sequence[bytes]) -> float:
    """All of them by LMTP; seconds until the last one is kept. Raises Failed when one is not taken."""
    waiting = iter(mails)

    async def line() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def say(words: bytes, code: bytes) -> None:
            writer.write(words)
            while True:
                answer = await reader.readline()
                if not answer.startswith(code):
                    raise Failed(f"the door for mail answers {answer!r}")
                if answer[3:4] != b"-":
                    return

        try:
            await say(b"", b"220")
            await say(b"LHLO mx.customer.example\r\n", b"250")
            for raw in waiting:
                await say(f"MAIL FROM:<customer@customer.example> SIZE={len(raw)}\r\n".encode(), b"250")
                await say(f"RCPT TO:<{HOUSE}>\r\n".encode(), b"250")
                await say(b"DATA\r\n", b"354")
                await say(raw.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n", b"250")
        finally:
            writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*[line() for _ in range(_LINES)])
    return time.perf_counter() - begun


async def _kept(dsn: str) -> int:
    async with connected(dsn) as connection:
        count: int = await connection.fetchval("select count(distinct interaction_id) from mail")
    return count
