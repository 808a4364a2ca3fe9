"""Surveys over REST: one by one, and as the figures of those asked in a time."""

from datetime import datetime, timedelta

import pytest

from tests.builders import make_customer
from tests.web.conftest import Doors

DAY = timedelta(days=1)


async def survey(
    doors: Doors, score: int | None, *, ask: str = "csat", queue: str = "support", agent: str | None = "amy",
    letter: str | None = "sent", at: datetime | None = None,
) -> int:  # fmt: skip
    pool, asked = doors.log.pool, at or doors.clock()
    contact = await doors.arrive(queue)
    customer = await make_customer(pool)
    outbox = None
    if letter is not None:
        outbox = await pool.fetchval(
            "insert into outbox (recipient, template, state, created_at, due_at, expires_at, last_error) "
            "values ('wang@post.example', 'survey', $1, $2, $2, $2, $3) returning id",
            letter, asked, "550 no such user" if letter == "failed" else None,
        )  # fmt: skip
    ident: int = await pool.fetchval(
        "insert into survey (interaction_id, customer_id, queue_id, agent_id, outbox_id, ask, bad, change_within, "
        "asked_at, expires_at, score, answered_at) "
        "values ($1, $2, $3, $4, $5, $6, 0, '1 hour', $7, $8, $9, $10) returning id",
        contact, customer, doors.directory.queue_named(queue).id, doors.ids[agent] if agent else None, outbox, ask,
        asked, asked + DAY, score, asked if score is not None else None,
    )  # fmt: skip
    return ident


async def test_surveys_are_listed_newest_first_page_by_page_with_all_that_is_known(doors: Doors) -> None:
    idents = [await survey(doors, score) for score in (5, None, 2)]
    page = await doors.get("sue", "/api/v1/surveys?limit=2")
    assert [item["id"] for item in page["items"]] == [idents[2], idents[1]]
    rest = await doors.get("sue", f"/api/v1/surveys?limit=2&after={page['next']}")
    [item] = rest["items"]
    assert rest["next"] is None
    assert (item["queue"], item["agent"], item["ask"], item["score"]) == ("support", "amy", "csat", 5)
    assert (item["letter"], item["letter_error"], item["channel"]) == ("sent", None, "phone")


async def test_conditions_narrow_the_list(doors: Doors) -> None:
    first = await survey(doors, 5)
    second = await survey(doors, None, queue="billing", agent="bo", letter="failed")
    for query, wanted in [
        ("queue=billing", [second]), ("agent=amy", [first]), ("answered=true", [first]), ("answered=false", [second]),
        ("customer=1", [first]), ("interaction=2", [second]), ("queue=billing&agent=amy", []),
    ]:  # fmt: skip
        page = await doors.get("sue", f"/api/v1/surveys?{query}")
        assert ([item["id"] for item in page["items"]], page["next"]) == (wanted, None), query
    failed = (await doors.get("sue", "/api/v1/surveys?answered=false"))["items"][0]
    assert (failed["letter"], failed["letter_error"]) == ("failed", "550 no such user")


@pytest.mark.parametrize(
    "query", ["queue=nowhere", "agent=nobody", "answered=yes", "after=zz", "limit=0", "colour=red"]
)
async def test_bad_conditions_are_named(doors: Doors, query: str) -> None:
    response = await doors.call("sue", "GET", f"/api/v1/surveys?{query}")
    assert response.status == 422
    assert query.partition("=")[0] in str(await response.json())


@pytest.mark.parametrize("path", ["/surveys", "/surveys/summary"])
async def test_what_customers_said_is_for_supervisors(doors: Doors, path: str) -> None:
    assert (await doors.call("amy", "GET", f"/api/v1{path}")).status == 403
    assert (await doors.call(None, "GET", f"/api/v1{path}")).status == 401


async def test_the_summary_counts_those_who_were_asked_in_the_time(doors: Doors) -> None:
    for score in (5, 4, 3, 1, None):
        await survey(doors, score)
    for score in (10, 9, 3, None):
        await survey(doors, score, ask="nps", queue="billing", agent="bo")
    await survey(doors, 1, ask="solved", queue="billing", agent=None)
    await survey(doors, None, letter="failed")
    await survey(doors, None, letter="waiting")
    await survey(doors, 1, at=doors.clock() - DAY)
    found = await doors.get("sue", "/api/v1/surveys/summary")
    total, queues, agents = found["total"], found["queues"], found["agents"]
    assert (total["name"], total["asked"], total["answered"], total["response_rate"]) == (None, 10, 8, 0.8)
    billing, support = queues
    assert (support["name"], support["csat"], support["csat_answers"], support["nps"]) == ("support", 0.5, 4, None)
    assert billing["nps"] == pytest.approx(100 / 3)
    assert (billing["nps_answers"], billing["solved"], billing["asked"]) == (3, 1.0, 5)
    assert [each["name"] for each in agents] == ["amy", "bo", None]
    assert agents[0]["csat"] == 0.5


async def test_before_anybody_was_asked_there_are_no_figures(doors: Doors) -> None:
    found = await doors.get("sue", "/api/v1/surveys/summary?from=2026-01-01&to=2026-02-01")
    assert (found["queues"], found["agents"]) == ([], [])
    assert (found["total"]["asked"], found["total"]["csat"], found["total"]["response_rate"]) == (0, None, None)


async def test_letters_that_wait_are_counted(doors: Doors) -> None:
    await survey(doors, None, letter="waiting", at=doors.clock())
    text = await (await doors.call(None, "GET", "/metrics")).text()
    assert "callcenter_mail_waiting 1.0" in text
    assert "callcenter_mail_oldest_seconds " in text
