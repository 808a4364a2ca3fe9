"""What the invented company knows: its articles, and which of them helped with the cases of the last weeks."""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from callcenter.actions import solutions
from callcenter.actions.solution_import import import_documents, read_folder
from callcenter.domain.solution import ShownAt, Use
from callcenter.store import solutions as store
from callcenter.store.log import ContactLog
from callcenter.store.queries import Queries

_SQL = Queries.beside(__file__)
FOLDER = Path(__file__).with_name("solutions")
_CASES = 80
_SOLVED = 0.6
_HELPED = 0.85
_REVIEWED = timedelta(days=150)
# What customers looked for and did not find, and how often.
_MISSED = {"voltage 110v": 4, "榨汁机 滤网": 6, "student discount": 2, "以旧换新": 5, "bluetooth": 1}


async def write_articles(log: ContactLog, *, now: datetime) -> None:
    """Once: what a visitor changes stays."""
    pool = log.pool
    if await pool.fetchval(_SQL.is_filled):
        return
    owner = await pool.fetchval(_SQL.owner)
    await import_documents(log, read_folder(FOLDER), publish=True, actor=owner, now=now)
    dice = Random(now.year)  # noqa: S311 - a story, no secret
    for row in await pool.fetch(_SQL.articles):
        review = (now + _REVIEWED * (0.2 + dice.random())).date()
        changes = {"owner": owner, "review_on": review}
        await solutions.change(log, row["id"], changes=changes, version=None, actor=owner, now=now)
        await _read(log, row["id"], ShownAt.DESK, dice.randrange(1, 20), now)
        if row["public"]:
            await _read(log, row["id"], ShownAt.HELP, dice.randrange(20, 90), now)
            for n in range(dice.randrange(3, 30)):
                await solutions.vote(pool, row["id"], voter=bytes([n]), helped=dice.random() < _HELPED, now=now)
    await _use(log, dice, now=now)
    for text, often in _MISSED.items():
        for _ in range(often):
            await solutions.note_search(pool, text, place=ShownAt.HELP, found=0, now=now)


async def _read(log: ContactLog, ident: int, place: ShownAt, times: int, now: datetime) -> None:
    await solutions.note_shown(log.pool, ident, place=place, day=now.date(), times=times)


async def _use(log: ContactLog, dice: Random, *, now: datetime) -> None:
    async with log.transaction() as tx:
        for case in await log.pool.fetch(_SQL.cases, _CASES):
            for article in await store.suggest(log.pool, case["subject"], readers=store.STAFF, language="en", limit=1):
                for how in [Use.INSERTED, *([Use.SOLVED] if dice.random() < _SOLVED else [])]:
                    await solutions.use(
                        tx, article.id, ticket=case["id"], interaction=None, how=how, actor=case["owner_id"], now=now
                    )
