"""Mail that comes in: each message becomes one interaction, with the case it belongs to, in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from callcenter.actions import fax_in, mail_bounces, mail_flow, mail_words, ticket_ties, tickets
from callcenter.actions.fax_in import Fax
from callcenter.actions.mail_flow import COLLEAGUE, PassedOn, Who
from callcenter.actions.mail_words import Acknowledged
from callcenter.actions.ticket_values import LONGEST_TEXT
from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.interaction import Channel, Outcome, State
from callcenter.domain.mail import Mail, Nature
from callcenter.domain.quotes import said
from callcenter.domain.thread import bare_address, number_of
from callcenter.domain.ticket import OVER, Priority, TicketState
from callcenter.errors import Invalid
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.mail_in import SQL

_LONGEST_SUBJECT = 200
_MOST_REFERENCES = 20
_UNTITLED = "(no subject)"
_ANSWERED = frozenset({Nature.PERSON, Nature.BULK})


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a message: `new` is False for one that was here already."""

    interaction: int
    ticket: int | None
    new: bool


@dataclass(frozen=True, slots=True)
class _Case:
    """The ticket that a message belongs to, unless it opens one; `before` is a closed one that the new one follows.

    `flood`: of somebody who sends too much, whose messages all go into one.
    """

    ticket: int | None = None
    state: TicketState | None = None
    queue: int | None = None
    before: int | None = None
    flood: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    """A message as we see it: one that a colleague passed on is its first sender's.

    `correspondent`: the address that sent it to us; `works`: somebody has to do something about it, or its ticket has;
    `flood`: there is too much of its kind; `fax`: its sender is a gateway that sends faxes on; `note_of`: the colleague
    who wrote it into somebody else's case, for us alone.
    """

    mail: Mail
    fax: Fax | None
    address: str | None
    correspondent: str | None
    box: asyncpg.Record | None
    queue: int
    works: bool
    flood: bool
    acknowledged: bool
    passed_on: PassedOn | None
    back: mail_bounces.Back | None
    case: _Case
    note_of: int | None

    @property
    def done(self) -> str | None:
        """Why nobody is offered it. Of too much mail somebody sees the first message, and the ticket has it all."""
        if self.note_of is not None:
            return COLLEAGUE
        if self.works and not (self.flood and self.case.ticket is not None):
            return None
        return "flood" if self.flood else self.mail.nature.value


async def receive(
    log: ContactLog, mail: Mail, raw: bytes, *, recipients: tuple[str, ...] = (), now: datetime
) -> Received:
    """Once this returns the message is safe, and delivering it again changes nothing.

    `recipients`: of its envelope, where its door knows them; else those that its fields name. Raises Invalid when there
    is neither a mailbox for it nor a default queue.
    """
    async with log.transaction() as tx:
        named = (*(each.lower() for each in recipients), *mail.recipients)
        met = await mail_flow.meet(tx, mail, _address(mail), _addresses(named), now=now)
        if met["known"] is not None:
            return Received(met["known"], None, new=False)
        post = await _judge(tx, met, mail, raw, named, now=now)
        ident = await _arrive(tx, post, now=now)
        if ident is None:
            known = await tx.connection.fetchval(SQL.known, mail.fingerprint.hex())
            return Received(known, None, new=False)
        ticket = await _file(tx, post, ident, now=now)
        await _keep(tx, post, raw, ident, ticket, now=now)
        await _follow(tx, post, ident, ticket, now=now)
    return Received(ident, ticket, new=True)


async def _judge(
    tx: Transaction, met: asyncpg.Record, mail: Mail, raw: bytes, named: tuple[str, ...], *, now: datetime
) -> _Post:
    """Whose it is, where it belongs, and what it may set in motion."""
    if mail.robot and mail.nature in _ANSWERED and await _answers_us(tx, met, mail, named):
        mail = replace(mail, nature=Nature.AUTO_REPLY)
    correspondent = _address(mail)
    box = met if met["id"] is not None else None
    queue = box["queue_id"] if box is not None else met["default_queue"]
    if queue is None:
        raise Invalid("No mailbox of the organisation has this address, and there is no default queue.")
    fax = await fax_in.recognise(tx, mail, raw) if met["gateway"] else None
    if fax is not None and fax.queue is not None:
        queue = fax.queue
    origin = mail_flow.origin_of(met)
    works = fax is not None or (mail.nature in _ANSWERED and origin.who is not Who.OURSELVES)
    passed_on = await mail_flow.passed_on(tx, mail, origin) if works and fax is None else None
    mail = mail if passed_on is None else passed_on.mail
    back = await mail_bounces.back(tx, met["link_key"], mail, named, now=now)
    case = await _case(tx, met, mail, named, back, now=now)
    note_of = None
    if works and fax is None and passed_on is None:
        note_of = await mail_flow.note_of(tx, origin, correspondent, case.ticket or case.before)
    if note_of is not None:  # also of what is closed, which stays so
        works, case = False, replace(case, ticket=case.ticket or case.before, before=None)
    flood = works and fax is None and origin.floods
    if flood and correspondent is not None and case.ticket is None:
        case = _Case(await mail_flow.flood_ticket(tx, correspondent), flood=True)
    return _Post(
        mail=mail,
        fax=fax,
        address=_address(mail),
        correspondent=correspondent,
        box=box,
        queue=queue if case.queue is None else case.queue,
        works=works,
        flood=flood,
        acknowledged=works and fax is None and not flood and origin.who is Who.OTHER and mail.nature is Nature.PERSON,
        passed_on=passed_on,
        back=back,
        case=case,
        note_of=note_of,
    )


