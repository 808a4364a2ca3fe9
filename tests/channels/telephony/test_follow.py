"""Open calls compared with what the PBX, or nobody, says of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from callcenter.actions import interactions
from callcenter.actions.surveys import FollowUp
from callcenter.domain.interaction import Arrival, Proposal
from callcenter.settings import PbxSettings
from callcenter.store import nodes
from callcenter.store.directory import Directory
from callcenter.store.pool import Pool
from channels.telephony.call import Call
from channels.telephony.follow import Follower
from channels.telephony.keypad import Keypad
from channels.telephony.switch import Switch
from channels.telephony.voice import Voice
from tests.builders import NOW, FakeWaits, Floor, arrive, later, make_floor, reserve


class NoConsoles:
    """callcenter.ports.Pops where nobody has a console."""

    def expect(self, arrival: Arrival, proposal: Proposal) -> None:
        raise AssertionError(arrival)

    async def written(self, reservation: int, agent: int) -> bool:
        return True


class NobodyFree:
    """callcenter.ports.Assigner where nobody is."""

    def propose(self, queue: int, channel: str) -> None:
        return None

    def withdraw(self, proposal: Proposal) -> None:
        raise AssertionError(proposal)


@dataclass
class Office:
    """A node whose settings name one PBX, hq, without AMI."""

    floor: Floor
    pool: Pool
    node: nodes.Node
    voice: Voice
    switch: Switch
    follower: Follower
    times: list[datetime] = field(default_factory=lambda: [NOW])

    async def conversation(self, external_id: str, *, pbx: str) -> int:
        ident = await arrive(self.floor.log, queue=self.floor.queue, node=self.node.id, external_id=external_id)
        await self.pool.execute("update interaction set pbx = $1 where id = $2", pbx, ident)
        await interactions.answer(
            self.floor.log, await reserve(self.floor.log, ident, self.floor.agent), now=NOW, leg="PJSIP/1001-1"
        )
        return ident

    async def state_after(self, ident: int, passed: timedelta) -> str:
        self.times.append(NOW + passed)
        await self.follower.reconcile()
        state: str = await self.pool.fetchval("select state from interaction where id = $1", ident)
        return state


@pytest.fixture
async def office(pool: Pool) -> Office:
    floor = await make_floor(pool)
    times = [NOW]
    node = await nodes.register(pool, "office", agi_host="127.0.0.1", agi_port=1, now=later(3600))
    directory = Directory(pool)
    await directory.load()
    switch = Switch(PbxSettings(name="hq"))
    voice = Voice(
        floor.log, directory, node, NoConsoles(), NobodyFree(), FakeWaits(), {"hq": switch},
        Keypad(floor.log, lambda *_: FollowUp("Unhappy", ""), clock=lambda: times[-1]), clock=lambda: times[-1],
    )  # fmt: skip
    follower = Follower(voice, switch, floor.log, directory, node, leads=lambda: True, clock=lambda: times[-1])
    return Office(floor, pool, node, voice, switch, follower, times)


async def test_calls_of_a_pbx_that_the_settings_no_longer_name_end(office: Office) -> None:
    ident = await office.conversation("old/1.1", pbx="old")
    assert await office.state_after(ident, timedelta()) == "active"
    assert await office.state_after(ident, timedelta(seconds=61)) == "wrapping"


async def test_a_conversation_that_only_ami_could_see_is_not_believed_for_ever_without_it(office: Office) -> None:
    ident = await office.conversation("hq/1.1", pbx="hq")
    office.voice.calls.track(Call(ident, "1.1", "PJSIP/trunk-1", office.switch, None, None, None))
    assert await office.state_after(ident, timedelta()) == "active"
    assert await office.state_after(ident, timedelta(minutes=9)) == "active"
    assert await office.state_after(ident, timedelta(minutes=11)) == "wrapping"
