"""How much mail of one address sets going, and what is passed on by one of us for somebody else."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import asyncpg

from callcenter.actions import fax_in, tickets
from callcenter.actions.ticket_values import LONGEST_SUBJECT
from callcenter.domain.forwarded import find_forwarded
from callcenter.domain.mail import Forwarded, Mail, Mailbox
from callcenter.domain.mail_rules import HOUR, MailRules, read_mail_rules
from callcenter.domain.thread import bare_address
from callcenter.domain.ticket import Priority
from callcenter.store.log import Transaction
from callcenter.store.mail_flow import SQL

_MOST_LAYERS = 5
# The cause by which a colleague's note ended at once; functions/26_correspondents.sql knows it.
COLLEAGUE = "colleague"


class Who(StrEnum):
    """Whose message it is."""

    OTHER = "other"
    COLLEAGUE = "colleague"  # one of our users, from their own address
    OURSELVES = "ourselves"  # a mailbox of ours, or a letter of ours that went round in a circle


@dataclass(frozen=True, slots=True)
class Origin:
    """`user`: the colleague. `floods`: this address has sent as much within the hour as people do; colleagues may."""

    who: Who
    user: int | None = None
    floods: bool = False


@dataclass(frozen=True, slots=True)
class PassedOn:
    """`mail` is the original sender's; `words` are of the colleague `user` who passed it on, and for us alone."""

    mail: Mail
    user: int
    words: str


async def meet(tx: Transaction, mail: Mail, address: str | None, named: list[str], *, now: datetime) -> asyncpg.Record:
    """What is known about it already (function meet_mail); `address`: whose it is, `named`: to whom it goes."""
    bare = [] if address is None else [address, bare_address(address)]
    row = await tx.connection.fetchrow(
        SQL.meet,
        address or mail.fingerprint.hex(),
        mail.fingerprint.hex(),
        named,
        bare,
        mail.message_id,
        address,
        now - HOUR,
        MailRules().messages_per_hour,
        fax_in.gateways(mail),
    )
    assert row is not None
    return row


def origin_of(met: asyncpg.Record) -> Origin:
    if met["ours"]:
        return Origin(Who.OURSELVES)
    if met["colleague"] is not None:
        return Origin(Who.COLLEAGUE, user=met["colleague"])
    return Origin(Who.OTHER, floods=met["much"])


async def note_of(tx: Transaction, origin: Origin, address: str | None, ticket: int | None) -> int | None:
    """Which colleague writes about somebody else's case; None for others, and for a case of the colleague's own."""
    if origin.user is None or ticket is None:
        return None
    return None if await tx.connection.fetchval(SQL.is_their_case, ticket, address) else origin.user


async def passed_on(tx: Transaction, mail: Mail, origin: Origin) -> PassedOn | None:
    """What a colleague forwards, as if its sender had written to us; None for all other messages.

    What several of us passed on, one to the other, is the first one's who is none of us.
    """
    found, words = mail.forwarded, []
    if origin.user is None:
        return None
    for _ in range(_MOST_LAYERS):
        if found is None:
            return None
        words.append(found.words)
        if not await tx.connection.fetchval(SQL.is_one_of_us, found.sender.address):
            return PassedOn(_original(mail, found), origin.user, "\n\n".join(filter(None, words)))
        found = find_forwarded(found.text, subject=found.subject)
    return None


def _original(mail: Mail, found: Forwarded) -> Mail:
    """Its formatted text would have the colleague's words in it, which are not for the customer."""
    ids = [] if found.message_id is None or found.message_id in mail.references else [found.message_id]
    return replace(
        mail,
        sender=Mailbox(found.sender.name, found.sender.address),
        reply_to=None,
        subject=found.subject,
        text=found.text,
        html=None,
        references=[*mail.references, *ids],
        utc_offset=None,
    )


async def flood_ticket(tx: Transaction, address: str) -> int | None:
    """The one for what is too much of this address, as long as it is open."""
    found: int | None = await tx.connection.fetchval(SQL.flood, address)
    return found


async def open_flood_ticket(tx: Transaction, address: str, subject: str, interaction: int, *, now: datetime) -> int:
    """The ticket for what is too much of this address from now on; `interaction` is its first, with this subject.

    It is called by the address, the rate that was passed, and that subject: words of no language.
    """
    rules = read_mail_rules(await tx.connection.fetchval(SQL.rules))
    ticket = await tickets.open_ticket(
        tx,
        subject=f"{address} (> {rules.messages_per_hour}/h): {subject}"[:LONGEST_SUBJECT],
        customer=None,
        interaction=interaction,
        queue=None,
        priority=Priority.NORMAL,
        text=None,
        actor=None,
        now=now,
    )
    await tx.connection.execute(SQL.remember_flood, address, ticket.id)
    return ticket.id
