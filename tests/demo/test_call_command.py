"""`callcenter call` plays a caller, tells what happens, and says in its exit code whether the server took it."""

import argparse
from datetime import timedelta

import pytest
import structlog

from callcenter.commands import call
from callcenter.settings import Settings
from channels.telephony import agi
from channels.telephony.fastagi import AgiSession, HungUp, serve_agi


def given(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    call.register(parser.add_subparsers())
    return parser.parse_args(["call", "--from", "+8613800138000", "--to", "95500", *arguments])


@pytest.fixture
async def centre():
    """A server that dials one telephone as soon as somebody calls."""
    heard = []

    async def handle(session: AgiSession) -> None:
        if session.path == "/answered":
            await session.finish()
            return
        heard.append(dict(session.environment))
        try:
            await session.command(agi.answer())
            await session.command(agi.music_on())
            dial = agi.dial("PJSIP/1001", timeout=timedelta(seconds=10), options="tTg", answered="7")
            await session.command(dial)
        except HungUp:
            pass
        await session.finish()

    server = await serve_agi(
        handle, host="127.0.0.1", port=0, allowed=lambda peer: True, max_connections=5, logger=structlog.get_logger()
    )
    yield server, heard
    server.close()
    server.abort_sessions()


async def test_a_call_is_told_from_waiting_to_its_end(centre, capsys):
    server, heard = centre
    arguments = given("--answer-after", "0.05", "--for", "0.5")
    assert await arguments.run(arguments, Settings(agi_port=server.port)) == 0
    said = capsys.readouterr().out
    for words in ("calls 95500", "waits; music plays", "PJSIP/1001 rings", "has answered", "the caller hangs up"):
        assert words in said
    assert heard[0]["callerid"] == "+8613800138000"
    assert heard[0]["extension"] == "95500"


async def test_a_caller_who_hangs_up_while_it_rings_has_talked_to_nobody(centre, capsys):
    server, _ = centre
    arguments = given("--answer-after", "60", "--for", "0.2")
    assert await arguments.run(arguments, Settings(agi_port=server.port)) == 0
    assert "without having talked" in capsys.readouterr().out


async def test_two_calls_of_one_second_have_different_names(centre):
    server, heard = centre
    for _ in range(2):
        arguments = given("--answer-after", "0", "--for", "0.1")
        await arguments.run(arguments, Settings(agi_port=server.port))
    assert len({environment["uniqueid"] for environment in heard}) == 2


async def test_without_a_server_it_says_so_and_fails(unused_tcp_port, capsys):
    arguments = given("--for", "5")
    assert await arguments.run(arguments, Settings(agi_port=unused_tcp_port)) == 1
    assert f"Nobody listens for AGI on 127.0.0.1:{unused_tcp_port}" in capsys.readouterr().err


def test_a_time_that_is_none_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        given("--for", "-3")
    assert stopped.value.code == 2
    assert "expected seconds" in capsys.readouterr().err
