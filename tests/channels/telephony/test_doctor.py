"""What `callcenter check` says about a PBX; and pyst2, an independent client, gets on with the fake PBX."""

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest
from asterisk.manager import Manager

from channels.telephony import doctor
from channels.telephony.fakepbx import FakePbx

SAMPLE = Path(__file__).parents[3] / "config" / "asterisk"
# pyst2 uses names of threading that Python 3.10 deprecated, in its own threads too
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Pyst2(Manager):  # type: ignore[misc]
    def __del__(self):
        """pyst2 would log off here, from whatever thread collects it."""


@pytest.fixture
async def pbx():
    pbx = FakePbx(agi=("127.0.0.1", 1), patience=0.0)
    pbx.phone("PJSIP/1001")
    await pbx.start()
    yield pbx
    await pbx.stop()


async def check(pbx, **changes):
    given = {"host": "127.0.0.1", "port": pbx.ami_port, "user": pbx.user, "secret": pbx.secret, **changes}
    return [str(finding) for finding in await doctor.check_pbx(**given)]


async def test_a_pbx_that_is_set_up_right_is_without_finding(pbx):
    assert await check(pbx, endpoints=["PJSIP/1001", "Local/7@agents"]) == []


async def test_a_refused_log_in_is_told(pbx):
    (said,) = await check(pbx, secret="wrong")
    assert said.startswith("AMI log-in refused for user callcenter: Authentication failed.")


async def test_a_closed_port_is_told(pbx):
    port = pbx.ami_port
    await pbx.stop()
    (said,) = await check(pbx, port=port)
    assert "cannot be reached: Connect" in said


async def test_a_pbx_that_does_not_answer_is_told_in_time(pbx):
    pbx.freeze()
    (said,) = await check(pbx, timeout=0.1)
    assert "accepts the connection and does not answer (greeting)" in said


async def test_a_pbx_that_dies_meanwhile_is_told(pbx):
    pbx.denied_actions = frozenset()
    pbx.loop.call_later(0.02, pbx.drop_ami)
    pbx.loop.call_later(0.01, pbx.freeze)
    said = await check(pbx, timeout=2)
    pbx.thaw()
    assert len(said) <= 1


async def test_missing_contexts_and_endpoints_are_named(pbx):
    pbx.contexts.discard("callcenter-answered")
    said = await check(pbx, endpoints=["PJSIP/1001", "PJSIP/1002"])
    assert [line.partition(".")[0] for line in said] == [
        "The dialplan has no context callcenter-answered",
        "The PBX has no endpoint PJSIP/1002, which an agent of the organisation has",
    ]


async def test_missing_rights_are_named(pbx):
    pbx.denied_actions = pbx.denied_actions | {"redirect", "originate"}
    (said,) = await check(pbx)
    assert said.startswith("AMI user callcenter may not run Redirect, Originate.")


async def test_an_old_asterisk_is_named(pbx):
    pbx.version = "13.38.3"
    (said,) = await check(pbx)
    assert said == "Asterisk 13.38.3 is too old. Asterisk 16 or later is needed."


async def test_missing_event_filters_are_named_where_the_account_may_read_files(pbx):
    pbx.denied_actions = frozenset()
    filters = [f"eventfilter=!Event: {name}" for name in doctor.UNREAD_EVENTS]
    pbx.config_files["manager.conf"] = {"general": ["enabled=yes"], "callcenter": ["secret=x", *filters[1:]]}
    (said,) = await check(pbx)
    assert "eventfilter = !Event: RTCPSent" in said
    pbx.config_files["manager.conf"]["callcenter"] = ["secret=x", *filters]
    assert await check(pbx) == []


async def test_a_line_break_in_the_secret_is_refused_before_pyst2_sends_it(pbx):
    assert await check(pbx, secret="x\r\nAction: Hangup") == ["The AMI user or secret has a line break in it."]


async def test_pyst2_logs_in_to_the_fake_and_reads_it(pbx):
    heard = []

    def use():
        manager = Pyst2()
        manager.register_event("Newchannel", lambda event, _: heard.append(event.get_header("CallerIDNum")))
        manager.connect("127.0.0.1", pbx.ami_port)
        manager.login(pbx.user, pbx.secret)
        title, pong = manager.title, manager.ping().get_header("Ping")
        asyncio.run_coroutine_threadsafe(pbx.call(caller="+8613800138000", to="95500"), loop).result(2)
        status = manager.send_action({"Action": "CoreStatus"}).get_header("CoreCurrentCalls")
        with contextlib.suppress(ValueError):  # its reader may close the file before its writer has flushed
            manager.close()
        return title, pong, status

    loop = asyncio.get_running_loop()
    assert await asyncio.to_thread(use) == ("Asterisk Call Manager", "Pong", "1")
    assert heard == ["+8613800138000"]


@pytest.fixture
def etc(tmp_path):
    """The configuration that the sample's README describes."""
    for path in SAMPLE.glob("*.conf"):
        shutil.copy(path, tmp_path)
    (tmp_path / "manager.conf").write_text(
        "[general]\nenabled = yes ; AMI\nbindaddr = 127.0.0.1\n;-- a comment\nover lines --;\n;------------\n"
        "#include manager_callcenter.conf\n[callcenter](+)\nsecret = word\n;--------- the end --;\n"
    )
    (tmp_path / "extensions.conf").write_text(
        '[globals]\nCALLCENTER_PBX = default\n#include "extensions_callcenter.conf"\n'
        "[from-trunk]\nexten => _[+0-9]!,1,Goto(callcenter-inbound,${EXTEN},1)\n"
    )
    return tmp_path


def complaints(directory):
    return [str(finding) for finding in doctor.check_files(directory)]


def change(path, old, new):
    path.write_text(path.read_text().replace(old, new))


def test_files_as_the_readme_says_are_without_finding(etc):
    assert complaints(etc) == []


def test_missing_files_are_named(tmp_path):
    assert [line.partition(" ")[0] for line in complaints(tmp_path)] == [
        str(tmp_path / "manager.conf"),
        str(tmp_path / "extensions.conf"),
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("manager.conf", "enabled = yes", "enabled = no", "does not switch AMI on"),
        ("manager.conf", "bindaddr = 127.0.0.1", "bindaddr = 0.0.0.0", "opens AMI on every address"),
        ("manager.conf", "#include manager_callcenter.conf", "", "lacks read = system,call,user,dtmf"),
        ("manager.conf", "[callcenter](+)\nsecret = word\n", "", "has no secret"),
        ("manager.conf", "callcenter", "other", "has no account callcenter"),
        ("manager_callcenter.conf", ",originate", "", "lacks write = originate"),
        ("manager_callcenter.conf", "eventfilter = !Event: VarSet", "", "gets events that nobody reads"),
        ("extensions.conf", '#include "extensions_callcenter.conf"', "", "has no context callcenter-inbound"),
        ("extensions.conf", "Goto(callcenter-inbound,${EXTEN},1)", "Hangup()", "leads no caller"),
    ],
)
def test_what_is_missing_in_the_files_is_named_with_what_to_add(etc, name, old, new, said):
    change(etc / name, old, new)
    found = complaints(etc)
    assert any(said in line for line in found), found


def test_files_that_include_each_other_come_to_an_end(etc):
    with (etc / "manager_callcenter.conf").open("a") as file:
        file.write("\n#include manager.conf\n")
    assert complaints(etc) == []
