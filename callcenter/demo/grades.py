"""Grades of conversations of the invented year, given as evaluators give them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from callcenter.actions import quality
from callcenter.domain.agent import RANK, Role
from callcenter.domain.scorecard import Item, ItemKind
from callcenter.store.directory import User
from callcenter.store.log import ContactLog
from callcenter.store.quality import Evaluation
from callcenter.store.queries import Queries

_SQL = Queries(Path(__file__).with_name("grades.sql"))
_SCORECARD = "phone"
_EACH = 3
_COMMENTS = (
    "Calm with an angry caller, and the summary at the end was good.",
    "Ask for the serial number first: the rest of the call would have been shorter.",
    "讲得清楚，结束前请再确认一次约定的时间。",
    "態度親切，流程完整。",
)
_DISPUTE = "I asked for the order number at the beginning, it is on the recording."
_UPHELD = "The order number alone does not say who is calling."


async def grade_some(log: ContactLog, users: Mapping[int, User], *, now: datetime) -> int:
    """Of every agent a few of the last weeks; one grade is disputed, another was and stands. How many were graded."""
    dice = Random(now.year)  # noqa: S311 - a story, no secret
    evaluators = [user.id for user in users.values() if RANK[user.role] >= RANK[Role.SUPERVISOR]]
    rows = await log.pool.fetch(_SQL.lately, now - timedelta(days=28), now - timedelta(days=8), _EACH)
    made = []
    for row in rows:
        evaluator = dice.choice([ident for ident in evaluators if ident != row["agent"]])
        at = row["closed_at"] + timedelta(days=1, hours=dice.randint(0, 8), minutes=dice.randint(0, 59))
        begun = await quality.begin(
            log, row["interaction"], scorecard=_SCORECARD, agent=None, evaluator=evaluator, now=at
        )
        made.append(await _grade(log, begun, evaluator, dice, at=at))
    failed = [each for each in made if not each.passed][:2]
    for number, each in enumerate(failed):
        await quality.dispute(log, each.id, text=_DISPUTE, agent=each.agent, now=now - timedelta(hours=30))
        if number and each.evaluator is not None:
            await quality.uphold(log, each.id, text=_UPHELD, actor=each.evaluator, now=now - timedelta(hours=3))
    return len(made)


async def _grade(log: ContactLog, begun: Evaluation, evaluator: int, dice: Random, *, at: datetime) -> Evaluation:
    answers = {item.name: _answer(item, dice) for item in begun.card().items}
    comment = dice.choice(_COMMENTS) if dice.random() < 0.6 else None
    return await quality.save(log, begun.id, answers=answers, comment=comment, evaluator=evaluator, now=at, whole=True)


def _answer(item: Item, dice: Random) -> int | None:
    if item.na and dice.random() < 0.2:
        return None
    if item.kind is ItemKind.YES_NO:
        return int(dice.random() < (0.95 if item.critical else 0.85))
    return dice.choices(range(item.highest + 1), [1, 1, 2, 4, 9, 8, *[1] * 5][: item.highest + 1])[0]
