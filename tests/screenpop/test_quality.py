"""The evaluator's worklist and form, the agent's own grades, and the page where scorecards are written."""

from html import unescape

import pytest

from callcenter.actions import forms, interactions
from callcenter.actions import quality as actions
from callcenter.domain.form import FormEntry, FormKind
from tests.builders import NOW, arrive, later, make_user, on_queue, reserve
from tests.screenpop.conftest import House

CARD = {
    "pass_mark": 80,
    "sections": [
        {"name": "opening", "text": {"en": "Opening", "zh_CN": "开场"}, "questions": [
            {"name": "greeting", "text": "Did they greet?", "weight": 2},
            {"name": "identity", "text": "Identified?", "critical": "all"},
            {"name": "tone", "text": "Tone", "kind": "scale", "weight": 7, "na": True},
        ]}
    ],
}  # fmt: skip
ANSWERS = {"answers.greeting": "1", "answers.identity": "1", "answers.tone": "4"}


@pytest.fixture
async def contact(house: House) -> int:
    """Handled by amy, while there is a scorecard `phone`."""
    await forms.put(house.log, FormEntry(FormKind.SCORECARD, "phone", CARD), actor=house.users["sue"], now=NOW)
    agent = house.users["amy"]
    await on_queue(house.log, agent, now=later(-200))
    ident = await arrive(house.log, queue=house.queue, now=later(-180))
    offer = await reserve(house.log, ident, agent, now=later(-170))
    await interactions.answer(house.log, offer, now=later(-160))
    await interactions.end_interaction(house.log, ident, cause="customer", now=later(-100))
    await interactions.wrap_up(house.log, offer, queue=None, disposition=None, note=None, now=later(-60))
    return ident


async def page(house: House, path: str, *, status: int = 200) -> str:
    response = await house.client.get(path, headers={"Accept-Language": "en"})
    assert response.status == status
    return unescape(await response.text())


async def post(house: House, who: str, path: str, **fields: str):
    data = {"csrf": house.csrf[who], **fields}
    return await house.client.post(path, data=data, headers={"Accept-Language": "en"}, allow_redirects=False)


async def begun(house: House, contact: int) -> int:
    found = await actions.begin(
        house.log, contact, scorecard="phone", agent=None, evaluator=house.users["sue"], now=NOW
    )
    return found.id


async def test_a_supervisor_chooses_a_contact_and_grades_it_on_the_page(house: House, contact: int) -> None:
    await house.sign_in("sue")
    assert "Nothing waits." in await page(house, "/quality")
    response = await post(house, "sue", "/quality", interaction=str(contact), scorecard="phone")
    assert response.status == 303
    at = response.headers["Location"]
    assert f'<a href="{at}">#{contact} · Call</a>' in await page(house, "/quality")
    assert "Did they greet?" in await page(house, at)
    assert (await post(house, "sue", at, act="save", **{"answers.tone": "na"})).status == 303
    assert 'name="answers.tone" value="na" checked' in await page(house, at)
    refused = await post(house, "sue", at, act="grade", comment="typed", **{"answers.tone": "3"})
    assert refused.status == 422
    text = unescape(await refused.text())
    assert 'name="answers.tone" value="3" checked' in text
    assert ">typed</textarea>" in text
    assert (await post(house, "sue", at, act="grade", **ANSWERS)).headers["Location"] == "/quality"
    text = await page(house, at)
    assert "86 % · passed" in text
    assert "Save for later" not in text
    overview = await page(house, "/quality")
    assert '<td><bdi>Amy</bdi></td><td class="figure">1</td><td class="figure">86 %</td>' in overview
    assert '<td><bdi>Tone</bdi></td><td class="figure">1</td><td class="figure">80 %</td>' in overview


