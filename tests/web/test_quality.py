"""Quality: drawn, graded, disputed and decided, over REST."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from callcenter.actions import interactions, quality
from callcenter.domain.agent import Role
from tests.web.conftest import Doors

CARD = {
    "pass_mark": 80,
    "sections": [
        {
            "name": "opening", "text": "Opening", "questions": [
                {"name": "greeting", "text": {"en": "Greeted?", "zh_CN": "问候了吗？"}, "weight": 2},
                {"name": "identity", "text": "Identified?", "critical": "all"},
            ],
        },
        {"name": "talk", "text": "Talk", "questions": [
            {"name": "tone", "text": "Tone", "kind": "scale", "weight": 7, "na": True}
        ]},
    ],
}  # fmt: skip
WELL = {"greeting": 1, "identity": 1, "tone": 4}


@pytest.fixture
async def centre(doors: Doors) -> Doors:
    """With the scorecard `phone`, and a second supervisor, tom."""
    await doors.add_user("tom", Role.SUPERVISOR)
    status, _ = await ask(doors, "PUT", "/scorecards/phone", "sue", **CARD)
    assert status == 200
    return doors


async def ask(doors: Doors, method: str, path: str, who: str = "sue", /, **body: Any) -> tuple[int, Any]:
    response = await doors.call(who, method, f"/api/v1{path}", json=body)
    return response.status, await response.json()


async def handled(doors: Doors, agent: str = "amy", **more: Any) -> int:
    """A conversation that was wrapped up."""
    ident = await doors.arrive(**more)
    offer = await doors.offer(ident, agent)
    await interactions.answer(doors.log, offer, now=doors.clock())
    doors.clock.move(minutes=2)
    await interactions.end_interaction(doors.log, ident, cause="customer", now=doors.clock())
    await interactions.wrap_up(doors.log, offer, queue=None, disposition=None, note=None, now=doors.clock())
    return ident


async def begun(doors: Doors, contact: int | None = None) -> int:
    contact = contact or await handled(doors)
    status, found = await ask(doors, "POST", "/evaluations", "sue", interaction=contact, scorecard="phone")
    assert (status, found["agent"], found["state"]) == (201, "amy", "draft")
    return int(found["id"])


async def graded(doors: Doors, **answers: int | None) -> int:
    ident = await begun(doors)
    status, _ = await ask(doors, "POST", f"/evaluations/{ident}/grade", "sue", answers={**WELL, **answers})
    assert status == 200
    return ident


async def test_a_conversation_is_graded_by_the_weights_of_its_scorecard(centre: Doors) -> None:
    ident = await begun(centre)
    status, draft = await ask(centre, "PUT", f"/evaluations/{ident}/draft", answers={"greeting": 1}, comment="so far")
    assert (status, draft["state"], draft["answers"], draft["total"]) == (200, "draft", {"greeting": 1}, None)
    status, problem = await ask(centre, "POST", f"/evaluations/{ident}/grade", answers={"greeting": 1})
    assert (status, problem["detail"]) == (422, "Without an answer: identity, tone.")
    status, found = await ask(centre, "POST", f"/evaluations/{ident}/grade", answers=WELL, comment="well done")
    assert (found["total"], found["passed"], found["sections"]) == (86.0, True, {"opening": 100.0, "talk": 80.0})
    assert (found["evaluator"], found["comment"], found["failed"]) == ("sue", "well done", [])
    status, _ = await ask(centre, "POST", f"/evaluations/{ident}/grade", answers=WELL)
    assert status == 409


async def test_a_critical_failure_takes_it_all(centre: Doors) -> None:
    ident = await graded(centre, identity=0)
    found = await centre.get("sue", f"/api/v1/evaluations/{ident}")
    assert (found["total"], found["passed"], found["failed"]) == (0.0, False, ["identity"])


async def test_a_grade_keeps_the_form_by_which_it_was_given_and_no_hand_changes_it(centre: Doors) -> None:
    ident = await graded(centre)
    await ask(centre, "PUT", "/scorecards/phone", "sue", **{**CARD, "pass_mark": 95})
    found = await centre.get("sue", f"/api/v1/evaluations/{ident}")
    assert (found["passed"], found["scorecard_version"], found["form"]["pass_mark"]) == (True, 1, 80)
    for change in ("total = 100", "answers = '{}'", "comment = 'x'", "form_id = form_id + 1", "state = 'draft'"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await centre.log.pool.execute(f"update evaluation set {change} where id = $1", ident)
    with pytest.raises(asyncpg.RestrictViolationError):
        await centre.log.pool.execute("delete from evaluation where id = $1", ident)


async def test_what_was_graded_by_keeps_its_questions_and_may_be_retired(centre: Doors) -> None:
    draft = await begun(centre)
    pool = centre.log.pool
    await pool.execute("update form set definition = definition || '{}' where name = 'phone'")
    await pool.execute("update form set definition = definition || '{\"pass_mark\": 70}' where name = 'phone'")
    await pool.execute("delete from evaluation where id = $1", draft)
    await graded(centre)
    for change in ("definition = definition || '{\"pass_mark\": 1}'", "version = 9", "name = 'x'"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await pool.execute(f"update form set {change} where name = 'phone'")
    await pool.execute("update form set active = false where name = 'phone'")


async def test_agents_see_their_own_grades_and_dispute_them_once(centre: Doors) -> None:
    draft = await begun(centre)
    ident = await graded(centre, tone=1)
    assert [each["id"] for each in (await centre.get("amy", "/api/v1/evaluations"))["items"]] == [ident]
    assert (await centre.get("bo", "/api/v1/evaluations"))["items"] == []
    assert (await centre.call("bo", "GET", f"/api/v1/evaluations/{ident}")).status == 403
    assert (await centre.call("amy", "GET", f"/api/v1/evaluations/{draft}")).status == 403
    status, found = await ask(centre, "POST", f"/evaluations/{ident}/dispute", "amy", text="I was polite.")
    assert (status, found["state"], found["dispute"]) == (200, "disputed", "I was polite.")
    assert (await ask(centre, "POST", f"/evaluations/{ident}/uphold", "amy", text="no"))[0] == 403
    status, found = await ask(centre, "POST", f"/evaluations/{ident}/uphold", "sue", text="Listen to 2:10.")
    assert (status, found["state"], found["decided_by"]) == (200, "upheld", "sue")
    status, problem = await ask(centre, "POST", f"/evaluations/{ident}/dispute", "amy", text="Again!")
    assert (status, problem["detail"]) == (409, "This grade was disputed before; the decision stands.")


async def test_a_correction_is_a_new_evaluation_with_its_reason(centre: Doors) -> None:
    ident = await graded(centre, tone=1)
    await ask(centre, "POST", f"/evaluations/{ident}/dispute", "amy", text="I was polite.")
    assert (await ask(centre, "POST", f"/evaluations/{ident}/replace", answers=WELL, reason=" "))[0] == 422
    status, new = await ask(centre, "POST", f"/evaluations/{ident}/replace", "tom", answers=WELL, reason="Heard anew.")
    assert (status, new["state"], new["replaces"], new["reason"]) == (200, "graded", ident, "Heard anew.")
    assert (new["evaluator"], new["total"]) == ("tom", 86.0)
    old = await centre.get("sue", f"/api/v1/evaluations/{ident}")
    assert (old["state"], old["replaced_by"], old["answers"]["tone"], old["decision"]) == (
        "changed", new["id"], 1, "Heard anew.",
    )  # fmt: skip
    assert (await ask(centre, "POST", f"/evaluations/{new['id']}/dispute", "amy", text="More!"))[0] == 409
    figures = await centre.get("sue", "/api/v1/evaluations/summary")
    assert [(each["agent"], each["evaluations"], each["mean"]) for each in figures["agents"]] == [("amy", 1, 86.0)]
    assert {each["question"]: each["mean"] for each in figures["questions"]} == {
        "greeting": 1.0, "identity": 1.0, "tone": 0.8,
    }  # fmt: skip


async def test_what_cannot_be_graded_is_refused_with_the_reason(centre: Doors) -> None:
    waiting = await centre.arrive()
    contact = await handled(centre)
    for body, status, words in [
        ({"interaction": waiting, "scorecard": "phone"}, 409, "Only what an agent has handled"),
        ({"interaction": 999_999, "scorecard": "phone"}, 404, "no interaction"),
        ({"interaction": contact, "scorecard": "chat"}, 422, "There is no scorecard 'chat'."),
        ({"interaction": contact, "scorecard": "phone", "agent": "bo"}, 422, "no part in it"),
    ]:
        found, problem = await ask(centre, "POST", "/evaluations", "sue", **body)
        assert (found, words in problem["detail"]) == (status, True), problem
    await begun(centre, contact)
    assert (await ask(centre, "POST", "/evaluations", "tom", interaction=contact, scorecard="phone"))[0] == 409


async def test_nobody_grades_their_own_work_or_what_another_has_taken(centre: Doors) -> None:
    await centre.log.pool.execute(
        "insert into queue_member (queue_id, user_id) select id, $1 from queue", centre.ids["tom"]
    )
    await centre.directory.load()
    contact = await handled(centre, "tom")
    assert (await ask(centre, "POST", "/evaluations", "tom", interaction=contact, scorecard="phone"))[0] == 403
    ident = await begun(centre)
    assert (await ask(centre, "PUT", f"/evaluations/{ident}/draft", "tom", answers={}))[0] == 403
    assert (await ask(centre, "PUT", f"/evaluations/{ident}/draft", "amy", answers={}))[0] == 403


async def test_evaluators_of_a_calibration_are_blind_until_all_have_graded(centre: Doors) -> None:
    contact = await handled(centre)
    status, found = await ask(
        centre, "POST", "/calibrations", "sue", interaction=contact, scorecard="phone", evaluators=["sue", "tom"]
    )
    assert (status, found["waiting"], found["spread"]) == (201, ["sue", "tom"], [])
    [mine] = (await centre.get("sue", "/api/v1/evaluations"))["items"]
    [theirs] = (await centre.get("tom", "/api/v1/evaluations"))["items"]
    await ask(centre, "POST", f"/evaluations/{mine['id']}/grade", "sue", answers=WELL)
    assert (await centre.call("tom", "GET", f"/api/v1/evaluations/{mine['id']}")).status == 403
    half = await centre.get("tom", f"/api/v1/calibrations/{found['id']}")
    assert (half["graded"], half["totals"], half["spread"]) == (["sue"], {}, [])
    await ask(centre, "POST", f"/evaluations/{theirs['id']}/grade", "tom", answers={**WELL, "tone": 2})
    whole = await centre.get("sue", f"/api/v1/calibrations/{found['id']}")
    assert whole["totals"] == {"sue": 86.0, "tom": 58.0}
    first = whole["spread"][0]
    assert (first["question"], first["lowest"], first["highest"], first["applied"]) == ("tone", 0.4, 0.8, 2)
    assert (await centre.call("tom", "GET", f"/api/v1/evaluations/{mine['id']}")).status == 200
    assert (await centre.get("amy", "/api/v1/evaluations"))["items"] == []
    assert (await centre.get("sue", "/api/v1/evaluations/summary"))["agents"] == []
    status, _ = await ask(centre, "POST", f"/evaluations/{mine['id']}/replace", answers=WELL, reason="x")
    assert status == 409


async def test_who_knows_all_grades_of_a_calibration_that_was_ended_grades_no_more(centre: Doors) -> None:
    contact = await handled(centre)
    _, found = await ask(
        centre, "POST", "/calibrations", "sue", interaction=contact, scorecard="phone", evaluators=["sue", "tom"]
    )
    [mine] = (await centre.get("sue", "/api/v1/evaluations"))["items"]
    [theirs] = (await centre.get("tom", "/api/v1/evaluations"))["items"]
    await ask(centre, "POST", f"/evaluations/{mine['id']}/grade", "sue", answers=WELL)
    assert (await ask(centre, "POST", f"/calibrations/{found['id']}/close", "sue"))[0] == 200
    status, refused = await ask(centre, "POST", f"/evaluations/{theirs['id']}/grade", "tom", answers=WELL)
    assert (status, refused["detail"]) == (409, "This calibration has ended; all grades are known.")


@pytest.mark.parametrize(
    ("evaluators", "words"),
    [(["sue"], "two evaluators or more"), (["sue", "amy"], "are supervisors"), (["sue", "zed"], "zed")],
)
async def test_a_calibration_needs_evaluators(centre: Doors, evaluators: list[str], words: str) -> None:
    contact = await handled(centre)
    status, problem = await ask(
        centre, "POST", "/calibrations", "sue", interaction=contact, scorecard="phone", evaluators=evaluators
    )
    assert (status, words in str(problem)) == (422, True)


async def test_rules_draw_so_many_of_each_agent_once_a_week_and_the_seed_is_kept(centre: Doors) -> None:
    pool = centre.log.pool
    await pool.execute(
        "insert into form (kind, name, version, definition, created_at) values ('sampling', 'weekly', 1, $1, $2)",
        {"scorecard": "phone", "per_agent": 2, "queue": "support", "longer_than": "1m"}, centre.clock(),
    )  # fmt: skip
    for agent in ("amy", "amy", "amy", "bo"):
        await handled(centre, agent)
    assert await quality.draw_due(centre.log, now=centre.clock()) == 0  # of the week before, in which nothing was
    later = centre.clock() + timedelta(days=7)
    assert await quality.draw_due(centre.log, now=later) == 3
    assert await quality.draw_due(centre.log, now=later) == 0
    samples = (await centre.get("sue", "/api/v1/samples"))["items"]
    assert [(each["rule"], each["drawn"], each["waiting"]) for each in samples] == [("weekly", 3, 3), ("weekly", 0, 0)]
    assert samples[0]["seed"] != samples[1]["seed"]
    found = (await centre.get("sue", "/api/v1/evaluations?state=draft"))["items"]
    assert sorted(each["agent"] for each in found) == ["amy", "amy", "bo"]
    assert {each["evaluator"] for each in found} == {None}
    ident = found[0]["id"]
    await ask(centre, "PUT", f"/evaluations/{ident}/draft", "tom", answers={})
    assert (await centre.get("sue", f"/api/v1/evaluations/{ident}"))["evaluator"] == "tom"


@pytest.mark.parametrize(
    ("body", "words"),
    [({"pass_mark": 80}, "sections"), ({**CARD, "pass_mark": 120}, "pass_mark"), ({**CARD, "colour": 1}, "colour"),
     ({"pass_mark": 1, "sections": [{"name": "s", "text": "S", "questions": []}]}, "sections.0.questions")],
)  # fmt: skip
async def test_a_scorecard_that_cannot_be_meant_is_refused_with_its_place(centre: Doors, body: Any, words: str) -> None:
    status, problem = await ask(centre, "PUT", "/scorecards/chat", "sue", **body)
    assert (status, words in str(problem["errors"])) == (422, True), problem
    assert (await ask(centre, "PUT", "/scorecards/chat", "amy", **CARD))[0] == 403
    assert [each["name"] for each in (await centre.get("amy", "/api/v1/scorecards"))["items"]] == ["phone"]
