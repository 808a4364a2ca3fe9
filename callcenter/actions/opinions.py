"""What customers say outside of a letter: callers by their keypad, visitors by stars, and through any other system."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from callcenter.actions import surveys
from callcenter.actions.surveys import FollowUp
from callcenter.domain.interaction import Outcome
from callcenter.domain.survey import Via
from callcenter.errors import Conflict, NotFound
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.organisation import survey_of
from callcenter.store.surveys import SQL, Survey, get

# The words of the ticket that a bad score opens: of the survey, its score, and what they wrote.
Words = Callable[[Survey, int, str | None], FollowUp]
# Each is a transaction, and an open one holds back every reader of the log.
_PURGED_AT_ONCE = 500


async def ask_caller(log: ContactLog, interaction: int, *, now: datetime) -> Survey | None:
    """Written down before the question is played, so that nobody asks by mail meanwhile; None: not to be asked.

    Those without customer and number are left out, since nobody could tell when they were asked last.
    """
    async with log.transaction() as tx:
        return await _ask(tx, interaction, Via.KEYPAD, now=now)


async def ask_visitor(log: ContactLog, interaction: int, *, now: datetime) -> bool:
    """Whether a chat that is over ends with stars; the first time this is written down, as for callers.

    A page that is loaded again shows them again, until they expire. Who was asked by mail already is not asked here.
    """
    shown = await log.pool.fetchval(SQL.shows_stars, interaction, now)
    if shown is not None:
        return bool(shown)
    async with log.transaction() as tx:
        if await _ask(tx, interaction, Via.CHAT, now=now) is not None:
            return True
    # Another page of the same chat may have been shown them meanwhile.
    return bool(await log.pool.fetchval(SQL.shows_stars, interaction, now))


async def _ask(tx: Transaction, interaction: int, via: Via, *, now: datetime) -> Survey | None:
    await tx.lock_interaction(interaction)
    found = await tx.connection.fetchrow(SQL.contact, interaction)
    if found is None or found["asked"] is not None or found["outcome"] != Outcome.HANDLED:
        return None
    customer, address, rules = found["customer_id"], found["address"], survey_of(found["survey"])
    if customer is not None:
        await tx.lock_customer(customer)
    elif address is None:
        return None
    if await tx.connection.fetchval(SQL.was_asked, customer, address, now - rules.not_again):
        return None
    ident = await _add(tx, interaction, found, via, now=now)
    survey = await get(tx.connection, ident)
    await surveys.tell(tx, "survey.asked", survey, now=now)
    return survey


async def withdraw(log: ContactLog, survey: Survey, *, now: datetime) -> None:
    """The question could not be put: they were not asked, and may be, by mail."""
    async with log.transaction() as tx:
        await tx.lock_interaction(survey.interaction)
        if await tx.connection.fetchval(SQL.withdraw, survey.id):
            await surveys.tell(tx, "survey.withdrawn", survey, now=now)


async def answer_contact(
    log: ContactLog,
    interaction: int,
    *,
    score: int,
    comment: str | None,
    answers: Mapping[str, Any],
    words: Words,
    now: datetime,
) -> Survey:
    """What a customer said of a contact, whichever way it reached us; later than the first time it changes that.

    Raises NotFound, Invalid for what answers no question, Conflict where the queue asks nothing, or too late.
    """
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        found = await tx.connection.fetchrow(SQL.contact, interaction)
        if found is None:
            if not await tx.connection.fetchval(SQL.is_contact, interaction):
                raise NotFound(f"There is no interaction {interaction}.")
            raise Conflict("The queue of this contact asks its customers nothing.")
        ident = found["asked"]
        if ident is None:
            ident = await _add(tx, interaction, found, Via.API, now=now)
        survey = await get(tx.connection, ident)
        return await surveys.answer(
            tx,
            ident,
            score=score,
            comment=comment,
            answers=answers,
            follow_up=words(survey, score, comment),
            now=now,
        )


async def refuse(log: ContactLog, survey: int, *, now: datetime) -> None:
    """Whoever got this survey's letter is never asked again, by whatever channel; what is on its way is held back."""
    async with log.transaction() as tx:
        found = await get(tx.connection, survey)
        await tx.lock_interaction(found.interaction)
        if await tx.connection.fetchval(SQL.refuse, survey, now):
            await tx.connection.execute(SQL.cancel_letters, survey, now)
            await surveys.tell(tx, "survey.refused", found, now=now)


async def purge(log: ContactLog, *, letters_before: datetime, words_before: datetime) -> None:
    """Deletes what letters said and whom they went to, and what customers wrote, for its age. Scores stay."""
    for query, before in ((SQL.purge_letters, letters_before), (SQL.purge_words, words_before)):
        while True:
            done = await log.pool.execute(query, before, _PURGED_AT_ONCE)
            if int(done.rpartition(" ")[2]) < _PURGED_AT_ONCE:
                break


async def _add(tx: Transaction, interaction: int, found: Any, via: Via, *, now: datetime) -> int:
    rules = survey_of(found["survey"])
    ident: int = await tx.connection.fetchval(
        SQL.add,
        interaction,
        found["customer_id"],
        found["queue_id"],
        found["agent_id"],
        rules.ask,
        rules.bad,
        rules.change_within,
        found["language"],
        now,
        now + rules.valid,
        via,
        rules.form,
    )
    return ident
