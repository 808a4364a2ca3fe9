"""A letter as the message that goes over the wire; pure. Nothing that a customer wrote can add a header."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from callcenter.domain.outbox import Letter
from callcenter.errors import Invalid

# Servers that speak no 8BITMIME exist.
_POLICY = SMTP.clone(cte_type="7bit")
# Dot-atoms of RFC 5322, and names of hosts; quoted local parts are not in use.
_LOCAL = re.compile(r"(?=.{1,64}$)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_LONGEST_NAME = 100
_LONGEST_SUBJECT = 200


def one_line(text: str, longest: int) -> str:
    """Without line breaks and other characters that do not print, which have no place in a header."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:longest]


def address_of(value: str, name: str) -> Address:
    """Raises Invalid for what is no address, or one that only servers with SMTPUTF8 understand."""
    local, _, domain = value.rpartition("@")
    try:
        host = domain.encode("idna").decode()
    except UnicodeError:
        host = ""
    if not _LOCAL.fullmatch(local) or not _HOST.fullmatch(host):
        raise Invalid(f"{value[:100]!r} is no address that mail can be sent to.")
    return Address(one_line(name, _LONGEST_NAME), local, host)


def compose(
    letter: Letter, *, message_id: str, sender: Address, recipient: Address, language: str | None, now: datetime
) -> EmailMessage:
    """Raises Invalid when it cannot be written as a message."""
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = sender
        message["To"] = recipient
        message["Subject"] = one_line(letter.subject, _LONGEST_SUBJECT)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{message_id}>"
        # RFC 3834: no vacation replies to this, please.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        if letter.html is not None:
            message.add_alternative(letter.html, subtype="html")
        # Last, since a text that gets an alternative takes its Content- headers with it into its part.
        if language is not None:
            message["Content-Language"] = one_line(language.replace("_", "-"), 35)
    except (ValueError, UnicodeError, LookupError) as error:
        raise Invalid(f"The letter cannot be written as a message: {error}.") from None
    return message
