"""Writing, publishing and using articles."""

import asyncio
from datetime import date, timedelta

import pytest

from callcenter.actions import solutions, tickets
from callcenter.domain.solution import Readers, ShownAt, Solution, SolutionState, Use
from callcenter.errors import IllegalTransition, Invalid, NotFound, Outdated
from callcenter.store import solutions as store
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.solutions import PUBLIC, STAFF
from tests.builders import NOW, arrive, later, make_floor, make_user

TEXTS = {"en": ("Refund times", "Three days by card."), "zh_CN": ("退款多久到账", "银行卡三天。")}


async def written(log: ContactLog, **changes: object) -> Solution:
    return await solutions.create(log, **{"texts": TEXTS, "actor": None, "now": NOW, **changes})  # type: ignore[arg-type]


async def found(pool: Pool, text: str, *, readers: tuple[Readers, ...] = STAFF) -> list[str]:
    return [each.title for each in await store.search(pool, text, readers=readers, language="en", limit=10)]


async def counts(pool: Pool) -> dict[str, int]:
    return {
        row["word"]: row["count"] for row in await pool.fetch("select word, count from solution_word where count <> 0")
    }


@pytest.fixture
def log(pool: Pool) -> ContactLog:
    return ContactLog(pool)


async def test_a_draft_is_found_by_nobody_until_it_is_published(log: ContactLog) -> None:
    draft = await written(log)
    assert draft.state is SolutionState.DRAFT
    assert await found(log.pool, "refund") == []
    done = await solutions.publish(log, draft.id, version=draft.version, actor=None, now=NOW)
    assert (done.state, done.published_at) == (SolutionState.PUBLISHED, NOW)
    assert await found(log.pool, "refund") == ["Refund times"]
    assert await found(log.pool, "refund", readers=PUBLIC) == []
    await solutions.change(log, draft.id, changes={"public": True}, version=None, actor=None, now=NOW)
    assert await found(log.pool, "refund", readers=PUBLIC) == ["Refund times"]
    await solutions.retire(log, draft.id, version=None, actor=None, now=NOW)
    assert await found(log.pool, "refund") == []


async def test_what_is_saved_is_a_proposal_and_readers_see_the_live_text(log: ContactLog) -> None:
    article = await written(log, publish=True)
    saved = await solutions.save(
        log,
        article.id,
        language="en",
        title="Refund delays",
        text="Five days.",
        version=article.version,
        actor=None,
        now=NOW,
    )
    english = saved.variant("en")
    assert (english.latest, english.live, english.title) == (2, 1, "Refund times")
    assert await found(log.pool, "delays") == []
    assert [each.id for each in await store.find(log.pool, store.Filter(proposed=True), below=2**60, limit=9)] == [
        article.id
    ]
    await solutions.publish(log, article.id, version=saved.version, actor=None, now=NOW)
    assert await found(log.pool, "delays") == ["Refund delays"]
    assert await found(log.pool, "times") == []


async def test_every_version_is_kept_and_an_old_one_comes_back_as_a_new_one(log: ContactLog) -> None:
    amy = await make_user(log.pool)
    article = await written(log, publish=True)
    await solutions.save(
        log,
        article.id,
        language="en",
        title="Refunds",
        text="Other.",
        version=None,
        actor=amy,
        now=later(60),
        publish=True,
    )
    back = await solutions.restore(log, article.id, language="en", n=1, version=None, actor=amy, now=later(120))
    assert back.variant("en").latest == 3
    kept = await store.versions(log.pool, article.id, language="en")
    assert [(each.n, each.title, each.author, each.at, each.restored_from, each.live) for each in kept] == [
        (3, "Refund times", amy, later(120), 1, False),
        (2, "Refunds", amy, later(60), None, True),
        (1, "Refund times", None, NOW, None, False),
    ]
    with pytest.raises(NotFound):
        await solutions.restore(log, article.id, language="en", n=9, version=None, actor=amy, now=NOW)


async def test_saving_the_same_text_again_writes_nothing(log: ContactLog) -> None:
    article = await written(log)
    title, text = TEXTS["en"]
    again = await solutions.save(
        log, article.id, language="en", title=title, text=text, version=None, actor=None, now=NOW
    )
    assert again.version == article.version


