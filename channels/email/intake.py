"""What every door for mail does with a message: understand it, within limits, and hand it to the action."""

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime

import asyncpg
import structlog

from callcenter.actions import mail_in
from callcenter.actions.mail_in import Received
from callcenter.domain.events import Event
from callcenter.domain.mail import Mail
from callcenter.store.log import ContactLog
from channels.email import apart
from channels.email.pace import Pace
from channels.email.parse import opaque, parse, unreadable

log = structlog.get_logger()

LARGEST = 50 * 1024 * 1024
# What is smaller is read within milliseconds, which is less than the way to another process and back takes. Formatted
# text costs ten times as much as plain text: 120 KB of "<p>" or "&" 200 to 500 ms. Outlook packs it, under any name.
_SMALL = 128 * 1024
_SMALL_HTML = 12 * 1024
_HTML = (b"text/html", b"ms-tnef", b"winmail.dat")
_PACKED = (b"eJ8+I", b'x\x9f>"')  # as TNEF begins, in Base64 and as it is
_MOST_MEMORY = 256 * 1024 * 1024
_MOST_SECONDS = 2.0  # of a processor
# Of the connections that all channels share; more would wait for the processors.
_AT_ONCE = 6
_TOO_LARGE = "It has {:.0f} MB, more than the {} MB that are taken: this is its beginning; the mailbox has all of it."
_NOT_UNDERSTOOD = "It could not be understood; it is kept as it came."
# Of the parser: none is known. Should there be one, its message waits for a person, and the next one comes in.
_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
# Of the database, of this one message: another try would end as this one did.
_UNFIT = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
_TOO_MUCH = "It takes too long or too much memory to read; it is kept as it came."


class Intake:
    """Close it in the end."""

    def __init__(self, contact_log: ContactLog, *, clock: Callable[[], datetime]) -> None:
        self._log = contact_log
        self._clock = clock
        self._worker: ProcessPoolExecutor | None = None
        self._one = asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._pace = Pace()
        contact_log.listen(self._heard)

    def _heard(self, events: Sequence[Event]) -> None:
        self._pace.note(events, now=asyncio.get_running_loop().time())

    async def turn(self) -> None:
        """Waited for by every door before it reads a message, since reading costs as well."""
        await self._pace.turn()

    async def accepts(self, address: str) -> bool:
        return await mail_in.accepts(self._log, address)

    async def receive(
        self, raw: bytes, *, recipients: tuple[str, ...] = (), null_sender: bool = False, otherwise: str | None = None
    ) -> Received:
        """Once this returns the message is committed. Raises Invalid where it has no place; TRY_AGAIN.

        `recipients`: of its envelope. `otherwise`: where it was found, should it name no mailbox of ours.
        """
        async with self._places:
            mail = await self._understand(raw, null_sender=null_sender)
            return await self._keep(mail, raw, recipients, otherwise)

    async def receive_beginning(self, raw: bytes, *, size: int, otherwise: str | None = None) -> Received:
        """The same for the first bytes of a message that is larger than we take; `size` in bytes is the whole one's."""
        mail = unreadable(raw, _TOO_LARGE.format(size / 1024 / 1024, LARGEST // 1024 // 1024))
        return await self._keep(mail, raw, (), otherwise)

    async def _keep(self, mail: Mail, raw: bytes, recipients: tuple[str, ...], otherwise: str | None) -> Received:
        if otherwise is not None:
            recipients = (*recipients, *mail.recipients, otherwise)
        try:
            received = await mail_in.receive(self._log, mail, raw, recipients=recipients, now=self._clock())
        except _UNFIT:
            log.error("mail.fault", size=len(raw), exc_info=True)
            mail = opaque(raw, _NOT_UNDERSTOOD)
            received = await mail_in.receive(self._log, mail, raw, recipients=recipients, now=self._clock())
        log.info("mail.received", interaction=received.interaction, new=received.new, size=len(raw), nature=mail.nature)
        return received

    async def _understand(self, raw: bytes, *, null_sender: bool) -> Mail:
        """Whatever is the matter with it."""
        try:
            return parse(raw, null_sender=null_sender) if is_small(raw) else await self._apart(raw, null_sender)
        except (BrokenProcessPool, MemoryError):
            log.warning("mail.unreadable", size=len(raw))
            return _of_head(raw, _TOO_MUCH)
        except _FAULTS:
            log.error("mail.fault", size=len(raw), exc_info=True)
            return _of_head(raw, _NOT_UNDERSTOOD)

    async def _apart(self, raw: bytes, null_sender: bool) -> Mail:
        """Large messages one after the other in a process of their own, which ends itself beyond its limits."""
        async with self._one:
            if self._worker is None:
                self._worker = ProcessPoolExecutor(
                    1,
                    mp_context=multiprocessing.get_context("spawn"),
                    initializer=apart.begin,
                    initargs=(_MOST_MEMORY,),
                )
            try:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._worker, apart.read, raw, null_sender, _MOST_SECONDS)
            except (BrokenProcessPool, MemoryError):
                self.close()
                raise

    def close(self) -> None:
        if self._worker is not None:
            self._worker.shutdown(wait=False, cancel_futures=True)
            self._worker = None


def is_small(raw: bytes) -> bool:
    """Whether it is read where calls are served: within some 50 ms whatever stands in it."""
    if len(raw) <= _SMALL_HTML:
        return True
    if len(raw) > _SMALL or any(begin in raw for begin in _PACKED):
        return False
    named = raw.lower()  # an expression without regard to case takes fifteen times as long
    return not any(name in named for name in _HTML)


def _of_head(raw: bytes, why: str) -> Mail:
    try:
        return unreadable(raw, why)
    except _FAULTS:
        return opaque(raw, why)
