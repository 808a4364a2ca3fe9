"""What customers say of a contact, handed in by another system."""

import asyncio
from typing import Any

import pytest

from callcenter.actions import interactions, opinions
from tests.web.conftest import Doors

RULES = {"ask": "csat", "bad": 2, "delay": 0, "not_again": 86400, "valid": 86400, "change_within": 3600}


@pytest.fixture
async def contact(doors: Doors) -> int:
    """Handled by amy, in a queue that asks; wrapped up."""
    await doors.log.pool.execute("update queue set survey = $1 where name = 'support'", RULES)
    ident = await doors.arrive()
    offer = await doors.offer(ident, "amy")
    await interactions.answer(doors.log, offer, now=doors.clock())
    await interactions.end_interaction(doors.log, ident, cause="customer", now=doors.clock())
    return ident


async def post(doors: Doors, contact: int, who: str = "sue", **body: Any) -> tuple[int, Any]:
    response = await doors.call(who, "POST", f"/api/v1/interactions/{contact}/survey", json=body)
    return response.status, await response.json()


async def test_an_answer_is_kept_and_a_bad_one_opens_one_ticket(doors: Doors, contact: int) -> None:
    status, kept = await post(doors, contact, score=2, comment="slow")
    assert (status, kept["score"], kept["comment"], kept["bad"]) == (200, 2, "slow", 2)
    assert kept["ticket"] is not None
    status, again = await post(doors, contact, score=1)
    assert (again["score"], again["ticket"]) == (1, kept["ticket"])
    [item] = (await doors.get("sue", "/api/v1/surveys"))["items"]
    assert (item["via"], item["score"], item["letter"]) == ("api", 1, None)
    assert await doors.log.pool.fetchval("select count(*) from ticket") == 1


async def test_answers_count_in_the_figures(doors: Doors, contact: int) -> None:
    await post(doors, contact, score=5)
    found = await doors.get("sue", "/api/v1/surveys/summary")
    assert (found["total"]["csat"], found["total"]["asked"], found["agents"][0]["name"]) == (1.0, 1, "amy")


@pytest.mark.parametrize(
    ("body", "words"),
    [({"score": 6}, "Choose one of the answers."), ({"score": 11}, "score"), ({}, "score"), ({"score": 1, "x": 1}, "x"),
     ({"score": 1, "answers": {"speed": 3}}, "There is no question 'speed'.")],
)  # fmt: skip
async def test_what_is_no_answer_is_refused_with_the_reason(doors: Doors, contact: int, body: Any, words: str) -> None:
    status, problem = await post(doors, contact, **body)
    assert status == 422
    assert words in str(problem)


async def test_nobody_marks_their_own_work_and_only_what_a_queue_asks_is_answered(doors: Doors, contact: int) -> None:
    assert (await post(doors, contact, "amy", score=5))[0] == 403
    assert (await post(doors, 999_999, score=5))[0] == 404
    await doors.log.pool.execute("update queue set survey = null")
    status, problem = await post(doors, contact, score=5)
    assert (status, problem["detail"]) == (409, "The queue of this contact asks its customers nothing.")


async def test_an_answer_comes_too_late_when_it_can_no_longer_be_changed(doors: Doors, contact: int) -> None:
    await post(doors, contact, score=5)
    doors.clock.move(hours=2)
    assert (await post(doors, contact, score=1))[0] == 409


async def test_results_are_told_by_question(doors: Doors, contact: int) -> None:
    form = {
        "questions": [
            {"name": "speed", "kind": "score", "text": "Fast?"},
            {"name": "more", "kind": "text", "text": "More?"},
        ]
    }
    await doors.log.pool.execute(
        "insert into form (kind, name, version, definition, created_at) values ('survey', 'after', 1, $1, $2)",
        form, doors.clock(),
    )  # fmt: skip
    await doors.log.pool.execute("update queue set survey = $1", {**RULES, "form": "after"})
    await post(doors, contact, score=4, answers={"speed": 3, "more": "Well done."})
    found = await doors.get("sue", "/api/v1/surveys/questions?queue=support")
    assert found["questions"] == [
        {"form": "after", "question": "more", "kind": "text", "answers": 1, "mean": None, "counts": {}},
        {"form": "after", "question": "speed", "kind": "score", "answers": 1, "mean": 3.0, "counts": {"3": 1}},
    ]
    assert (await doors.get("sue", "/api/v1/surveys/questions?queue=billing"))["questions"] == []


async def test_who_did_not_answer_on_the_phone_may_answer_elsewhere(doors: Doors, contact: int) -> None:
    keypad = {**RULES, "by": ["keypad"], "prompt": "custom/how"}
    await doors.log.pool.execute("update queue set survey = $1", keypad)
    survey = await opinions.ask_caller(doors.log, contact, now=doors.clock())
    assert survey is not None
    doors.clock.move(hours=2)
    status, kept = await post(doors, contact, score=4)
    assert (status, kept["survey"], kept["score"]) == (200, survey.id, 4)
    [item] = (await doors.get("sue", "/api/v1/surveys"))["items"]
    assert item["via"] == "keypad"


async def test_of_callers_at_once_one_is_asked_once(doors: Doors, contact: int) -> None:
    asked = await asyncio.gather(*(opinions.ask_caller(doors.log, contact, now=doors.clock()) for _ in range(8)))
    assert len([each for each in asked if each is not None]) == 1