async def test_the_loser_of_two_writers_is_told(log: ContactLog) -> None:
    article = await written(log)

    async def save(text: str) -> Solution:
        return await solutions.save(
            log, article.id, language="en", title="T", text=text, version=article.version, actor=None, now=NOW
        )

    ends = await asyncio.gather(save("one"), save("two"), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Outdated", "Solution"]
    with pytest.raises(Outdated, match="meanwhile"):
        await solutions.retire(log, article.id, version=article.version, actor=None, now=NOW)


async def test_words_are_counted_by_the_texts_that_readers_find(log: ContactLog) -> None:
    first = await written(log, publish=True)
    second = await written(log)
    assert (await counts(log.pool))["refund"] == 1
    assert (await counts(log.pool))[""] == 2
    await solutions.publish(log, second.id, version=None, actor=None, now=NOW)
    assert (await counts(log.pool))["退款"] == 2
    await solutions.save(
        log, first.id, language="en", title="Returns", text="By post.", version=None, actor=None, now=NOW, publish=True
    )
    assert (await counts(log.pool))["refund"] == 1
    for each in (first, second):
        await solutions.retire(log, each.id, version=None, actor=None, now=NOW)
    assert await counts(log.pool) == {}


async def test_many_publish_at_once_and_the_counts_are_right(log: ContactLog) -> None:
    drafts = [await written(log) for _ in range(8)]
    await asyncio.gather(*[solutions.publish(log, each.id, version=None, actor=None, now=NOW) for each in drafts])
    assert (await counts(log.pool))["refund"] == 8


async def test_a_retired_article_is_not_retired_twice_and_can_be_published_again(log: ContactLog) -> None:
    article = await written(log)
    await solutions.retire(log, article.id, version=None, actor=None, now=NOW)
    with pytest.raises(IllegalTransition):
        await solutions.retire(log, article.id, version=None, actor=None, now=NOW)
    again = await solutions.publish(log, article.id, version=None, actor=None, now=NOW)
    assert again.state is SolutionState.PUBLISHED


async def test_bad_articles_are_refused_and_leave_nothing(log: ContactLog) -> None:
    refused: list[tuple[dict[str, object], str]] = [
        ({"texts": {}}, "texts"),
        ({"texts": {"english": ("a", "b")}}, "language"), ({"texts": {"en": ("", "b")}}, "title"),
        ({"owner": 999}, "owner"), ({"tags": ["a,b"]}, "tags"),
    ]  # fmt: skip
    for wrong, field in refused:
        with pytest.raises(Invalid) as refusal:
            await written(log, **wrong)
        assert refusal.value.field == field
    assert await log.pool.fetchval("select count(*) from solution") == 0


async def test_a_use_counts_once_a_case_and_can_be_taken_back(pool: Pool) -> None:
    floor = await make_floor(pool)
    article = await written(floor.log, publish=True)
    contact = await arrive(floor.log, queue=floor.queue)
    ticket = await tickets.open_ticket(
        floor.log, subject="Refund", customer=None, interaction=contact, queue=None, priority="normal", text=None,
        actor=floor.agent, now=NOW,
    )  # fmt: skip

    async def use(how: Use, **case: int) -> bool:
        named = {"ticket": None, "interaction": None, **case}
        return await solutions.use(floor.log, article.id, **named, how=how, actor=floor.agent, now=NOW)

    assert await use(Use.INSERTED, interaction=contact)
    assert not await use(Use.INSERTED, interaction=contact)
    assert await use(Use.SOLVED, ticket=ticket.id)
    assert await store.uses(pool, ticket=ticket.id, interaction=None) == {article.id: {"inserted", "solved"}}
    for there in (True, False):
        taken = await solutions.take_back(
            floor.log, article.id, ticket=ticket.id, interaction=None, how=Use.SOLVED, actor=floor.agent, now=NOW
        )
        assert taken == there
    assert await store.uses(pool, ticket=ticket.id, interaction=None) == {article.id: {"inserted"}}
    with pytest.raises(NotFound, match="ticket"):
        await use(Use.SOLVED, ticket=999)
    with pytest.raises(Invalid):
        await use(Use.SOLVED)


async def test_the_owner_is_told_once_when_the_review_is_due(log: ContactLog) -> None:
    amy, sue = await make_user(log.pool), await make_user(log.pool, "sue", role="supervisor")
    today = date(2026, 3, 10)
    owned = await written(log, publish=True, owner=amy, review_on=today)
    await written(log, publish=True, review_on=today - timedelta(days=1))
    await written(log, publish=True, owner=amy, review_on=today + timedelta(days=1))
    await written(log, owner=amy, review_on=today)  # a draft
    told = await asyncio.gather(*[solutions.remind(log, today=today, now=NOW) for _ in range(3)])
    assert sum(told) == 2
    rows = await log.pool.fetch("select user_id, solution_id from notice order by solution_id")
    assert [tuple(row) for row in rows] == [(amy, owned.id), (sue, owned.id + 1)]
    assert await solutions.remind(log, today=today, now=later(3600)) == 0
    # Another date is another reminder.
    await solutions.change(
        log, owned.id, changes={"review_on": today + timedelta(days=90)}, version=None, actor=amy, now=NOW
    )
    assert await solutions.remind(log, today=today + timedelta(days=90), now=later(7776000)) == 2


async def test_searches_are_kept_without_whom_they_name_and_forgotten(log: ContactLog) -> None:
    pool = log.pool
    for text, hits in [("Refund  to amy@shop.example", 0), ("refund to bo@shop.example", 2), ("  ", 0)]:
        await solutions.note_search(pool, text, place=ShownAt.HELP, found=hits, now=NOW)
    [row] = await pool.fetch("select query, count, missed from solution_search")
    assert tuple(row) == ("refund to @", 2, 1)
    await solutions.purge(pool, now=NOW + solutions.KEPT)
    assert await pool.fetchval("select count(*) from solution_search") == 1
    await solutions.purge(pool, now=NOW + solutions.KEPT + timedelta(seconds=1))
    assert await pool.fetchval("select count(*) from solution_search") == 0
