"""A letter as the message that goes over the wire; pure. Nothing that a customer wrote can add a header."""

import re
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime

from callcenter.domain.outbox import Enclosure, Letter, Thread
from callcenter.errors import Invalid


class _WholeLine(UnstructuredHeader, BaseHeader):
    """An address stays as it is: what is too long for a line would be encoded as words, and be none any more."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _Ids(UnstructuredHeader, BaseHeader):
    """A line for each, as a long one would be encoded too, and the thread be lost."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _WholeLine)
_HEADERS.map_to_type("references", _Ids)
_HEADERS.map_to_type("in-reply-to", _Ids)
# Servers that speak no 8BITMIME exist.
_POLICY = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)
# Dot-atoms of RFC 5322, and names of hosts; quoted local parts are not in use.
_LOCAL = re.compile(r"(?=.{1,64}$)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
# Ids of others, as far as they fit into a line and add none.
_ID = re.compile(r"[!-;=?-~]{1,250}")
_ALONE = Thread()
_LONGEST_NAME = 100
_LONGEST_SUBJECT = 200
_LONGEST_FILE_NAME = 200


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


def _ask_for_silence(message: EmailMessage, auto: str) -> None:
    """RFC 3834: no vacation replies to what nobody wrote, please."""
    if auto == "no":
        return
    message["Auto-Submitted"] = auto
    # The same for Exchange, which looks for its own field, and for programmes older than the rule.
    message["X-Auto-Response-Suppress"] = "All"
    if auto == "auto-replied":
        message["Precedence"] = "bulk"


def compose(
    letter: Letter,
    *,
    message_id: str,
    sender: Address,
    recipient: Address,
    language: str | None,
    now: datetime,
    thread: Thread = _ALONE,
    files: Sequence[Enclosure] = (),
) -> EmailMessage:
    """Raises Invalid when it cannot be written as a message."""
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = sender
        message["To"] = recipient
        message["Subject"] = one_line(letter.subject, _LONGEST_SUBJECT)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{message_id}>"
        if letter.stop is not None:
            message["List-Unsubscribe"] = f"<{letter.stop}>"
            # RFC 8058: mail programs show a button of their own; only for addresses that nobody in between can read.
            if letter.stop.startswith("https://"):
                message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if thread.reply_to is not None:
            message["Reply-To"] = address_of(thread.reply_to, sender.display_name)
        if thread.in_reply_to is not None and _ID.fullmatch(thread.in_reply_to):
            message["In-Reply-To"] = f"<{thread.in_reply_to}>"
        if references := [f"<{each}>" for each in thread.references if _ID.fullmatch(each)]:
            message["References"] = " ".join(references)
        _ask_for_silence(message, thread.auto)
        message.set_content(letter.text)
        if letter.html is not None:
            message.add_alternative(letter.html, subtype="html")
        _enclose(message, files)
        # Last, since a text that gets an alternative takes its Content- headers with it into its part.
        if language is not None:
            message["Content-Language"] = one_line(language.replace("_", "-"), 35)
    except (ValueError, UnicodeError, LookupError) as error:
        raise Invalid(f"The letter cannot be written as a message: {error}.") from None
    return message


def _enclose(message: EmailMessage, files: Sequence[Enclosure]) -> None:
    for file in files:
        main, _, sub = file.type.partition("/")
        if main in ("message", "multipart") or not sub:
            main, sub = "application", "octet-stream"  # what it contains is no part of ours
        message.add_attachment(file.data, maintype=main, subtype=sub, filename=one_line(file.name, _LONGEST_FILE_NAME))
