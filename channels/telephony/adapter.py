"""The phone as a channel: the AGI door, the calls of this node, and the PBXs beside them."""

import asyncio

import structlog

from channels.channel import Channel, Ground, Loops, Services
from channels.telephony.callouts import PATH as NOTICE
from channels.telephony.callouts import Callouts
from channels.telephony.fastagi import AgiServer, AgiSession, serve_agi
from channels.telephony.follow import Follower
from channels.telephony.keypad import Keypad
from channels.telephony.outcalls import MARK, Outcalls
from channels.telephony.outcalls import PATH as CALLBACK
from channels.telephony.switch import Switch
from channels.telephony.voice import Voice

log = structlog.get_logger()

ANSWERED = "/answered"


class Telephony(Channel):
    """`phone`: what consoles and other systems may do with its calls; `switches`: the PBXs by name."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.switches = {pbx.name: Switch(pbx, clock=ground.clock) for pbx in ground.settings.pbx}
        self.phone = Outcalls(ground.log, ground.directory, self.switches, clock=ground.clock)
        self._callouts = Callouts(
            ground.log, ground.directory, self.switches, able=ground.directory.able, clock=ground.clock
        )
        self._voice: asyncio.Future[Voice] = asyncio.get_running_loop().create_future()
        self._server: AgiServer | None = None

    async def open(self) -> None:
        settings = self._ground.settings
        self._server = await serve_agi(
            self._handle,
            host=settings.agi_host,
            port=settings.agi_port,
            allowed=lambda peer: any(switch.may_speak(peer) for switch in self.switches.values()),
            max_connections=settings.max_calls,
            logger=log,
        )

    @property
    def port(self) -> int:
        """Where AGI is spoken, once it is open."""
        assert self._server is not None
        return self._server.port

    def begin(self, services: Services) -> Loops:
        contact_log, directory, clock = self._ground.log, self._ground.directory, self._ground.clock
        voice = Voice(
            contact_log,
            directory,
            services.node,
            services.pops,
            services.assigner,
            services.waits,
            self.switches,
            Keypad(contact_log, services.words, clock=clock),
            clock=clock,
        )
        contact_log.listen(voice.calls.note)
        services.feed.subscribe(voice.calls.note)
        self.phone.begin(voice.calls, services.node, services.letters)
        self._voice.set_result(voice)
        loops = {"callouts": self._callouts.run, "callbacks": self.phone.run}
        for switch in self.switches.values():
            follower = Follower(voice, switch, contact_log, directory, services.node, leads=services.leads, clock=clock)
            loops[f"pbx {switch.name} changes"] = follower.run
            loops[f"pbx {switch.name} watch"] = follower.watch
            loops[f"pbx {switch.name}"] = switch.run
        return loops

    async def close(self) -> None:
        """Waiting callers' dialplans ask again, here or at another node; conversations go on without us."""
        if self._server is not None:
            await self._server.stop()

    async def _handle(self, session: AgiSession) -> None:
        if session.path == NOTICE:
            await self._callouts.handle(session)
            return
        voice = await asyncio.shield(self._voice)
        if session.path == CALLBACK:
            await self.phone.handle(session)
        elif session.path == ANSWERED and session.query.get("id", "").startswith(MARK):
            await self.phone.answered(session)
        else:
            await voice.handle(session)
