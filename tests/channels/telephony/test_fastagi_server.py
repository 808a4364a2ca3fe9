"""The FastAGI server: sessions from the first byte to the last, and what a bad peer may cost."""

import asyncio
import socket

import pytest

from channels.telephony import agi
from channels.telephony.agi import GoneReason
from channels.telephony.fastagi import AgiSession, HungUp, serve_agi

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: inbound?pbx=default\nagi_uniqueid: 17.1\n"
    b"agi_channel: PJSIP/trunk-00000001\nagi_extension: 95500\n\n"
)


class Log:
    def __init__(self):
        self.lines = []

    def info(self, event, /, **fields):
        self.lines.append((event, fields))

    warning = error = info

    def named(self, event):
        return [fields for name, fields in self.lines if name == event]


class Peer:
    """Asterisk's end of one connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def line(self):
        async with asyncio.timeout(20):
            return (await self.reader.readline()).decode().rstrip("\n")

    async def expect(self, line, answer=None):
        assert await self.line() == line
        if answer is not None:
            await self.send(answer.encode() + b"\n")

    async def closed(self):
        async with asyncio.timeout(20):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


@pytest.fixture
async def serving():
    """`await serving(handler, …)` gives (server, log, connect)."""
    servers, peers = [], []

    async def start(handler, *, allowed=lambda host: True, max_connections=100, environment_timeout=5.0):
        log = Log()
        server = await serve_agi(
            handler,
            host="127.0.0.1",
            port=0,
            allowed=allowed,
            max_connections=max_connections,
            environment_timeout=environment_timeout,
            logger=log,
        )
        servers.append(server)

        async def connect(data=ENVIRONMENT):
            peer = Peer(*await asyncio.open_connection("127.0.0.1", server.port))
            peers.append(peer)
            await peer.send(data)
            return peer

        return server, log, connect

    yield start
    for server in servers:
        server.close()
        server.abort_sessions()
        async with asyncio.timeout(20):
            await server.wait_closed()
    for peer in peers:
        peer.writer.close()


async def nothing(session):
    await session.gone


async def test_a_session_runs_commands_and_ends_in_order(serving):
    seen: dict[str, object] = {}

    async def handler(session):
        seen.update(path=session.path, query=dict(session.query), peer=session.peer)
        seen["number"] = session.environment["extension"]
        await session.command(agi.answer())
        seen["value"] = (await session.command(agi.get_variable("X"))).text
        await session.finish()

    _, log, connect = await serving(handler)
    peer = await connect()
    await peer.expect("EXEC Answer ,i", "200 result=0")
    await peer.expect("GET VARIABLE X", "200 result=1 (42)")
    await peer.expect("SET VARIABLE CC_DONE 1", "200 result=1")
    assert await peer.closed()
    assert seen == {
        "path": "/inbound", "query": {"pbx": "default"}, "peer": "127.0.0.1", "number": "95500", "value": "42",
    }  # fmt: skip
    assert log.lines == []


async def test_a_hangup_is_told_once_to_all_who_wait(serving):
    told: list[object] = []
    done = asyncio.Event()

    async def handler(session):
        session.on_gone(told.append)
        told.append((await session.gone).reason)
        session.on_gone(lambda gone: told.append("late"))
        with pytest.raises(HungUp):
            await session.command(agi.music_off())
        told.append((await session.command(agi.get_variable("X"))).text)
        await session.finish()
        done.set()

    _, _, connect = await serving(handler)
    peer = await connect()
    await peer.send(b"HANGUP\n")
    await peer.expect("GET VARIABLE X", "200 result=1 (still)")
    await peer.expect("SET VARIABLE CC_DONE 1", "200 result=1")
    assert await peer.closed()
    assert [getattr(item, "reason", item) for item in told] == [GoneReason.HANGUP, GoneReason.HANGUP, "late", "still"]


@pytest.mark.parametrize(
    ("answer", "reason"), [("200 result=-1", GoneReason.FAILED), ("511 Command Not Permitted", GoneReason.DEAD_CHANNEL)]
)
async def test_a_reply_that_means_gone_raises_hung_up(serving, answer, reason):
    caught = asyncio.get_running_loop().create_future()

    async def handler(session):
        try:
            await session.command(agi.music_on())
        except HungUp as hung_up:
            caught.set_result((hung_up.reason, session.gone_reason))
        session.abort()

    _, _, connect = await serving(handler)
    peer = await connect()
    await peer.expect("SET MUSIC ON default", answer)
    assert await caught == (reason, reason)


async def test_the_end_of_the_connection_ends_the_command_in_flight_and_those_behind_it(serving):
    outcome = asyncio.get_running_loop().create_future()

    async def handler(session):
        commands = [session.command(agi.music_off()), session.command(agi.get_variable("X"))]
        outcome.set_result(await asyncio.gather(*commands, return_exceptions=True))

    _, _, connect = await serving(handler)
    peer = await connect()
    await peer.expect("SET MUSIC OFF")
    peer.writer.transport.abort()
    results = await outcome
    assert [getattr(result, "reason", None) for result in results] == [GoneReason.EOF, GoneReason.EOF]


async def test_commands_take_their_turn(serving):
    async def handler(session):
        await asyncio.gather(*(session.command(agi.get_variable(name)) for name in "ABC"))
        await session.finish()

    _, _, connect = await serving(handler)
    peer = await connect()
    for name in "ABC":
        await peer.expect(f"GET VARIABLE {name}")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await peer.reader.readline()
        await peer.send(b"200 result=0\n")
    await peer.expect("SET VARIABLE CC_DONE 1", "200 result=1")


async def test_the_late_reply_of_a_timed_out_command_is_not_taken_for_the_next(serving):
    got = asyncio.get_running_loop().create_future()

    async def handler(session):
        with pytest.raises(TimeoutError):
            await session.command(agi.get_variable("SLOW"), timeout=0.01)
        next_reply = asyncio.ensure_future(session.command(agi.get_variable("NEXT")))
        await asyncio.sleep(0)
        await peer.send(b"200 result=1 (slow)\n")
        got.set_result((await next_reply).text)
        session.abort()

    _, _, connect = await serving(handler)
    peer = await connect()
    await peer.expect("GET VARIABLE SLOW")
    await peer.expect("GET VARIABLE NEXT", "200 result=1 (next)")
    assert await got == "next"


async def test_a_cancelled_wait_leaves_the_command_and_the_order_intact(serving):
    got = asyncio.get_running_loop().create_future()

    async def handler(session):
        first = asyncio.ensure_future(session.command(agi.get_variable("A")))
        second = asyncio.ensure_future(session.command(agi.get_variable("B")))
        third = asyncio.ensure_future(session.command(agi.get_variable("C")))
        await asyncio.sleep(0)
        first.cancel()
        second.cancel()
        got.set_result((await third).text)
        session.abort()

    _, _, connect = await serving(handler)
    peer = await connect()
    await peer.expect("GET VARIABLE A", "200 result=1 (a)")
    await peer.expect("GET VARIABLE C", "200 result=1 (c)")
    assert await got == "c"


async def test_a_handler_that_fails_is_logged_with_ids_and_the_dialplan_asks_again(serving):
    async def handler(session):
        raise ZeroDivisionError("boom")

    _, log, connect = await serving(handler)
    peer = await connect()
    assert await peer.closed()
    (fields,) = log.named("agi.handler_failed")
    assert (fields["uniqueid"], str(fields["exc_info"])) == ("17.1", "boom")


async def test_finish_gives_up_on_a_pbx_that_does_not_answer(serving):
    async def handler(session):
        await session.finish(timeout=0.02)

    _, _, connect = await serving(handler)
    peer = await connect()
    await peer.expect("SET VARIABLE CC_DONE 1")
    assert await peer.closed()


async def test_at_a_stop_only_who_writes_down_a_callers_end_may_finish(serving):
    told: list[str] = []
    begun: asyncio.Queue[AgiSession] = asyncio.Queue()

    async def handler(session):
        begun.put_nowait(session)
        try:
            await asyncio.shield(session.gone)
            await asyncio.sleep(0)
            told.append("written")
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    server, _, connect = await serving(handler)
    waiting = await connect()
    await begun.get()
    await connect(ENVIRONMENT + b"HANGUP\n")
    leaving = await begun.get()
    await asyncio.shield(leaving.gone)
    await server.stop()
    assert sorted(told) == ["cancelled", "written"]
    assert await waiting.closed()


async def test_at_a_stop_a_handler_that_does_not_end_is_cancelled(serving):
    begun: asyncio.Queue[AgiSession] = asyncio.Queue()
    cancelled = asyncio.Event()

    async def handler(session):
        begun.put_nowait(session)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    server, _, connect = await serving(handler)
    peer = await connect(ENVIRONMENT + b"HANGUP\n")
    session = await begun.get()
    await asyncio.shield(session.gone)
    await server.stop(within=0.01)
    assert cancelled.is_set()
    assert await peer.closed()


async def test_an_address_that_is_not_allowed_is_refused_and_logged(serving):
    server, log, connect = await serving(nothing, allowed=lambda host: False)
    peer = await connect(b"")
    assert await peer.closed()
    assert log.named("agi.refused") == [{"peer": "127.0.0.1", "reason": "address not allowed"}]
    assert not server.sessions


async def test_connections_beyond_the_cap_are_refused_and_make_room_when_closed(serving):
    server, log, connect = await serving(nothing, max_connections=1)
    first = await connect()
    second = await connect(b"")
    assert await second.closed()
    assert log.named("agi.refused")[0]["reason"] == "too many connections"
    await first.send(b"HANGUP\n")
    assert await first.closed()
    async with asyncio.timeout(20):
        await server.wait_closed()
    third = await connect()
    await third.send(b"HANGUP\n")
    assert await third.closed()


@pytest.mark.parametrize("data", [b"", b"agi_network: yes\nagi_ca"])
async def test_a_silent_or_half_open_connection_is_closed_in_time(serving, data):
    server, log, connect = await serving(nothing, environment_timeout=0.03)
    peer = await connect(data)
    assert await peer.closed()
    assert log.named("agi.silent")
    assert not server.sessions


async def test_a_half_environment_with_an_end_starts_no_handler(serving):
    started = []

    async def handler(session):
        started.append(session)

    server, _, connect = await serving(handler)
    peer = await connect(b"agi_network: yes\n")
    peer.writer.write_eof()
    assert await peer.closed()
    assert not started
    assert not server.sessions


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00", b"\n\n", b"agi_a: " + b"x" * 70_000])
async def test_a_malformed_connection_is_closed_and_the_others_are_unharmed(serving, data):
    _, log, connect = await serving(nothing)
    good = await connect()
    bad = await connect(b"")
    bad.writer.write(data)
    assert await bad.closed()
    assert log.named("agi.malformed")
    await good.send(b"HANGUP\n")
    assert await good.closed()


async def test_a_peer_that_floods_lines_is_closed(serving):
    _, log, connect = await serving(nothing)
    peer = await connect()
    peer.writer.write(b"200 result=0\n" * 1000)
    assert await peer.closed()
    assert "nobody asked for" in log.named("agi.malformed")[0]["reason"]


async def test_accepted_connections_are_kept_alive_by_tcp(serving):
    options = asyncio.get_running_loop().create_future()

    async def handler(session):
        sock = session._transport.get_extra_info("socket")
        options.set_result(
            (
                sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            )
        )
        session.abort()

    _, _, connect = await serving(handler)
    await connect()
    assert await options == (1, 30)
