"""A message that came by mail, as its channel understood it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Nature(StrEnum):
    """Who is behind a message (RFC 3834), and so what it may set in motion."""

    PERSON = "person"  # somebody wrote it
    BULK = "bulk"  # a programme or a list sent it: it is worked on, and nothing answers it by itself
    AUTO_REPLY = "auto_reply"  # an answer that nobody wrote: kept; opens, reopens and stops nothing
    BOUNCE = "bounce"  # a mail server could not deliver what we sent (RFC 3464)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`address` in lower case."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """`start` and `length`: where it stands in the message as it came, in the transfer encoding `encoding`."""

    name: str
    type: str
    size: int  # decoded; exact but for broken encodings
    start: int
    length: int
    encoding: str
    cid: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a mail server says of a letter of ours."""

    message_ids: Sequence[str]  # of the letter, where it came back with the report
    recipients: Sequence[str]
    permanent: bool  # False: it still tries, or the mailbox is full
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """A message that another one passes on. `words`: of whoever did; may be empty.

    `message_id`: where the message itself is attached.
    """

    words: str
    sender: Mailbox
    subject: str
    text: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """`notes` say in words what of it could not be read. Ids are without their brackets."""

    fingerprint: bytes  # the same for the same message by whatever way it comes
    message_id: str | None
    in_reply_to: Sequence[str]
    references: Sequence[str]
    sender: Mailbox | None
    reply_to: Mailbox | None
    recipients: Sequence[str]  # all addresses to which it may have come: To, Cc, Delivered-To …
    date: datetime | None
    subject: str  # may be empty
    text: str
    html: str | None  # sanitised; images from elsewhere are still in it
    nature: Nature
    bounce: Bounce | None
    attachments: Sequence[Attachment]
    notes: Sequence[str]
    size: int
    utc_offset: timedelta | None = None  # of the sender's clock, where it says one
    forwarded: Forwarded | None = None  # what it passes on, if somebody wrote it
    robot: bool = False  # a programme's, by fields or subject: should it answer a letter of ours, an AUTO_REPLY