async def _follow(tx: Transaction, post: _Post, interaction: int, ticket: int | None, *, now: datetime) -> None:
    """What it sets in motion beyond its own case."""
    mail = post.mail
    if post.back is not None and mail.bounce is not None:
        await mail_bounces.note(tx, post.back, mail.bounce, now=now)
    if post.passed_on is not None and ticket is not None and post.passed_on.words:
        await _note(tx, ticket, post.passed_on.words, of=post.passed_on.user, contact=None, now=now)
    elif post.note_of is not None and ticket is not None:
        words = _text(mail) if _text(mail).strip() else _subject(mail)
        await _note(tx, ticket, words, of=post.note_of, contact=interaction, now=now)
    elif post.works and post.fax is None and post.address is not None:
        box, opened = post.box, ticket if post.case.ticket is None else None
        if post.acknowledged and opened is not None and box is not None and box["acknowledge"]:
            sent = Acknowledged(
                address=post.address,
                name=None if mail.sender is None else mail.sender.name or None,
                language=box["language"],
                ticket=opened,
                interaction=interaction,
                queue=post.queue,
                mailbox=box["address"],
                utc_offset=mail.utc_offset,
                references=(*mail.references, mail.message_id) if mail.message_id else (),
            )
            await mail_words.acknowledge(tx, sent, now=now)


async def accepts(log: ContactLog, address: str) -> bool:
    """Whether mail to this address has a place here."""
    async with log.pool.acquire() as connection:
        if await connection.fetchval(SQL.mailbox, _addresses((address.lower(),))) is not None:
            return True
        return await connection.fetchval(SQL.default_queue) is not None


def _address(mail: Mail) -> str | None:
    """Whose message it is, in the form in which addresses are kept."""
    if mail.sender is None:
        return None
    try:
        return read_address(AddressKind.EMAIL, mail.sender.address, region="").value
    except Invalid:
        return None


def _addresses(named: tuple[str, ...]) -> list[str]:
    """Each as it is, then without what stands behind a plus."""
    return list(dict.fromkeys([*named, *map(bare_address, named)]))


async def _answers_us(tx: Transaction, met: asyncpg.Record, mail: Mail, named: tuple[str, ...]) -> bool:
    """Whether it names a letter of ours or bears the token of one: programmes answer their own messages too."""
    ids = [*mail.in_reply_to, *mail.references]
    if ids and await tx.connection.fetchval(SQL.is_ours, ids):
        return True
    return number_of(met["link_key"], recipients=named, subject=mail.subject) is not None


async def _case(
    tx: Transaction,
    met: asyncpg.Record,
    mail: Mail,
    named: tuple[str, ...],
    back: mail_bounces.Back | None,
    *,
    now: datetime,
) -> _Case:
    """By the letter that bounced; by the ids it answers; by the signed token. Never by the words of its subject."""
    of_letter = None if back is None else back.letter["ticket_id"]
    ids = [*mail.in_reply_to, *mail.references]
    number = number_of(met["link_key"], recipients=named, subject=mail.subject)
    if of_letter is None and not ids and number is None:
        return _Case()
    row = await tx.connection.fetchrow(SQL.case_of, of_letter, ids, number)
    if row is None:
        return _Case()
    if mail.nature in _ANSWERED and _begins_anew(row, met, now=now):
        return _Case(before=row["id"])
    return _Case(row["id"], TicketState(row["state"]), row["queue_id"])


def _begins_anew(ticket: asyncpg.Record, box: asyncpg.Record, *, now: datetime) -> bool:
    """Whether what is written about this ticket is another case by now."""
    if box["id"] is None or ticket["state"] != TicketState.CLOSED:
        return False
    if box["closed"] == "new":
        return True
    after, closed_at = box["new_after"], ticket["closed_at"]
    return after is not None and closed_at is not None and now - closed_at > after


