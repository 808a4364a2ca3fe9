"""The log on a socket: in order, complete, resumable, and never held up by one that does not read."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from callcenter.actions import interactions, users
from callcenter.domain.events import Cursor
from callcenter.web import stream
from tests.web.conftest import Doors, SignIn


async def follow(doors: Doors, who: str, after: str | None = None) -> ClientWebSocketResponse:
    query = "" if after is None else f"?after={after}"
    headers = {"Authorization": f"Bearer {doors.tokens[who]}"}
    clients = doors.client.server.app[stream.STREAMS].clients  # type: ignore[attr-defined]
    before = len(clients)
    socket = await doors.client.ws_connect(f"/api/v1/stream{query}", headers=headers)
    if after is None:
        await until(lambda: len(clients) > before)
    return socket


async def take(socket: ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        return [await socket.receive_json() for _ in range(count)]


async def closed_with(socket: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(20):
        message = await socket.receive()
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED), message
    return socket.close_code


async def joined(doors: Doors) -> None:
    """Waits until the last connection gets what the feed delivers."""
    streams = doors.client.server.app[stream.STREAMS]  # type: ignore[attr-defined]
    await until(lambda: streams.clients and len(streams._joined) == len(streams.clients))


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_events_come_as_the_surface_has_them(doors: Doors) -> None:
    await doors.deliver()
    socket = await follow(doors, "sue")
    await joined(doors)
    ident = await doors.arrive()
    await doors.offer(ident, "amy")
    await doors.deliver()
    arrived, queued, presence, reserved, *_ = await take(socket, 5)
    assert [arrived["kind"], queued["kind"], presence["kind"]] == [
        "interaction.arrived", "interaction.queued", "agent.presence",
    ]  # fmt: skip
    assert set(arrived) >= {
        "cursor", "seq", "at", "kind", "interaction", "customer", "agent", "queue", "ticket", "version", "data",
    }  # fmt: skip
    assert (arrived["interaction"], arrived["queue"], arrived["at"]) == (ident, "support", "2026-03-10T08:30:00Z")
    assert arrived["data"]["external_id"] == "default/0"
    assert (reserved["agent"], reserved["data"]["reason"]) == ("amy", "longest_idle")
    assert isinstance(reserved["data"]["reservation"], int)


async def test_a_reader_that_comes_back_gets_each_event_once(doors: Doors) -> None:
    for _ in range(20):
        await doors.arrive()
    await doors.deliver()
    socket = await follow(doors, "sue")
    await joined(doors)
    seen: list[dict[str, Any]] = []
    more = asyncio.create_task(_keep_arriving(doors, 60))
    seen += await take(socket, 7)
    for _ in range(5):
        await socket.close()
        socket = await follow(doors, "sue", seen[-1]["cursor"])
        seen += await take(socket, 9)
    await more
    seen += await take(socket, 2 * 60 - len(seen))
    expected = await doors.log.pool.fetch(
        "select seq from contact_log where kind like 'interaction.%' order by epoch, xid, seq offset 40"
    )
    assert [event["seq"] for event in seen] == [row["seq"] for row in expected]


async def _keep_arriving(doors: Doors, count: int) -> None:
    for _ in range(count):
        await doors.arrive()
        await doors.feed.read()
    await doors.deliver()


async def test_a_long_absence_is_caught_up_page_by_page(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_PAGE", 7)
    await doors.deliver()
    first = str(doors.feed.cursor)
    for _ in range(25):
        await doors.arrive()
    await doors.deliver()
    socket = await follow(doors, "sue", first)
    events = await take(socket, 50)
    assert len({event["seq"] for event in events}) == 50


@pytest.mark.parametrize(
    "cursor", ["", "x", "1-2-3", "1-0-0", "-1-2-3", "9-9-9", "1-ffffffffffffffffffff-1", "7f-1-7fffffffffffffff"]
)
async def test_a_cursor_that_is_none_of_this_log_gets_4410(doors: Doors, cursor: str) -> None:
    await doors.arrive()
    await doors.deliver()
    assert await closed_with(await follow(doors, "sue", cursor)) == 4410


async def test_a_cursor_older_than_the_log_gets_4410(doors: Doors) -> None:
    await doors.arrive()
    await doors.deliver()
    old = doors.feed.cursor
    await doors.log.pool.execute("delete from contact_log")
    await doors.arrive()
    await doors.deliver()
    assert await closed_with(await follow(doors, "sue", str(old))) == 4410
    beginning = str(Cursor(old.epoch, old.xid - 1, 2**63 - 1))
    assert await closed_with(await follow(doors, "sue", beginning)) == 4410


async def test_agents_see_what_concerns_them(doors: Doors) -> None:
    await doors.deliver()
    amy, bo = await follow(doors, "amy"), await follow(doors, "bo")
    await joined(doors)
    reservation = await doors.offer(await doors.arrive(), "amy")
    await interactions.answer(doors.log, reservation, now=doors.clock())
    await doors.offer(await doors.arrive(), "bo")
    await doors.deliver()
    hers = await take(amy, 6)
    assert {event["agent"] for event in hers} == {"amy"}
    assert "interaction.answered" in [event["kind"] for event in hers]
    assert {event["agent"] for event in await take(bo, 3)} == {"bo"}


async def test_one_that_does_not_read_is_dropped_and_holds_nobody_up(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_MOST_WAITING", 50)
    monkeypatch.setattr(stream, "_CLOSE_WITHIN", 0.05)
    await doors.deliver()
    good = await follow(doors, "sue")
    await joined(doors)
    streams = doors.client.server.app[stream.STREAMS]  # type: ignore[attr-defined]
    [client] = streams.clients
    before = len(streams.clients)
    bad = await follow(doors, "sue")
    await joined(doors)
    assert len(streams.clients) == before + 1
    [stalled] = set(streams.clients) - {client}
    # Its socket takes no more than the buffers of the two machines; then events wait until there are too many.
    big = b'"' + b"x" * 1_000_000 + b'"'
    async with asyncio.timeout(20):
        for number in range(200):
            stalled.put(Cursor(1, doors.feed.cursor.xid + 1, number), big)
            await asyncio.sleep(0)
        await stalled.overflown.wait()
    await until(lambda: stalled not in streams.clients)
    await bad.close()
    await doors.arrive()
    await doors.deliver()
    assert [event["kind"] for event in await take(good, 2)] == ["interaction.arrived", "interaction.queued"]


async def test_other_sites_and_strangers_get_no_stream(doors: Doors, sign_in: SignIn) -> None:
    async def connect(**headers: str) -> int:
        try:
            socket = await doors.client.ws_connect("/api/v1/stream", headers=headers)
        except WSServerHandshakeError as error:
            return error.status
        await socket.close()
        return 101

    assert await connect() == 401
    await sign_in("amy")
    own = str(doors.client.make_url("")).rstrip("/")
    assert await connect() == 403
    assert await connect(Origin="https://evil.example") == 403
    assert await connect(Origin="null") == 403
    assert await connect(Origin=own) == 101


async def test_a_stream_ends_when_its_session_does(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_CHECK_EVERY", 0.05)
    socket = await follow(doors, "amy")
    await joined(doors)
    await doors.log.pool.execute("delete from token where user_id = $1", doors.ids["amy"])
    assert await closed_with(socket) == 4401


async def test_a_user_has_a_limited_number_of_streams(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_MOST_OF_ONE_USER", 2)
    for _ in range(2):
        await follow(doors, "amy")
        await joined(doors)
    with pytest.raises(WSServerHandshakeError) as caught:
        await follow(doors, "amy")
    assert caught.value.status == 429


async def test_a_stop_of_the_server_tells_its_readers(doors: Doors) -> None:
    socket = await follow(doors, "amy")
    await joined(doors)
    app = doors.client.server.app  # type: ignore[attr-defined]
    closing = asyncio.create_task(stream.close_streams(app))
    assert await closed_with(socket) == 1012
    await closing


async def test_no_frame_holds_a_name_or_a_number_of_a_customer(doors: Doors) -> None:
    await doors.deliver()
    socket = await follow(doors, "sue")
    await joined(doors)
    customer = await (await doors.call("amy", "POST", "/api/v1/customers", json={"name": "陈艾米"})).json()
    ident = await doors.arrive()
    await interactions.identify(doors.log, ident, customer=customer["id"], actor=doors.ids["amy"], now=doors.clock())
    await users.set_language(doors.log, doors.ids["amy"], language="en", now=doors.clock())
    await doors.deliver()
    text = str(await take(socket, 5))
    assert "陈" not in text
    assert "138" not in text
