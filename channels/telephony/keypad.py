"""After the agent has hung up: the caller who stays on the line is asked by the PBX and answers with one key."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from callcenter.actions import opinions, surveys
from callcenter.actions.opinions import Words
from callcenter.domain.survey import SurveyRules, Via, score_of_key
from callcenter.errors import Conflict
from callcenter.store.log import ContactLog
from callcenter.store.surveys import Survey
from channels.telephony import agi
from channels.telephony.call import Call, written
from channels.telephony.fastagi import AgiSession, HungUp

log = structlog.get_logger()

_KEYS = "0123456789*#"
# Seconds after the question until it is asked once more.
_PATIENCE = 5.0
_TRIES = 2


class _NoSound(Exception):
    """The PBX does not have this recording."""


class Keypad:
    """The conversation is over and written down before: whatever happens here, the agent is free."""

    def __init__(self, contact_log: ContactLog, words: Words, *, clock: Callable[[], datetime]) -> None:
        self._log = contact_log
        self._words = words
        self._clock = clock

    async def ask(self, call: Call) -> None:
        """Returns when the caller has answered, does not want to, or has left."""
        rules = None if call.queue is None else call.queue.survey
        if rules is None or Via.KEYPAD not in rules.by or call.session is None or call.gone_at is not None:
            return
        survey = await written(lambda: opinions.ask_caller(self._log, call.interaction, now=self._clock()))
        if survey is None:
            return
        with suppress(HungUp):  # they have the right to
            try:
                score = await self._score(call.session, rules)
            except _NoSound as error:
                log.warning("call.no_sound", interaction=call.interaction, command=str(error))
                await opinions.withdraw(self._log, survey, now=self._clock())
                return
            if score is not None:
                await self._keep(survey, score)
            await call.session.command(agi.stream_file(rules.thanks))

    async def _score(self, session: AgiSession, rules: SurveyRules) -> int | None:
        """Any key ends the question; the second time comes after another key, or none."""
        assert rules.prompt is not None
        for number in range(_TRIES):
            if number:
                with suppress(_NoSound):  # the question alone says it too
                    await self._key(session, rules.again)
            key = await self._key(session, rules.prompt)
            score = score_of_key(rules.ask, key or await self._waited(session))
            if score is not None:
                return score
        return None

    async def _key(self, session: AgiSession, sound: str) -> str:
        """The key that was pressed while a sound played, empty for none. Raises _NoSound, HungUp."""
        reply = await session.command(agi.stream_file(sound, _KEYS))
        if reply.result != "-1":
            return key_of(reply.result)
        # A hang-up is told before the next reply; the sound is missing when none is.
        await session.command(agi.get_variable("CHANNEL"))
        if session.gone_reason is not None:
            raise HungUp(session.gone_reason)
        raise _NoSound(sound)

    async def _waited(self, session: AgiSession) -> str:
        return key_of((await session.command(agi.wait_for_digit(_PATIENCE))).result)

    async def _keep(self, survey: Survey, score: int) -> None:
        now = self._clock()
        follow_up = self._words(survey, score, None)
        with suppress(Conflict):  # it is there already: the answer to our first try was lost
            await written(
                lambda: surveys.answer(self._log, survey.id, score=score, comment=None, follow_up=follow_up, now=now)
            )


def key_of(result: str | None) -> str:
    """AGI tells a key as its ASCII code, and 0 for none."""
    return chr(int(result)) if result is not None and result.isdecimal() and int(result) else ""