async def test_an_agent_sees_their_own_grades_and_disputes_one_which_the_supervisor_changes(
    house: House, contact: int
) -> None:
    ident = await begun(house, contact)
    await house.sign_in("amy")
    assert "None of your conversations was graded yet." in await page(house, "/quality")
    await page(house, f"/quality/{ident}", status=403)
    await actions.save(
        house.log, ident, answers={"greeting": 1, "identity": 0, "tone": 4}, comment="Ask <who> it is.",
        evaluator=house.users["sue"], now=NOW, whole=True,
    )  # fmt: skip
    text = await page(house, f"/quality/{ident}")
    assert "0 % · not passed" in text
    assert "Ask <who> it is." in text
    assert 'class="item is-failed"' in text
    assert (await post(house, "amy", f"/quality/{ident}", act="dispute", text=" ")).status == 422
    assert (await post(house, "amy", f"/quality/{ident}", act="uphold", text="no")).status == 403
    assert (await post(house, "amy", f"/quality/{ident}", act="dispute", text="I asked!")).status == 303
    assert "Dispute the grade" not in await page(house, f"/quality/{ident}")
    await house.sign_in("bo")
    await page(house, f"/quality/{ident}", status=403)
    await house.sign_in("sue")
    assert "Disputed" in await page(house, "/quality")
    assert "I asked!" in await page(house, f"/quality/{ident}")
    done = await post(house, "sue", f"/quality/{ident}", act="replace", reason="Right: at 0:20.", **ANSWERS)
    assert done.status == 303
    assert "Right: at 0:20." in await page(house, done.headers["Location"])
    assert "Another grade has taken its place:" in await page(house, f"/quality/{ident}")


async def test_what_cannot_be_begun_is_told_beside_the_form(house: House, contact: int) -> None:
    await house.sign_in("sue")
    response = await post(house, "sue", "/quality", interaction="x1", scorecard="phone")
    assert response.status == 422
    assert "That is no number." in unescape(await response.text())
    response = await post(house, "sue", "/quality", interaction="999", scorecard="phone")
    assert response.status == 404
    await house.sign_in("amy")
    assert (await post(house, "amy", "/quality", interaction=str(contact), scorecard="phone")).status == 403


async def test_scorecards_are_written_on_a_page_and_mistakes_are_told_with_their_lines(house: House) -> None:
    await house.sign_in("sue")
    text = await page(house, "/quality/scorecards")
    source = text.partition('spellcheck="false">')[2].partition("</textarea>")[0]
    assert (await post(house, "sue", "/quality/scorecards", source=source)).status == 303
    text = await page(house, "/quality/scorecards?done")
    assert 'name = "greeting"' in text
    assert await house.pool.fetchval("select count(*) from form") == 1
    broken = await post(house, "sue", "/quality/scorecards", source="[[scorecards]]\nname = 'a'\npass_mark = 101")
    assert broken.status == 422
    assert "line 3" in await broken.text()
    other = await post(house, "sue", "/quality/scorecards", source="[[queues]]\nname = 'a'")
    assert other.status == 422
    await house.sign_in("amy")
    await page(house, "/quality/scorecards", status=403)


async def test_a_calibration_is_begun_on_its_page_and_shows_the_spread_when_all_have_graded(
    house: House, contact: int
) -> None:
    tom = await make_user(house.pool, "tom", role="supervisor")
    await house.directory.load()
    await house.sign_in("sue")
    alone = await post(house, "sue", "/quality/calibrations", interaction=f"#{contact}", scorecard="phone")
    assert alone.status == 422
    assert "two evaluators or more" in await alone.text()
    data = [("csrf", house.csrf["sue"]), ("interaction", f"#{contact}"), ("scorecard", "phone")]
    data += [("evaluator", str(each)) for each in (house.users["sue"], tom)]
    begun = await house.client.post("/quality/calibrations", data=data, allow_redirects=False)
    at = begun.headers["Location"]
    assert "Grades are shown when all have graded." in await page(house, at)
    rows = await house.pool.fetch("select id, evaluator_id from evaluation order by id")
    for number, row in enumerate(rows):
        answers = {"greeting": 1, "identity": 1, "tone": 2 + number}
        await actions.save(
            house.log, row["id"], answers=answers, comment=None, evaluator=row["evaluator_id"], now=NOW, whole=True
        )
    text = await page(house, at)
    assert '<td><bdi>Tone</bdi></td><td class="figure">40 %</td><td class="figure">60 %</td>' in text
    assert f'<a href="{at}">#{contact}</a>' in await page(house, "/quality/calibrations")
    await house.sign_in("amy")
    await page(house, at, status=403)
