"""Customers who see their own cases: they come in by a link sent to their address, and act on what is theirs."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from callcenter.actions import opinions, outbox, surveys, tickets, web_in
from callcenter.actions.opinions import Words
from callcenter.actions.outbox import NewLetter
from callcenter.actions.ticket_family import Children
from callcenter.actions.web_in import Limits, NewFile, Received, WebMessage
from callcenter.domain.customer import AddressKind
from callcenter.domain.ticket import OVER, TicketState
from callcenter.errors import NotFound
from callcenter.store import surveys as survey_rows
from callcenter.store.log import ContactLog
from callcenter.store.portal import SQL, OwnCase, Rating
from callcenter.store.users import secret_hash

TEMPLATE = "portal"
LINK_FOR = timedelta(minutes=15)
# To one mailbox in that time; more only fills it.
_MOST_LINKS = 3
_SEEN_EVERY = timedelta(minutes=5)
CALLED = "my"  # by what interactions from here are said to have come


async def send_link(log: ContactLog, address: str, *, language: str | None, now: datetime) -> None:
    """A letter to an address that we know; nothing happens for any other, and nobody is told which it was.

    `address` as addresses are kept.
    """
    async with log.transaction() as tx:
        await tx.connection.execute(SQL.lock, address)
        if not await tx.connection.fetchval(SQL.is_known, address):
            return
        if await tx.connection.fetchval(SQL.recent_links, address, now - LINK_FOR) >= _MOST_LINKS:
            return
        ident = await tx.connection.fetchval(SQL.add_link, address, now, now + LINK_FOR)
        who = await tx.connection.fetchrow(SQL.customer, address)
        letter = NewLetter(
            recipient=address,
            recipient_name=None if who is None else who["name"],
            language=language or (None if who is None else who["language"]),
            template=TEMPLATE,
            data={"link": ident, "expires": (now + LINK_FOR).isoformat()},
            customer=None if who is None else who["id"],
        )
        await outbox.put(tx, letter, now=now, until=now + LINK_FOR)


async def enter(log: ContactLog, link: int, *, lasts: timedelta, now: datetime) -> str:
    """The secret of a new session. Raises NotFound for a link that was used already, or is too old."""
    secret = secrets.token_urlsafe(32)
    async with log.transaction() as tx:
        address = await tx.connection.fetchval(SQL.use_link, link, now)
        if address is None:
            raise NotFound("This link is no longer good.")
        await tx.connection.execute(SQL.add_session, secret_hash(secret), address, now, now + lasts)
    return secret


async def leave(log: ContactLog, secret: str) -> None:
    await log.pool.execute(SQL.end_session, secret_hash(secret))


async def leave_everywhere(log: ContactLog, address: str) -> None:
    """On all devices."""
    await log.pool.execute(SQL.end_sessions, address)


async def purge(log: ContactLog, *, now: datetime) -> None:
    """Deletes links and sessions whose time is over."""
    await log.pool.execute(SQL.purge, now)


async def write(
    log: ContactLog,
    address: str,
    *,
    case: OwnCase | None,
    subject: str,
    text: str,
    files: Sequence[NewFile],
    submission: str,
    language: str,
    queue: int,
    limits: Limits,
    now: datetime,
) -> Received:
    """On their case, which comes back to work when it was over, or in a new one.

    `submission`: sent twice by the same address it is kept once.
    """
    who = await log.pool.fetchrow(SQL.customer, address)
    message = WebMessage(
        external_id=f"{CALLED}:{secret_hash(f'{address} {submission}').hex()[:32]}",
        called=CALLED,
        subject=subject if case is None else case.subject,
        text=text,
        address_kind=AddressKind.EMAIL,
        address=address,
        name=None if who is None else who["name"],
        language=language,
        files=files,
    )
    ticket = None if case is None else case.id
    return await web_in.receive(
        log, message, queue=queue, ticket=ticket, acknowledge=case is None, limits=limits, now=now
    )


async def end(log: ContactLog, case: OwnCase, *, note: str, now: datetime) -> None:
    """They need nothing more. `note` tells agents who did it."""
    if case.state is TicketState.CLOSED:
        return
    async with log.transaction() as tx:
        await tickets.reply(tx, case.id, text=note, public=False, actor=None, now=now)
        await tickets.change(
            tx,
            case.id,
            changes={"state": TicketState.CLOSED},
            version=None,
            actor=None,
            now=now,
            children=Children.LEAVE,
        )


async def reopen(log: ContactLog, case: OwnCase, *, note: str, now: datetime) -> None:
    """It is not over for them. Somebody on shift has it from then on, or its queue."""
    if case.state not in OVER:
        return
    async with log.transaction() as tx:
        await tickets.change(tx, case.id, changes={"state": TicketState.OPEN}, version=None, actor=None, now=now)
        await tickets.reply(tx, case.id, text=note, public=False, actor=None, now=now)


async def rate(log: ContactLog, rating: Rating, *, score: int, comment: str, words: Words, now: datetime) -> None:
    """As if they had answered the survey. Raises Invalid for what is no score, Conflict when it is too late."""
    if rating.survey is None:
        await opinions.answer_contact(
            log, rating.interaction, score=score, comment=comment, answers={}, words=words, now=now
        )
        return
    survey = await survey_rows.get(log.pool, rating.survey)
    follow_up = words(survey, score, comment)
    await surveys.answer(log, survey.id, score=score, comment=comment, follow_up=follow_up, now=now)
