"""Asking customers how a contact was, once it is wrapped up, and taking their answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from callcenter.actions import outbox, tickets
from callcenter.actions.outbox import NewLetter
from callcenter.domain.questionnaire import read_answers, read_questions
from callcenter.domain.survey import LONGEST_COMMENT, SCORES, Via
from callcenter.domain.ticket import Priority
from callcenter.domain.ticket_rules import OURS
from callcenter.errors import Conflict, Invalid
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.organisation import survey_of
from callcenter.store.surveys import SQL, Survey, get

# Each is a transaction of some statements, and an open transaction holds back every reader of the log.
_PAGE = 20
# Where no server ran, whoever hung up longer ago than this is not asked any more.
_REMEMBERED = timedelta(days=1)
# Where nothing closes, the cursor moves after so many transactions, for the sake of what lies between.
_STEP = 1000
# Whoever changes their mind more often is playing.
_MOST_ANSWERS = 20
TEMPLATE = "survey"
(TICKET_CATEGORY,) = OURS


async def ask_about_closed(log: ContactLog, *, now: datetime) -> int:
    """Asks about the contacts that were closed since the last time, each looked at exactly once; how many were asked.

    The cursor moves in the transaction that writes the letters. A second node finds it taken and does nothing.
    """
    asked = 0
    while True:
        async with log.transaction() as tx:
            cursor = await tx.connection.fetchrow(SQL.reader)
            if cursor is None:
                return asked
            behind = cursor["epoch"], str(cursor["xid"]), cursor["seq"]
            rows = await tx.connection.fetch(SQL.closed, *behind, _PAGE, now - _REMEMBERED)
            closed = [row for row in rows if row["seq"] is not None]
            # Whoever asks them at the same moment in another way waits here; in one order, since a merge takes two.
            for row in await tx.connection.fetch(SQL.customers, [row["interaction_id"] for row in closed]):
                await tx.lock_customer(row["customer_id"])
            for row in closed:
                asked += await _ask(tx, row["interaction_id"], now=now)
            await _move_on(tx, cursor, rows[-1], full=len(closed) == _PAGE)
        if len(closed) < _PAGE:
            return asked


async def _move_on(tx: Transaction, cursor: asyncpg.Record, last: asyncpg.Record, *, full: bool) -> None:
    if full:
        await tx.connection.execute(SQL.move_reader, last["epoch"], str(last["xid"]), last["seq"])
    elif last["seq"] is not None or last["to_epoch"] > cursor["epoch"] or last["to_xid"] - cursor["xid"] > _STEP:
        # Before the first event of the transaction that is not settled.
        await tx.connection.execute(SQL.move_reader, last["to_epoch"], str(last["to_xid"]), 0)


async def _ask(tx: Transaction, interaction: int, *, now: datetime) -> bool:
    found = await tx.connection.fetchrow(SQL.candidate, interaction)
    if found is None:
        return False
    rules = survey_of(found["survey"])
    if Via.MAIL not in rules.by:
        return False
    asked_at = found["closed_at"] + rules.delay
    if await tx.connection.fetchval(SQL.was_asked, found["customer_id"], found["address"], asked_at - rules.not_again):
        return False
    expires_at = asked_at + rules.valid
    ident = await tx.connection.fetchval(
        SQL.add,
        interaction,
        found["customer_id"],
        found["queue_id"],
        found["agent_id"],
        rules.ask,
        rules.bad,
        rules.change_within,
        found["language"],
        asked_at,
        expires_at,
        Via.MAIL,
        rules.form,
    )
    letter = NewLetter(
        recipient=found["address"],
        recipient_name=found["name"],
        language=found["language"],
        template=TEMPLATE,
        data={
            "survey": ident,
            "ask": rules.ask.value,
            "channel": found["channel"],
            "at": found["arrived_at"].isoformat(),
            "expires": expires_at.isoformat(),
        },
        interaction=interaction,
        customer=found["customer_id"],
        queue=found["queue_id"],
    )
    put = await outbox.put(tx, letter, now=now, due=asked_at, until=expires_at)
    await tx.connection.execute(SQL.set_letter, ident, put)
    await tell(tx, "survey.asked", await get(tx.connection, ident), now=now)
    return True


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What the ticket of a bad score is called, and its note, in the organisation's language.

    The first paragraph of the note is ours; what stands behind it is the customer's, and deleted with their words.
    """

    subject: str
    note: str


