"""config/asterisk loads unchanged into the oldest and the newest Asterisk that it promises."""

import re
from collections.abc import Iterator

import pytest

from tests.telephony.lab.debian import Unavailable
from tests.telephony.lab.instance import SAMPLE, SECRET, Instance
from tests.telephony.lab.tree import NEWEST, OLDEST, default_cache, fetch
from tests.telephony.pbx import make_instance, remove
from tests.telephony.peers import AgiServer, Manager, Session
from tests.telephony.phones import Telephones

DIALPLAN = SAMPLE / "extensions_callcenter.conf"
CONTEXTS = {
    "callcenter-inbound", "callcenter-clean", "callcenter-fallback", "callcenter-answered", "callcenter-notice",
    "callcenter-callback",
}  # fmt: skip


@pytest.fixture(scope="module", params=[OLDEST, NEWEST], ids=["16", "newest"])
def instance(request: pytest.FixtureRequest) -> Iterator[Instance]:
    """An Asterisk of its own, with the sample included."""
    try:
        tree = fetch(default_cache(), request.param)
    except Unavailable as error:
        if request.param == OLDEST:
            pytest.skip(f"the mirror no longer carries Asterisk 16: {error}")
        raise
    instance = make_instance()
    try:
        instance.start(tree)
        yield instance
    finally:
        remove(instance)


def test_the_sample_is_read_without_a_complaint(instance):
    for name in ("extensions_callcenter.conf", "manager_callcenter.conf"):
        assert (instance.directory / "etc/callcenter" / name).read_bytes() == (SAMPLE / name).read_bytes()
    complaints = [line for line in instance.log.splitlines() if re.search(r"(WARNING|ERROR)\[", line)]
    assert not [line for line in complaints if re.search(r"callcenter|pbx_config|pbx\.c|manager|config\.c", line)]


def test_every_context_of_the_sample_is_there(instance):
    for context in CONTEXTS:
        assert f"Context '{context}' created by 'pbx_config'" in instance.cli(f"dialplan show {context}")


def test_every_application_and_function_of_the_sample_exists(instance):
    text = "\n".join(
        line for line in (SAMPLE / "extensions_callcenter.conf").read_text().splitlines() if line[:1] != ";"
    )
    steps = set(re.findall(r"(?m)^(?:exten =>[^,]*,[^,]*|\s*same => n(?:\(\w+\))?),([A-Za-z]+)\(", text))
    for application in steps | {"StartMusicOnHold", "Ringing", "Queue"}:
        assert "not registered" not in instance.cli(f"core show application {application}"), application
    for function in set(re.findall(r"\$\{([A-Z]+)\(", text)) | {"CALLERID"}:
        assert "No function by that name" not in instance.cli(f"core show function {function}"), function


async def test_the_servers_account_does_what_the_server_needs_and_no_more(instance):
    async with Manager(instance.ports.ami, user="callcenter", secret=SECRET) as server:
        for action, fields in {
            "Ping": {},
            "CoreSettings": {},
            "CoreStatus": {},
            "CoreShowChannels": {},
            "DeviceStateList": {},
            "Status": {},
            "Originate": {"Channel": "Local/1@nowhere", "Application": "Wait", "Data": "1", "Async": "true"},
        }.items():
            answer = await server.act(action, **fields)
            assert answer["Response"] == "Success", answer
        for action, fields in {
            "Redirect": {"Channel": "x", "Context": "callcenter-inbound", "Exten": "1", "Priority": "1"},
            "Hangup": {"Channel": "x"},
            "Getvar": {"Channel": "x", "Variable": "CC_DONE"},
            "Setvar": {"Channel": "x", "Variable": "CC_DONE", "Value": "1"},
            "Atxfer": {"Channel": "x", "Exten": "1", "Context": "callcenter-inbound"},
            "BlindTransfer": {"Channel": "x", "Exten": "1", "Context": "callcenter-inbound"},
            "CancelAtxfer": {"Channel": "x"},
            "ControlPlayback": {"Channel": "x", "Control": "stop"},
        }.items():
            answer = await server.act(action, **fields)
            assert "permission" not in answer["Message"].lower(), answer
        for action, fields in {
            "Command": {"Command": "core show version"},
            "GetConfig": {"Filename": "manager.conf"},
            "UpdateConfig": {"SrcFilename": "manager.conf"},
            "ModuleLoad": {"Module": "app_system.so", "LoadType": "load"},
        }.items():
            assert (await server.act(action, **fields))["Message"] == "Permission denied"


async def test_the_servers_account_hears_of_calls_and_phones_and_is_spared_the_rest(instance):
    async def serve(session: Session) -> None:
        if session.request.startswith("inbound"):
            await session.command("EXEC Answer ,i")
            await session.command("SET MUSIC ON default")
            await session.command('EXEC Dial "PJSIP/1001,10,U(callcenter-answered^1)"')
            await session.command("SET VARIABLE CC_DONE 1")

    phones = Telephones(pbx=instance.ports.sip, provider=instance.ports.trunk)
    async with (
        Manager(instance.ports.ami, user="callcenter", secret=SECRET) as server,
        AgiServer(instance.ports.agi[0], serve),
        phones.agent("1001", talk=0.5),
        phones.customer() as customer,
    ):
        assert await customer.ended() == 0
        await server.event("Hangup", Channel="PJSIP/trunk-.*")
        kinds = {event["Event"] for event in server.events}
    assert kinds >= {"Newchannel", "DialBegin", "DialEnd", "BridgeEnter", "BridgeLeave", "Hangup", "MusicOnHoldStart"}
    assert kinds >= {"ContactStatus", "DeviceStateChange"}
    assert not kinds & {"VarSet", "Newexten", "RTCPSent", "RTCPReceived", "AGIExecStart", "AGIExecEnd", "TestEvent"}


async def test_nobody_logs_in_to_the_account_before_it_has_a_secret():
    instance = make_instance(CALLCENTER_SECRET="; none yet")
    try:
        instance.start(fetch(default_cache(), NEWEST))
        for secret in ("", "callcenter"):
            with pytest.raises(PermissionError, match="Authentication failed"):
                await Manager(instance.ports.ami, user="callcenter", secret=secret).__aenter__()
    finally:
        remove(instance)
