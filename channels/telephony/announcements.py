"""What is played to a caller: prompts that an offer cuts short, and what those who wait are told by their queue."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import structlog

from callcenter.domain.announce import Announce
from callcenter.ports import Wait, Waits
from channels.telephony import agi
from channels.telephony.call import Call
from channels.telephony.fastagi import HungUp

log = structlog.get_logger()

# Who is served at once should hear nothing of waiting.
_FIRST_AFTER = timedelta(seconds=1)
# When what was to be said was unknown, or could not be said: then it is looked at again.
_AGAIN_AFTER = timedelta(seconds=15)
# A figure that nobody would wait for, or believe.
_LONGEST = timedelta(minutes=30)


def minutes_left(wait: Wait, waited: timedelta) -> int | None:
    """What may be said, rounded up; None: nothing, as it is unknown or too long.

    Never less than what is left of the wait that was expected at first: a figure that falls faster than the clock
    often rises again.
    """
    if wait.expected_seconds is None:
        return None
    promised = 0.0 if wait.told_seconds is None else wait.told_seconds - waited.total_seconds()
    minutes = max(ceil(max(wait.expected_seconds, promised) / 60), 1)
    return None if minutes > _LONGEST / timedelta(minutes=1) else minutes


def spoken(announce: Announce, wait: Wait, waited: timedelta) -> Sequence[agi.Command]:
    """The words of Asterisk's own app_queue, from its core sounds, in the language of the caller's channel."""
    prompts: list[agi.Command] = []
    if announce.position and wait.position == 1:
        prompts.append(agi.stream_file("queue-youarenext"))
    elif announce.position:
        number = agi.say_number(wait.position)
        prompts += [agi.stream_file("queue-thereare"), number, agi.stream_file("queue-callswaiting")]
    minutes = minutes_left(wait, waited) if announce.wait else None
    if minutes is not None:
        few = [agi.stream_file("queue-less-than")] if minutes == 1 else []
        unit = agi.stream_file("queue-minute" if minutes == 1 else "queue-minutes")
        prompts += [agi.stream_file("queue-holdtime"), *few, agi.say_number(minutes), unit]
    return [*prompts, agi.stream_file("queue-thankyou")] if prompts else []


async def play(call: Call, *prompts: agi.Command) -> None:
    """Plays prompts, one after the other; with AMI they are cut short the moment an agent is free."""
    await cut_short(call, _play_each(call, prompts))


async def cut_short(call: Call, speaking: Coroutine[Any, Any, None]) -> None:
    """Waits for what is said to a caller, and with AMI stops the prompt that plays when an agent is free."""
    playing = asyncio.create_task(speaking)
    try:
        while not playing.done():
            news = asyncio.create_task(call.news.wait())
            await asyncio.wait((playing, news), return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            call.news.clear()
            if not playing.done() and call.is_offered and call.switch.connected:
                await call.switch.stop_playback(call.channel)
                await playing
    finally:
        playing.cancel()
    call.music = False
    call.news.set()


async def _play_each(call: Call, prompts: Sequence[agi.Command]) -> None:
    """A sound that is missing is left out; after a hang-up, or an offer, so is the rest."""
    session = call.session
    assert session is not None
    for prompt in prompts:
        if call.gone_at is not None or call.is_offered:
            return
        with suppress(HungUp):
            reply = await session.command(prompt)
            if reply.result == "-1":
                # A hang-up is told before the next reply; the sound is missing when none is.
                await session.command(agi.get_variable("CHANNEL"))
                if call.gone_at is None:
                    log.warning("call.no_sound", interaction=call.interaction, command=prompt.line.decode().strip())


class Announcer:
    """Tells callers what their queue's `announce` asks for, again and again where it says so."""

    def __init__(
        self, waits: Waits, offer_callback: Callable[[Call], Awaitable[None]], *, clock: Callable[[], datetime]
    ) -> None:
        self._waits = waits
        self._offer_callback = offer_callback
        self._clock = clock

    async def until_news(self, call: Call) -> None:
        """Returns when something has happened to a caller who hears music, or when they have been told something."""
        if call.may_be_called_back:
            call.may_be_called_back = False
            await self._offer_callback(call)
            return
        try:
            async with asyncio.timeout(self._due_in(call)):
                await call.news.wait()
        except TimeoutError:
            await self._tell(call)
        else:
            call.news.clear()

    def _due_in(self, call: Call) -> float | None:
        """Seconds; None: never."""
        announce = None if call.queue is None else call.queue.announce
        if announce is None or call.queued_at is None:
            return None
        if call.told_at is None:
            due = call.queued_at + _FIRST_AFTER
        elif not call.was_told:
            due = call.told_at + _AGAIN_AFTER
        elif announce.every is None:
            return None
        else:
            due = call.told_at + announce.every
        return max((due - self._clock()).total_seconds(), 0.0)

    async def _tell(self, call: Call) -> None:
        """Without AMI nothing is said: it could not be cut short, and an agent would wait for its end."""
        wait = self._waits.of(call.interaction)
        announce = None if call.queue is None else call.queue.announce
        if wait is not None and announce is not None and call.queued_at is not None and call.switch.connected:
            prompts = spoken(announce, wait, self._clock() - call.queued_at)
            if prompts:
                await play(call, *prompts)
            call.was_told = bool(prompts)
        call.told_at = self._clock()
