"""Reads mailboxes on other servers, each by one node at a time; what is committed is then marked there."""

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from callcenter.errors import Conflict, Invalid
from callcenter.settings import ImapSettings
from callcenter.store import imap_mailboxes
from callcenter.store.db import TRY_AGAIN
from callcenter.store.imap_mailboxes import LEASE, Progress
from callcenter.store.log import ContactLog
from channels.email.intake import LARGEST, Intake
from channels.email.mailbox import Folder, ImapTrouble, connect

log = structlog.get_logger()

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_RENEW_EVERY = LEASE.total_seconds() / 3
# Of a message beyond the greatest size: its head, and what a person needs to find it.
_BEGINNING = 65_536
_MARKED_AT_ONCE = 20
_TROUBLE: tuple[type[Exception], ...] = (ImapTrouble, Conflict, *TRY_AGAIN)


class ImapMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "callcenter_imap_messages",
            "Messages of mailboxes by what became of them: new, known (here already), too_large, refused, unmarked "
            "(committed, but the server does not let us flag, move or delete them).",
            ["mailbox", "outcome"],
            registry=registry,
        )
        self.connected = Gauge(
            "callcenter_imap_connected", "Whether this node reads the mailbox.", ["mailbox"], registry=registry
        )


class Reader:
    """One mailbox. `run` is supervised, on every node: whoever takes the lease reads.

    A message is committed, then noted as unmarked, then marked there, then no longer noted. Whoever dies in between
    finds it again, and the fingerprint of what is known drops it.
    """

    def __init__(
        self,
        settings: ImapSettings,
        contact_log: ContactLog,
        intake: Intake,
        metrics: ImapMetrics,
        *,
        node: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._pool = contact_log.pool
        self._intake = intake
        self._metrics = metrics
        self._node = node
        self._clock = clock
        self._place = f"{settings.user}@{settings.host}/{settings.folder}"
        self._pause = _FIRST_PAUSE
        self._task: asyncio.Task[None] | None = None
        metrics.connected.labels(settings.name).set(0)

    async def run(self) -> None:
        self._task = asyncio.current_task()
        while True:
            try:
                await self._turn()
                pause = _RENEW_EVERY
            except _TROUBLE as error:
                pause = self._pause * random.uniform(0.8, 1.2)  # noqa: S311
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
                log.warning(
                    "imap.trouble",
                    mailbox=self._settings.name,
                    reason=str(error) or type(error).__name__,
                    again_in=round(pause, 1),
                )
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Another node may read at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _turn(self) -> None:
        """Reads for as long as all goes well; returns at once while another node reads."""
        name = self._settings.name
        progress = await imap_mailboxes.take(self._pool, name, self._place, node=self._node, now=self._clock())
        if progress is None:
            return
        try:
            async with connect(self._settings) as folder:
                if not progress.begin(folder.uidvalidity):
                    log.info("imap.anew", mailbox=name, uidvalidity=folder.uidvalidity)
                log.info("imap.connected", mailbox=name, announces=folder.announces)
                self._metrics.connected.labels(name).set(1)
                await self._read(folder, progress)
        finally:
            self._metrics.connected.labels(name).set(0)
            with suppress(*TRY_AGAIN):
                await imap_mailboxes.release(self._pool, name, node=self._node)

    async def _read(self, folder: Folder, progress: Progress) -> None:
        again: Sequence[int] = sorted(progress.refused)
        while True:
            await self._mark(folder, progress)
            await self._take_in(folder, progress, [*again, *await self._new(folder, progress)])
            self._pause = _FIRST_PAUSE
            again = ()
            await self._wait(folder, progress)

    async def _new(self, folder: Folder, progress: Progress) -> list[int]:
        """Those are ours that nobody had read, and all that came since our first visit; years of read ones are not.

        A server counts days in its own time: so that nothing falls between, the day before is one of them.
        """
        return await folder.new(after=progress.last_uid, since=progress.since.date() - timedelta(days=1))

    async def _take_in(self, folder: Folder, progress: Progress, uids: Collection[int]) -> None:
        ordered = list(uids)
        for at in range(0, len(ordered), _MARKED_AT_ONCE):
            some = ordered[at : at + _MARKED_AT_ONCE]
            sizes = await folder.sizes(some)
            for uid in some:
                if uid in sizes:
                    await self._message(folder, progress, uid, sizes[uid])
                else:
                    progress.refused.discard(uid)
                progress.last_uid = max(progress.last_uid, uid)
                await self._note(progress)
            await self._mark(folder, progress)

    async def _message(self, folder: Folder, progress: Progress, uid: int, size: int) -> None:
        """Into the log, or among those that have no place here."""
        name, address = self._settings.name, self._settings.address
        await self._intake.turn()
        raw = await folder.fetch(uid, most=LARGEST if size <= LARGEST else _BEGINNING)
        if raw is None:
            progress.refused.discard(uid)
            return
        try:
            if size <= LARGEST:
                received = await self._intake.receive(raw, otherwise=address)
                outcome = "new" if received.new else "known"
            else:
                received = await self._intake.receive_beginning(raw, size=size, otherwise=address)
                outcome = "too_large"
        except Invalid as error:
            progress.refused.add(uid)
            self._metrics.messages.labels(name, "refused").inc()
            log.warning("imap.refused", mailbox=name, uid=uid, reason=str(error))
            return
        progress.refused.discard(uid)
        # Of what is too large only the mailbox has the whole.
        if outcome != "too_large" or self._settings.after != "delete":
            progress.unmarked.add(uid)
        self._metrics.messages.labels(name, outcome).inc()
        log.info("imap.message", mailbox=name, uid=uid, interaction=received.interaction, outcome=outcome)

    async def _mark(self, folder: Folder, progress: Progress) -> None:
        """What cannot be marked now is tried again in the next round; it is safe here."""
        if not progress.unmarked:
            return
        uids = tuple(progress.unmarked)
        try:
            if self._settings.after == "move" and self._settings.move_to is not None:
                await folder.move(uids, self._settings.move_to)
            elif self._settings.after == "delete":
                await folder.delete(uids)
            else:
                await folder.see(uids)
        except ImapTrouble as error:
            if not error.permanent:
                raise
            self._metrics.messages.labels(self._settings.name, "unmarked").inc(len(uids))
            log.warning("imap.unmarked", mailbox=self._settings.name, messages=len(uids), reason=str(error))
            return
        progress.unmarked.difference_update(uids)
        await self._note(progress)

    async def _note(self, progress: Progress) -> None:
        await imap_mailboxes.note(self._pool, self._settings.name, progress, node=self._node, now=self._clock())

    async def _wait(self, folder: Folder, progress: Progress) -> None:
        """Until the server announces something, or it is time to look; the lease goes on meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._settings.poll_seconds
        if not folder.announces:
            while (left := until - loop.time()) > 0:
                await asyncio.sleep(min(left, _RENEW_EVERY))
                await self._note(progress)
            await folder.alive()
            return
        async with folder.listening():
            while (left := until - loop.time()) > 0 and not await folder.announced(min(left, _RENEW_EVERY)):
                await self._note(progress)
