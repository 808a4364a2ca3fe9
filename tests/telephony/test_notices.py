"""A notice read out over a real Asterisk's own sounds, and the key that acknowledges it."""

from pathlib import Path

from tests.telephony.peers import Manager
from tests.telephony.product import Centre, Stream, command

# The lab's people: a Local channel whose other end presses the key after two seconds.
POLICY = """
[[users]]
name = "amy"
full_name = "Amy Chen"
role = "agent"
endpoint = "PJSIP/1001"
phone = "Local/{key}@people"
notify = ["phone"]
[[sla_policies]]
name = "all"
resolution = "1s"
escalations = [{{ clock = "resolution", at = "+0m", actions = [{{ notify = "owner" }}] }}]
"""


async def _escalate(centre: Centre, folder: Path, key: str) -> int:
    file = folder / "policy.toml"
    file.write_text(POLICY.format(key=key))
    await command(centre.dsn, "apply", str(file))
    ticket = await centre.call("POST", "/tickets", {"subject": "No hot water", "owner": "amy"})
    return int(ticket["id"])


async def test_a_key_acknowledges_what_the_pbx_reads_out(
    open_centre: Centre, stream: Stream, manager: Manager, tmp_path: Path
):
    ticket = await _escalate(open_centre, tmp_path, "1")
    await stream.event("ticket.escalated", ticket=ticket)
    began = await manager.event("Newchannel", within=10)
    assert began["Channel"].startswith("Local/1@people")
    seen = await stream.event("notice.seen", ticket=ticket, within=20)
    assert seen["agent"] == "amy"
    [notice] = (await open_centre.call("GET", "/notices", by="amy"))["items"]
    assert notice["call"] == "acknowledged"
    await manager.event("Hangup", within=10)


async def test_another_key_acknowledges_nothing(open_centre: Centre, stream: Stream, manager: Manager, tmp_path: Path):
    ticket = await _escalate(open_centre, tmp_path, "2")
    await stream.event("ticket.escalated", ticket=ticket)
    await manager.event("Hangup", within=40)
    [notice] = (await open_centre.call("GET", "/notices", by="amy"))["items"]
    assert (notice["call"], notice["seen_at"]) == ("waiting", None)
