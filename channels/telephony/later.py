"""Callers who wait long are offered to be called back: they press a key, keep their place in line, and hang up."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from callcenter.actions import callbacks
from callcenter.actions.callbacks import Wish
from callcenter.domain.callback import number_to_call
from callcenter.errors import Conflict, Invalid
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.nodes import Node
from channels.telephony import agi
from channels.telephony.announcements import cut_short, play
from channels.telephony.call import Call, text, written
from channels.telephony.callouts import say_digits
from channels.telephony.fastagi import HungUp
from channels.telephony.keypad import key_of

log = structlog.get_logger()

_KEYS = "12*"
# Seconds after the words, and after each digit of a number that is typed.
_PATIENCE = 4.0
_TRIES = 3
_LONGEST = 20


class Later:
    """The words are those of Asterisk's own voicemail: "The number I have is 1 3 8… To call this number press 1. Press
    2 to enter a different number. Press star to cancel." Before them stands the organisation's own recording, if any.
    """

    def __init__(
        self, contact_log: ContactLog, directory: Directory, node: Node, *, clock: Callable[[], datetime]
    ) -> None:
        self._log = contact_log
        self._directory = directory
        self._node = node
        self._clock = clock

    async def offer(self, call: Call) -> None:
        """Ends when the caller has decided, has left, or an agent is free: then they talk, which is better."""
        if not call.switch.connected or call.queue is None:
            return
        wanted: list[str] = []
        await cut_short(call, self._ask(call, wanted))
        if not wanted or call.gone_at is not None or call.is_offered:
            return
        environment = call.session.environment if call.session is not None else {}
        name = environment.get("calleridname", "")
        wish = Wish(
            number=wanted[0],
            queue=call.queue.id,
            name=None if name.lower() in ("", "unknown") else text(name),
            instead_of=call.interaction,
        )
        now = self._clock()
        try:
            asked = await written(lambda: callbacks.ask(self._log, self._directory, wish, now=now, node=self._node.id))
        except Conflict:
            return  # somebody serves them at this moment
        except Invalid as error:
            log.info("call.no_callback", interaction=call.interaction, reason=str(error))
            await play(call, agi.stream_file("vm-sorry"))
            return
        log.info("call.called_back", interaction=call.interaction, callback=asked.interaction)
        await play(call, agi.stream_file("auth-thankyou"))

    async def _ask(self, call: Call, wanted: list[str]) -> None:
        """Puts the number that the caller chose into `wanted`."""
        assert call.session is not None
        with suppress(HungUp):
            prompt = self._directory.callback_rules.prompt
            number = self._callable(call.session.environment.get("callerid", ""))
            for turn in range(_TRIES):
                key = await self._key(call, *([prompt] if prompt and not turn else []), number=number)
                if key == "1" and number is not None:
                    wanted.append(number)
                    return
                if key != ("1" if number is None else "2"):
                    return
                number = self._callable(await self._typed(call))
                if number is None and not _must_stop(call):
                    await call.session.command(agi.stream_file("vm-sorry"))

    def _callable(self, raw: str) -> str | None:
        directory = self._directory
        try:
            return number_to_call(raw, region=directory.organisation.region, rules=directory.callback_rules)
        except Invalid:
            return None

    async def _key(self, call: Call, *prompts: str, number: str | None) -> str:
        """The key that was pressed while the offer played, or soon after; empty for none."""
        said = [agi.stream_file(name, _KEYS) for name in prompts]
        if number is None:
            said.append(agi.stream_file("vm-toenternumber", _KEYS))
        else:
            digits = say_digits(int(number.lstrip("+")), _KEYS)
            names = ("vm-tocallnum", "vm-calldiffnum", "vm-star-cancel")
            said += [agi.stream_file("vm-num-i-have", _KEYS), digits]
            said += [agi.stream_file(name, _KEYS) for name in names]
        for command in said:
            if key := await self._heard(call, command):
                return key
        return await self._heard(call, agi.wait_for_digit(_PATIENCE))

    async def _heard(self, call: Call, command: agi.Command) -> str:
        if _must_stop(call):
            return ""
        assert call.session is not None
        return key_of((await call.session.command(command)).result)

    async def _typed(self, call: Call) -> str:
        """Digits until the hash, or a pause."""
        typed = await self._heard(call, agi.stream_file("vm-enter-num-to-call", "0123456789"))
        while len(typed) < _LONGEST:
            key = await self._heard(call, agi.wait_for_digit(_PATIENCE))
            if not key.isdecimal():
                break
            typed += key
        return typed


def _must_stop(call: Call) -> bool:
    return call.gone_at is not None or call.is_offered or call.closed
