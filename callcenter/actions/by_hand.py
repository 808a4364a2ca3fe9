"""Contacts that no channel brought: a visit, a letter, a call on a private phone, noted when they are over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.actions import customers, tickets
from callcenter.domain.customer import Address
from callcenter.domain.interaction import Channel
from callcenter.domain.ticket import Priority
from callcenter.errors import Invalid
from callcenter.store.by_hand import SQL
from callcenter.store.log import ContactLog, Transaction

CHANNELS = (Channel.VISIT, Channel.LETTER, Channel.PHONE)
LONGEST = 10_000
LONGEST_TIME = timedelta(hours=24)
# What happened longer ago than this is history, which is imported.
_EARLIEST = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """`key`: the same one noted again is the same contact. `customer`, or the name of a `new_customer`, or nobody.

    `ticket`: the id of one that it is about, or the subject of a `new_ticket`.
    """

    channel: Channel
    direction: str = "inbound"
    key: str | None = None
    customer: int | None = None
    new_customer: str | None = None
    addresses: Sequence[Address] = ()
    began_at: datetime
    lasted: timedelta = timedelta()
    text: str = ""
    disposition: str | None = None
    queue: int | None = None
    ticket: int | None = None
    new_ticket: str | None = None


async def note(log: ContactLog, noted: Noted, *, actor: int, now: datetime) -> tuple[int, bool]:
    """The contact's id, and whether it is new. Nobody is asked to take it: whoever notes it has handled it.

    Raises Invalid, and NotFound for a ticket.
    """
    _check(noted, now)
    key = None if noted.key is None else f"by-hand/{noted.key}"
    async with log.transaction() as tx:
        if key is not None and (known := await tx.connection.fetchval(SQL.known, noted.channel, key)) is not None:
            return int(known), False
        customer = await _customer(tx, noted, actor=actor, now=now)
        events = await tx.verb(
            "note_by_hand",
            noted.channel,
            noted.direction,
            key,
            customer,
            actor,
            noted.queue,
            noted.began_at,
            noted.began_at + noted.lasted,
            noted.disposition,
            noted.text.strip() or None,
            now,
        )
        if not events:
            raise Invalid("Somebody noted it just now.", field="key")
        ident = events[0].interaction
        assert ident is not None
        await _file(tx, noted, ident, actor=actor, now=now)
    return ident, True


def _check(noted: Noted, now: datetime) -> None:
    if noted.channel not in CHANNELS:
        raise Invalid(f"Expected one of {', '.join(CHANNELS)}; all else comes by its channel.", field="channel")
    if noted.direction not in ("inbound", "outbound"):
        raise Invalid("Expected inbound or outbound.", field="direction")
    if not timedelta() <= noted.lasted <= LONGEST_TIME:
        raise Invalid("It lasted between nothing and a day.", field="minutes")
    if noted.began_at + noted.lasted > now + timedelta(minutes=1):
        raise Invalid("It is not over yet: it is noted when it is.", field="at")
    if noted.began_at < now - _EARLIEST:
        raise Invalid("That is more than a year ago.", field="at")
    if len(noted.text) > LONGEST or "\x00" in noted.text:
        raise Invalid(f"A note has at most {LONGEST} characters.", field="text")
    if noted.ticket is not None and noted.new_ticket:
        raise Invalid("Either a ticket or a new one.", field="ticket")


async def _customer(tx: Transaction, noted: Noted, *, actor: int, now: datetime) -> int | None:
    if not noted.new_customer:
        if noted.customer is None:
            return None
        known: int | None = await tx.connection.fetchval(SQL.customer, noted.customer)
        if known is None:
            raise Invalid(f"There is no customer {noted.customer}.", field="customer")
        return known
    return await customers.create(
        tx, name=noted.new_customer, company=None, tier=None, addresses=noted.addresses, actor=actor, now=now
    )


async def _file(tx: Transaction, noted: Noted, interaction: int, *, actor: int, now: datetime) -> None:
    if noted.ticket is not None:
        await tickets.link(tx, noted.ticket, interaction=interaction, actor=actor, now=now)
    elif noted.new_ticket:
        await tickets.open_ticket(
            tx,
            subject=noted.new_ticket,
            customer=None,
            interaction=interaction,
            queue=noted.queue,
            priority=Priority.NORMAL,
            text=None,
            actor=actor,
            owner=actor,
            now=now,
        )