async def _arrive(tx: Transaction, post: _Post, *, now: datetime) -> int | None:
    """None for a message that is here already. What nobody has to work on is over at once, in no queue."""
    mail, address, done, fax = post.mail, post.address, post.done, post.fax
    kind: str | None = None if address is None else AddressKind.EMAIL
    name = None if mail.sender is None else mail.sender.name or None
    if fax is not None:
        # Whose it is, is who sent the fax, and not the gateway that sent it on.
        address, name = (None if fax.caller is None else fax.caller.number), None
        kind = AddressKind.FAX if fax.caller is not None and fax.caller.identifies else None
    elif post.note_of is not None:
        kind = None  # no contact with a customer, even if the colleague is one as well
    events = await tx.verb(
        "arrive",
        Channel.EMAIL if fax is None else Channel.FAX,
        "inbound",
        mail.fingerprint.hex(),
        None,
        None,
        kind,
        address,
        name,
        None if post.box is None else post.box["address"],
        _subject(mail),
        post.queue if done is None else None,
        0,
        State.QUEUED if done is None else State.NEW,
        None,
        now,
        {},
    )
    if not events:
        return None
    ident = events[0].interaction
    assert ident is not None
    if done is not None:
        await tx.verb("leave_unserved", ident, Outcome.HANDLED, done, None, now)
    return ident


def _subject(mail: Mail) -> str:
    """A message without one is called by its first words."""
    words = mail.subject or " ".join(said(mail.text).split())[:60] or _UNTITLED
    line = "".join(char if char.isprintable() else " " for char in words)
    return " ".join(line.split())[:_LONGEST_SUBJECT] or _UNTITLED


def _text(mail: Mail) -> str:
    """What was not understood is said below it."""
    notes = "\n".join(f"[{note}]" for note in mail.notes)
    return "\n\n".join(filter(None, [mail.text, notes]))


async def _file(tx: Transaction, post: _Post, interaction: int, *, now: datetime) -> int | None:
    """To its ticket, which a person's message brings back to work; or to a new one."""
    case = post.case
    if case.ticket is not None:
        if not post.works or case.flood:
            await tx.verb("link_ticket", interaction, case.ticket, None, now)
            return case.ticket
        if case.state in OVER:
            await tickets.change(
                tx, case.ticket, changes={"state": TicketState.OPEN}, version=None, actor=None, now=now
            )
        await tickets.link(tx, case.ticket, interaction=interaction, actor=None, now=now)
        return case.ticket
    if not post.works:
        return None
    if case.flood and post.correspondent is not None:
        return await mail_flow.open_flood_ticket(tx, post.correspondent, _subject(post.mail), interaction, now=now)
    ticket = await tickets.open_ticket(
        tx,
        subject=_subject(post.mail),
        customer=None,
        interaction=interaction,
        queue=None,
        priority=Priority.NORMAL,
        text=None,
        actor=None,
        now=now,
    )
    if case.before is not None:
        # The closed one stays closed, and both know of each other.
        await ticket_ties.relate(tx, ticket.id, to=case.before, actor=None, now=now)
    return ticket.id


async def _note(tx: Transaction, ticket: int, words: str, *, of: int, contact: int | None, now: datetime) -> None:
    """A colleague's own words are for us. `contact`: the message itself, where they are all of it."""
    await tickets.reply(tx, ticket, text=words[:LONGEST_TEXT], public=False, actor=of, contact=contact, now=now)


async def _keep(
    tx: Transaction, post: _Post, raw: bytes, interaction: int, ticket: int | None, *, now: datetime
) -> None:
    mail, box, back = post.mail, post.box, post.back
    answer_to = (mail.reply_to or mail.sender) if post.fax is None else None
    files = mail.attachments
    await tx.verb(
        "keep_mail",
        interaction,
        ticket,
        post.queue,
        None if box is None else box["id"],
        mail.message_id,
        [*mail.references, *(each for each in mail.in_reply_to if each not in mail.references)][-_MOST_REFERENCES:],
        None if answer_to is None else answer_to.address,
        None if answer_to is None else answer_to.name or None,
        mail.nature,
        None if back is None else back.letter["id"],
        mail.html,
        list(mail.notes),
        mail.size,
        raw,
        post.correspondent,
        _text(mail) if post.note_of is None else None,
        post.address if post.works and post.fax is None and post.passed_on is None else None,
        now,
        [file.name for file in files],
        [file.type for file in files],
        [file.size for file in files],
        [file.start for file in files],
        [file.length for file in files],
        [file.encoding for file in files],
        [file.cid for file in files],
        [file.inline for file in files],
    )
