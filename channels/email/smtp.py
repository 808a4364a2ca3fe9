"""The wire to the mail server that takes our mail (RFC 5321), and what its answers mean for a letter."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr

import aiosmtplib
from aiosmtplib import SMTPException, SMTPNotSupported, SMTPRecipientsRefused, SMTPResponseException

from callcenter.errors import ChannelError
from callcenter.settings import Settings
from channels.email.compose import address_of

# The server goes away (421), or does not know us (530, 534, 535, 538): no letter is to blame for that.
_OF_THE_RELAY = frozenset({421, 530, 534, 535, 538})
_STEP = timedelta(seconds=30)
_FAREWELL = 2.0
# From the first command of a letter to the answer to its last.
ATTEMPT = timedelta(seconds=60)


class RelayTrouble(ChannelError):
    """The mail server is out of reach, busy, or refuses us: whatever letter it is, try again later."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


@dataclass(frozen=True, slots=True)
class Relay:
    """Where to hand mail in, and as whom."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None = field(repr=False)
    sender: str  # the address alone
    name: str  # shown before it; empty: the organisation's

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]

    def address(self, organisation: str) -> Address:
        return address_of(self.sender, self.name or organisation)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Line"]:
        """Signed in, where a user is set. Raises RelayTrouble."""
        smtp = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            timeout=_STEP.total_seconds(),
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            username=self.user,
            password=self.password,
            local_hostname=_own_name(self.domain),
        )
        try:
            await smtp.connect()
        except (SMTPException, OSError, ValueError) as error:
            smtp.close()
            raise RelayTrouble(_words(error)) from None
        try:
            yield Line(smtp, self.sender)
            with suppress(SMTPException, OSError):
                await smtp.quit(timeout=_FAREWELL)
        finally:
            smtp.close()


def _own_name(otherwise: str) -> str:
    """For EHLO. Left alone the library asks the name server for it, and everything waits for the answer."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else otherwise


class Line:
    """A connection that takes one letter after the other."""

    def __init__(self, smtp: aiosmtplib.SMTP, sender: str) -> None:
        self._smtp = smtp
        self._sender = sender

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Returns once the server has taken it. Raises ChannelError with the server's words, RelayTrouble."""
        try:
            async with asyncio.timeout(ATTEMPT.total_seconds()):
                await self._smtp.send_message(message, sender=self._sender, recipients=[recipient])
        except SMTPRecipientsRefused as error:
            raise _refusal(error.recipients[0]) from None
        except SMTPResponseException as error:
            raise _refusal(error) from None
        except SMTPNotSupported as error:
            raise ChannelError(_words(error), permanent=True) from None
        except (SMTPException, OSError) as error:  # TimeoutError is an OSError
            raise RelayTrouble(_words(error)) from None


def _refusal(error: SMTPResponseException) -> ChannelError:
    if error.code in _OF_THE_RELAY:
        return RelayTrouble(_words(error))
    return ChannelError(_words(error), permanent=error.code >= 500)


def _words(error: Exception) -> str:
    match error:
        case SMTPResponseException(code=code, message=message) if code > 0:
            return f"{code} {message}".strip()
        case SMTPException(message=str(message)) if message:
            return message
        case TimeoutError():
            return "no answer in time"
        case OSError(strerror=str(text)):
            return text
        case _:
            return str(error) or type(error).__name__


def relay_of(settings: Settings) -> Relay | None:
    """None where no mail server is set."""
    if settings.mail_host is None or settings.mail_from is None:
        return None
    name, sender = parseaddr(settings.mail_from)
    password = settings.mail_password
    return Relay(
        host=settings.mail_host,
        port=settings.mail_port,
        security=settings.mail_security,
        user=settings.mail_user,
        password=None if password is None else password.get_secret_value(),
        sender=sender,
        name=name,
    )


async def complaints(relay: Relay) -> list[str]:
    """What keeps us from handing in mail, in words; tries the sign-in and sends nothing."""
    try:
        async with asyncio.timeout(ATTEMPT.total_seconds()), relay.connect():
            return []
    except RelayTrouble as error:
        reason = str(error)
    except TimeoutError:
        reason = "no answer in time"
    return [f"Mail cannot be handed in at {relay.host}:{relay.port} ({relay.security}): {reason}"]
