"""Drawing conversations for evaluators, grading them, and what agents and supervisors say of a grade."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from callcenter.domain.duration import parse_duration
from callcenter.domain.evaluation import Drawn, EvaluationState, EvaluationVerb, after, draw, last_week
from callcenter.domain.form import FormKind
from callcenter.domain.interaction import Outcome
from callcenter.domain.scorecard import LONGEST_COMMENT, grade, read_grades
from callcenter.errors import Conflict, Forbidden, Invalid, NotFound
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.quality import SQL, Evaluation, get

_WEEK = timedelta(days=7)


async def draw_due(log: ContactLog, *, now: datetime) -> int:
    """What the sampling rules ask for of the week that was over last, once for each; how many were drawn."""
    rules = await log.pool.fetch(SQL.rules)
    zone = ZoneInfo(await log.pool.fetchval(SQL.timezone))
    week = last_week(now.astimezone(zone).date())
    return sum([await _draw(log, rule, week, zone, now=now) for rule in rules])


async def _draw(log: ContactLog, rule: asyncpg.Record, week: date, zone: ZoneInfo, *, now: datetime) -> int:
    asked, seed = rule["definition"], secrets.randbits(62)
    begin, end = (datetime.combine(day, time(), zone) for day in (week, week + _WEEK))
    longer = asked.get("longer_than")
    async with log.transaction() as tx:
        sample = await tx.connection.fetchval(SQL.add_sample, rule["scorecard"], rule["name"], week, seed, now)
        if sample is None:
            return 0
        rows = await tx.connection.fetch(
            SQL.candidates,
            begin,
            end,
            rule["scorecard"],
            asked.get("queue"),
            asked.get("channel"),
            None if longer is None else parse_duration(longer),
            asked.get("score_up_to"),
        )
        chosen = draw([Drawn(*row) for row in rows], per_agent=asked["per_agent"], seed=seed)
        for each in chosen:
            await tx.connection.execute(
                SQL.add, each.interaction, each.agent, rule["scorecard"], None, sample, None, now
            )
    return len(chosen)


async def begin(
    log: ContactLog, interaction: int, *, scorecard: str, agent: int | None, evaluator: int, now: datetime
) -> Evaluation:
    """A conversation that an evaluator chose; of whoever had it last unless an agent is named.

    Raises NotFound, Invalid, Conflict when it is among the evaluations already.
    """
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        whose = await _whose(tx, interaction, agent)
        if whose == evaluator:
            raise Forbidden("Nobody grades their own work.")
        form = await _scorecard(tx, scorecard)
        ident = await tx.connection.fetchval(SQL.add, interaction, whose, form, evaluator, None, None, now)
        if ident is None:
            raise Conflict("This conversation is among the evaluations of this scorecard already.")
        return await get(tx.connection, ident)


async def _whose(tx: Transaction, interaction: int, agent: int | None) -> int:
    row = await tx.connection.fetchrow(SQL.whose, interaction)
    if row is None:
        raise NotFound(f"There is no interaction {interaction}.")
    if row["outcome"] != Outcome.HANDLED or row["agent_id"] is None:
        raise Conflict("Only what an agent has handled can be graded.")
    if agent is not None and not await tx.connection.fetchval(SQL.had_part, interaction, agent):
        raise Invalid("This agent had no part in it.", field="agent")
    return int(row["agent_id"]) if agent is None else agent


async def _scorecard(tx: Transaction, name: str) -> int:
    row = await tx.connection.fetchrow(SQL.form, FormKind.SCORECARD, name)
    if row is None:
        raise Invalid(f"There is no scorecard {name!r}.", field="scorecard")
    return int(row["id"])


async def save(
    log: ContactLog,
    ident: int,
    *,
    answers: Mapping[str, object],
    comment: str | None,
    evaluator: int,
    now: datetime,
    whole: bool,
) -> Evaluation:
    """What an evaluator has so far, or the grade when it is `whole`. Raises Forbidden, Invalid, Conflict."""
    async with log.transaction() as tx:
        before = await _locked(tx, ident)
        if before.agent == evaluator:
            raise Forbidden("Nobody grades their own work.")
        if before.evaluator not in (None, evaluator):
            raise Forbidden("Somebody else has taken this evaluation.")
        if before.calibration is not None and await tx.connection.fetchval(SQL.is_closed, before.calibration):
            raise Conflict("This calibration has ended; all grades are known.")
        after(before.state, EvaluationVerb.GRADE)
        card, words = before.card(), _words(comment)
        given = read_grades(card, answers, whole=whole)
        if not whole:
            await tx.connection.execute(SQL.save, ident, before.version, given, words, evaluator)
            return await get(tx.connection, ident)
        found = grade(card, given)
        await tx.connection.execute(
            SQL.grade, ident, before.version, given, words, evaluator, found.total, found.passed, now
        )
        return await _tell(tx, "evaluation.graded", ident, actor=evaluator, now=now)


async def dispute(log: ContactLog, ident: int, *, text: str, agent: int, now: datetime) -> Evaluation:
    """The agent disagrees, once for each conversation. Raises Forbidden, Invalid, Conflict."""
    async with log.transaction() as tx:
        before = await _locked(tx, ident)
        if before.agent != agent or before.calibration is not None:
            raise Forbidden("This is the work of somebody else.")
        if before.disputed_at is not None:
            raise Conflict("This grade was disputed before; the decision stands.")
        state = after(before.state, EvaluationVerb.DISPUTE)
        said = _needed(text, "text", "Say what you disagree with.")
        await tx.connection.execute(SQL.move, ident, before.version, state, said, now, None, None, None)
        return await _tell(tx, "evaluation.disputed", ident, actor=agent, now=now)


async def uphold(log: ContactLog, ident: int, *, text: str, actor: int, now: datetime) -> Evaluation:
    """The grade stands after a dispute. Raises Forbidden, Invalid, Conflict."""
    async with log.transaction() as tx:
        before = await _locked(tx, ident)
        _not_of_oneself(before, actor)
        state = after(before.state, EvaluationVerb.UPHOLD)
        said = _needed(text, "text", "Say why it stands.")
        await tx.connection.execute(SQL.move, ident, before.version, state, None, None, said, actor, now)
        return await _tell(tx, "evaluation.upheld", ident, actor=actor, now=now)


async def replace(
    log: ContactLog,
    ident: int,
    *,
    answers: Mapping[str, object],
    comment: str | None,
    reason: str,
    actor: int,
    now: datetime,
) -> Evaluation:
    """Another grade in the place of one, which stays as it was. Raises Forbidden, Invalid, Conflict."""
    async with log.transaction() as tx:
        before = await _locked(tx, ident)
        _not_of_oneself(before, actor)
        if before.calibration is not None:
            raise Conflict("What was graded for a calibration is not changed.")
        state = after(before.state, EvaluationVerb.REPLACE)
        said = _needed(reason, "reason", "Say why the grade changes.")
        given = read_grades(before.card(), answers, whole=True)
        found = grade(before.card(), given)
        decided = (said, actor, now) if before.state is EvaluationState.DISPUTED else (None, None, None)
        await tx.connection.execute(SQL.move, ident, before.version, state, None, None, *decided)
        made: int = await tx.connection.fetchval(
            SQL.add_replacement, ident, actor, given, _words(comment), found.total, found.passed, now, said
        )
        await _tell(tx, "evaluation.changed", ident, actor=actor, now=now)
        return await _tell(tx, "evaluation.graded", made, actor=actor, now=now)


async def calibrate(
    log: ContactLog, interaction: int, *, scorecard: str, evaluators: Sequence[int], actor: int, now: datetime
) -> int:
    """Several evaluators are to grade one conversation, each blind. Raises NotFound, Invalid, Conflict."""
    if len(set(evaluators)) < 2:
        raise Invalid("A calibration needs two evaluators or more.", field="evaluators")
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        whose = await _whose(tx, interaction, None)
        if whose in evaluators:
            raise Invalid("Nobody grades their own work.", field="evaluators")
        form = await _scorecard(tx, scorecard)
        ident: int = await tx.connection.fetchval(SQL.add_calibration, interaction, form, actor, now)
        for evaluator in dict.fromkeys(evaluators):
            await tx.connection.execute(SQL.add, interaction, whose, form, evaluator, None, ident, now)
    return ident


async def close_calibration(log: ContactLog, ident: int, *, now: datetime) -> None:
    """Everybody sees all grades from now on, though not all have graded. Raises NotFound."""
    if await log.pool.fetchval(SQL.close_calibration, ident, now) is None:
        raise NotFound(f"There is no calibration {ident}.")


async def _locked(tx: Transaction, ident: int) -> Evaluation:
    found = await get(tx.connection, ident)
    await tx.lock_interaction(found.interaction)
    return await get(tx.connection, ident)


def _not_of_oneself(evaluation: Evaluation, actor: int) -> None:
    if evaluation.agent == actor:
        raise Forbidden("Nobody decides about their own work.")


def _words(comment: str | None) -> str | None:
    text = (comment or "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST_COMMENT or "\x00" in text:
        raise Invalid(f"A comment is a text of at most {LONGEST_COMMENT} characters.", field="comment")
    return text or None


def _needed(text: str, field: str, otherwise: str) -> str:
    said = _words(text)
    if said is None:
        raise Invalid(otherwise, field=field)
    return said


async def _tell(tx: Transaction, kind: str, ident: int, *, actor: int, now: datetime) -> Evaluation:
    """The agent hears of a grade, and of nothing that is graded for a calibration."""
    found = await get(tx.connection, ident)
    await tx.append(
        kind,
        interaction=found.interaction,
        agent=found.agent if found.calibration is None else None,
        queue=found.queue,
        actor=actor,
        version=found.version,
        data={"evaluation": ident, "state": found.state},
        now=now,
    )
    return found
