"""Sends what is due in the outbox: at least once, under an id of its own, one letter at one server at a time."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from callcenter.actions import outbox
from callcenter.domain.outbox import Letter, pause_after
from callcenter.errors import ChannelError, Invalid
from callcenter.ports import Letters
from callcenter.store.db import retrying
from callcenter.store.log import ContactLog
from callcenter.store.outbox import Outgoing
from channels.email.compose import address_of, compose
from channels.email.smtp import ATTEMPT, Line, Relay, RelayTrouble

log = structlog.get_logger()

_EVERY = 1.0
_LONGEST_PAUSE = 60.0
# While the database is away what is sent already waits to be written down, or it would be sent once more.
_PATIENCE = timedelta(seconds=60)
# Longer than an attempt and that patience: whoever still has a letter then is dead or frozen.
LEASE = ATTEMPT + _PATIENCE + timedelta(seconds=60)


class Sender:
    """`run` is supervised. `outcomes` counts letters: sent, put_off, failed."""

    def __init__(
        self,
        contact_log: ContactLog,
        relay: Relay,
        letters: Letters,
        *,
        organisation: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._log = contact_log
        self._relay = relay
        self._letters = letters
        self._organisation = organisation
        self._clock = clock
        self.outcomes: Counter[str] = Counter(sent=0, put_off=0, failed=0)

    async def run(self) -> None:
        """Letters that follow each other go through one connection; a server in trouble is left alone for a while."""
        pause = _EVERY
        while True:
            well = await self.send_due()
            pause = _EVERY if well else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def send_due(self) -> bool:
        """Tries every letter that is due once; False when the mail server was in no state to take any."""
        letter = await self._take()
        if letter is None:
            return True
        try:
            async with self._relay.connect() as line:
                while letter is not None:
                    await self._send(line, letter)
                    letter = await self._take()
        except RelayTrouble as error:
            assert letter is not None
            log.warning("mail.relay_trouble", host=self._relay.host, reason=str(error))
            await self._put_off(letter, str(error))
            return False
        return True

    async def _take(self) -> Outgoing | None:
        return await outbox.take(self._log, domain=self._relay.domain, lease=LEASE, now=self._clock())

    async def _send(self, line: Line, letter: Outgoing) -> None:
        """Raises RelayTrouble; every other end is written down."""
        try:
            recipient = address_of(letter.recipient, letter.recipient_name or "")
            message = compose(
                self._written(letter),
                message_id=letter.message_id,
                sender=self._relay.address(self._organisation()),
                recipient=recipient,
                language=letter.language,
                now=self._clock(),
                thread=letter.thread,
                files=await outbox.files(self._log, letter) if letter.template is None else (),
            )
            await line.send(message, recipient.addr_spec)
        except RelayTrouble:
            raise
        except (ChannelError, Invalid) as error:
            if isinstance(error, ChannelError) and not error.permanent:
                await self._put_off(letter, str(error))
            else:
                await self._give_up(letter, str(error))
        else:
            await retrying(lambda: outbox.sent(self._log, letter, now=self._clock()), within=_PATIENCE)
            self.outcomes["sent"] += 1

    def _written(self, letter: Outgoing) -> Letter:
        if letter.template is not None:
            return self._letters.write(letter.template, letter.language, letter.data)
        assert letter.subject is not None
        assert letter.text is not None
        return Letter(letter.subject, letter.text)

    async def _put_off(self, letter: Outgoing, error: str) -> None:
        self.outcomes["put_off"] += 1
        now = self._clock()
        # Chance spreads them out and decides nothing.
        due = now + pause_after(letter.attempt, chance=random.random())  # noqa: S311
        log.info("mail.put_off", letter=letter.id, attempt=letter.attempt)
        await outbox.put_off(self._log, letter, error=error, due=due, now=now)

    async def _give_up(self, letter: Outgoing, error: str) -> None:
        self.outcomes["failed"] += 1
        log.warning("mail.refused", letter=letter.id, attempt=letter.attempt)
        await outbox.give_up(self._log, letter, error=error, reason="refused", now=self._clock())
