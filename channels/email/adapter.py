"""Mail as a channel: the door for what comes in, and the sender of what goes out."""

from collections.abc import Awaitable, Callable

from channels.channel import Channel, Ground, Loops, Services
from channels.email.imap import ImapMetrics, Reader
from channels.email.intake import Intake
from channels.email.sender import Sender
from channels.email.server import MailServer
from channels.email.smtp import relay_of


class Email(Channel):
    """Each of them may be off: the door, the mailboxes on other servers, the sender."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._intake = Intake(ground.log, clock=ground.clock)
        self._door: MailServer | None = None
        self._readers: list[Reader] = []

    async def open(self) -> None:
        settings = self._ground.settings
        if settings.mail_listen is None:
            return
        at = settings.smtp_host, settings.smtp_port
        self._door = MailServer(self._intake, protocol=settings.mail_listen, at=at)
        await self._door.start()

    def begin(self, services: Services) -> Loops:
        loops: dict[str, Callable[[], Awaitable[None]]] = {}
        if self._ground.settings.imap:
            metrics = ImapMetrics(services.metrics.registry)
            for mailbox in self._ground.settings.imap:
                reader = Reader(
                    mailbox, self._ground.log, self._intake, metrics, node=services.node.id, clock=self._ground.clock
                )
                self._readers.append(reader)
                loops[f"imap {mailbox.name}"] = reader.run
        relay = relay_of(self._ground.settings)
        if relay is None:
            return loops
        directory = self._ground.directory
        sender = Sender(
            self._ground.log,
            relay,
            services.letters,
            organisation=lambda: directory.organisation.name,
            clock=self._ground.clock,
        )
        services.metrics.ask(
            "callcenter_mail", "Letters by what came of an attempt.", "outcome", lambda: sender.outcomes
        )
        return {**loops, "mail": sender.run}

    async def close(self) -> None:
        for reader in self._readers:
            await reader.stop()
        if self._door is not None:
            await self._door.stop()
        self._intake.close()
