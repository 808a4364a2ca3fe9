"""Calls the people who are to know of a ticket, reads its number out, and takes a key for "I know"."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from callcenter.actions import callouts
from callcenter.actions.callouts import Callout
from callcenter.domain.notice import Way
from callcenter.store.db import TRY_AGAIN
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from channels.telephony import agi
from channels.telephony.fastagi import AgiSession, HungUp
from channels.telephony.switch import Switch

log = structlog.get_logger()

PATH: Final = "/notice"
_CONTEXT: Final = "callcenter-notice"
_KEY: Final = "1"
# AGI tells a key by its code; 0: none was pressed.
_PRESSED: Final = str(ord(_KEY))
_EVERY = 1.0
_RING_MS = 30_000
_TIMES = 3
_LISTEN_MS = 4_000


def say_digits(number: int, escape: str) -> agi.Command:
    """One after the other, in the channel's language; the key that ends it is its result."""
    return agi.Command(f"SAY DIGITS {number} {escape}\n".encode(), fails_when_gone=False)


def wait_for_digit(milliseconds: int) -> agi.Command:
    return agi.Command(f"WAIT FOR DIGIT {milliseconds}\n".encode(), fails_when_gone=False)


def spoken(number: int) -> tuple[agi.Command, ...]:
    """ "Urgent. Number 1 0 4 2. Press 1.": words of Asterisk's core sounds, each of them cut short by the key."""
    words = [agi.stream_file(name, _KEY) for name in ("vm-Urgent", "number", "vm-press", "digits/1")]
    return (*words[:2], say_digits(number, _KEY), *words[2:], wait_for_digit(_LISTEN_MS))


class Callouts:
    """`run` is supervised, on every node; `handle` answers the PBX when somebody has picked up, on any node."""

    def __init__(
        self,
        contact_log: ContactLog,
        directory: Directory,
        switches: Mapping[str, Switch],
        *,
        able: Collection[Way],
        clock: Callable[[], datetime],
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._switches = switches
        self._able = able
        self._clock = clock

    async def run(self) -> None:
        while True:
            with suppress(*TRY_AGAIN):
                await self.call_due()
                await callouts.pass_on(self._log, self._directory, able=self._able, now=self._clock())
            await asyncio.sleep(_EVERY)

    async def call_due(self) -> None:
        """Nothing is taken while no PBX can call: it would count as an attempt."""
        while connected := [switch for switch in self._switches.values() if switch.connected]:
            call = await callouts.take(self._log, now=self._clock())
            if call is None:
                return
            # Nobody has said which PBX holds whose phone: each is tried in turn.
            await self._ring(connected[call.attempt % len(connected)], call)

    async def _ring(self, switch: Switch, call: Callout) -> None:
        log.info("notice.call", call=call.id, attempt=call.attempt, pbx=switch.name)
        if not await switch.originate(call.endpoint, context=_CONTEXT, exten=str(call.id), ring_ms=_RING_MS):
            await callouts.failed(self._log, call, error="the PBX refused to call")

    async def handle(self, session: AgiSession) -> None:
        """Somebody has picked up."""
        allowed = any(switch.may_speak(session.peer) for switch in self._switches.values())
        ident = session.query.get("id", "")
        if not allowed or not ident.isdecimal() or len(ident) > 18:
            log.warning("agi.bad_notice", peer=session.peer)
            return
        number = await callouts.number_of(self._log, int(ident))
        if number is not None:
            with suppress(HungUp):
                if await self._is_acknowledged(session, number):
                    await callouts.acknowledge(self._log, int(ident), now=self._clock())
                    await session.command(agi.stream_file("auth-thankyou"))
        await session.finish()

    async def _is_acknowledged(self, session: AgiSession, number: int) -> bool:
        for _ in range(_TIMES):
            for command in spoken(number):
                # -1 is a sound that is missing, or a hang-up: that is told with the next command.
                if (await session.command(command)).result == _PRESSED:
                    return True
        return False