async def answer(
    log: ContactLog | Transaction,
    survey: int,
    *,
    score: int,
    comment: str | None,
    follow_up: FollowUp,
    now: datetime,
    answers: Mapping[str, Any] | None = None,
) -> Survey:
    """Stored once a contact, and changed while that is allowed; the first bad score opens a ticket.

    `answers` to the further questions; None leaves them. Raises NotFound, Invalid for what is no answer to its
    question, Conflict when it is too late.
    """
    text = _comment(comment)
    async with log.transaction() as tx:
        before = await get(tx.connection, survey)
        # What the ticket will move too; a second answer at once waits here.
        await tx.lock_interaction(before.interaction)
        before = await get(tx.connection, survey)
        if score not in SCORES[before.ask]:
            raise Invalid("Choose one of the answers.", field="score")
        further = _further(before, score, answers)
        if (before.score, before.comment, before.answers) == (score, text, further):
            return before
        if now >= before.open_until() or before.version > _MOST_ANSWERS:
            raise Conflict("This answer can no longer be changed.")
        await tx.connection.fetchval(SQL.answer, survey, before.version, score, text, now, further)
        if before.ticket is not None and text is not None:
            # Most say why after they have said how it was.
            await tx.lock_ticket(before.ticket)
            await tx.connection.execute(SQL.note_again, survey, follow_up.note)
        elif score <= before.bad and before.ticket is None:
            await _follow_up(tx, before, follow_up, now=now)
        after = await get(tx.connection, survey)
        await tell(tx, "survey.answered", after, bad=score <= after.bad, now=now)
    return after


def _further(survey: Survey, score: int, answers: Mapping[str, Any] | None) -> dict[str, Any]:
    if answers is None:
        return dict(survey.answers)
    return read_answers(read_questions(survey.form), answers, bad=score <= survey.bad)


async def _follow_up(tx: Transaction, survey: Survey, words: FollowUp, *, now: datetime) -> None:
    """For the agent's supervisor. A contact that belongs to a ticket already stays there."""
    kept = await tx.connection.fetchval(SQL.has_ticket, survey.interaction)
    ticket = await tickets.open_ticket(
        tx,
        subject=words.subject,
        customer=survey.customer,
        interaction=None if kept else survey.interaction,
        queue=survey.queue,
        owner=await tx.connection.fetchval(SQL.supervisor, survey.agent),
        priority=Priority.HIGH,
        category=TICKET_CATEGORY,
        text=words.note,
        actor=None,
        now=now,
    )
    await tx.connection.execute(SQL.set_ticket, survey.id, ticket.id)


def _comment(comment: str | None) -> str | None:
    text = (comment or "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST_COMMENT:
        raise Invalid("The comment is too long.", field="comment")
    if "\x00" in text:
        raise Invalid("A comment contains no NUL character.", field="comment")
    return text or None


async def tell(tx: Transaction, kind: str, survey: Survey, *, now: datetime, bad: bool | None = None) -> None:
    """The log hears ids and scores, never a word of the customer."""
    data = {"survey": survey.id, "ask": survey.ask, "score": survey.score}
    await tx.append(
        kind,
        interaction=survey.interaction,
        customer=survey.customer,
        agent=survey.agent,
        queue=survey.queue,
        ticket=survey.ticket,
        version=survey.version,
        data=data if bad is None else {**data, "bad": bad},
        now=now,
    )
