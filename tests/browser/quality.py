"""Grades, disputes and a question to a customer, to be looked at."""

from callcenter.actions import forms
from callcenter.actions import quality as actions
from callcenter.domain import link
from callcenter.domain.form import FormEntry, FormKind
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.surveys import link_key
from tests.browser.gallery import add_person
from tests.builders import NOW, later

CARD = {
    "pass_mark": 80,
    "text": {"en": "Phone calls", "zh_CN": "电话", "zh_TW": "電話"},
    "sections": [
        {"name": "opening", "text": {"en": "Opening", "zh_CN": "开场", "zh_TW": "開場"}, "questions": [
            {"name": "greeting", "text": {"en": "Did they greet and give their name?", "zh_CN": "是否问候并报姓名？",
             "zh_TW": "是否問候並報姓名？"}, "weight": 2},
            {"name": "identity", "text": {"en": "Was the caller identified?", "zh_CN": "是否核实来电人身份？",
             "zh_TW": "是否核實來電人身分？"}, "critical": "all"},
        ]},
        {"name": "talk", "text": {"en": "Conversation", "zh_CN": "沟通", "zh_TW": "溝通"}, "questions": [
            {"name": "tone", "text": {"en": "Friendly and clear", "zh_CN": "友好、清楚", "zh_TW": "友善、清楚"},
             "kind": "scale", "weight": 3},
            {"name": "solution", "text": {"en": "Was the solution right?", "zh_CN": "解决方案是否正确？",
             "zh_TW": "解決方案是否正確？"}, "weight": 4, "na": True},
        ]},
    ],
}  # fmt: skip
FURTHER = {"questions": [
    {"name": "speed", "kind": "score",
     "text": {"en": "How fast were we?", "zh_CN": "我们够快吗？", "zh_TW": "我們夠快嗎？"}},
    {"name": "why", "kind": "choice", "when": "bad", "text": {"en": "What was wrong?", "zh_CN": "哪里不好？",
     "zh_TW": "哪裡不好？"}, "choices": [{"name": "slow", "text": {"en": "Too slow", "zh_CN": "太慢", "zh_TW": "太慢"}},
     {"name": "rude", "text": {"en": "Not friendly", "zh_CN": "不友好", "zh_TW": "不友善"}}]},
]}  # fmt: skip


async def quality_pages(pool: Pool) -> dict[str, tuple[str, str]]:
    """Some of bo's contacts are graded, one of them is disputed, one waits; a customer was asked about another."""
    log = ContactLog(pool)
    sue, bo = [await pool.fetchval("select id from users where name = $1", name) for name in ("sue", "bo")]
    await forms.put(log, FormEntry(FormKind.SCORECARD, "phone", CARD), actor=sue, now=NOW)
    await forms.put(log, FormEntry(FormKind.SURVEY, "after", FURTHER), actor=sue, now=NOW)
    rows = await pool.fetch(
        "select id from interaction where outcome = 'handled' and agent_id = $1 order by id limit 7", bo,
    )  # fmt: skip
    contacts = [row["id"] for row in rows]
    made = []
    for number, contact in enumerate(contacts[:6]):
        found = await actions.begin(log, contact, scorecard="phone", agent=None, evaluator=sue, now=NOW)
        made.append(found.id)
        if number:
            answers = {"greeting": number % 2, "identity": int(number != 3), "tone": number, "solution": 1}
            comment = "Calm and precise; say once more at the end what was agreed."
            at = later(-number * 7200)
            await actions.save(log, found.id, answers=answers, comment=comment, evaluator=sue, now=at, whole=True)
    both = [sue, await add_person(pool, "tom", "Tom Becker", role="supervisor")]
    blind = await actions.calibrate(log, contacts[5], scorecard="phone", evaluators=both, actor=sue, now=NOW)
    for row in await pool.fetch("select id, evaluator_id from evaluation where calibration_id = $1", blind):
        tone = 5 if row["evaluator_id"] == sue else 3
        differing = {"greeting": 1, "identity": 1, "tone": tone, "solution": None}
        await actions.save(
            log, row["id"], answers=differing, comment=None, evaluator=row["evaluator_id"], now=NOW, whole=True
        )
    await actions.dispute(log, made[3], text="I asked for the number at 0:40.", agent=bo, now=NOW)
    survey = await pool.fetchval(
        "insert into survey "
        "(interaction_id, queue_id, agent_id, ask, bad, change_within, asked_at, expires_at, form_id) "
        "select i.id, (select min(id) from queue), $2, 'csat', 2, '1 hour', $3, $4, "
        "(select id from form where kind = 'survey') from interaction i where i.id = $1 returning id",
        contacts[6], bo, NOW, later(86400),
    )  # fmt: skip
    token = link.sign(await link_key(pool), "survey", survey, expires=later(86400))
    stop = link.sign(await link_key(pool), "survey/stop", survey, expires=later(86400))
    return {
        "quality": ("sue", "/quality"),
        "quality-own": ("bo", "/quality"),
        "quality-form": ("sue", f"/quality/{made[0]}"),
        "quality-disputed": ("sue", f"/quality/{made[3]}"),
        "quality-scorecards": ("sue", "/quality/scorecards"),
        "quality-calibrations": ("sue", "/quality/calibrations"),
        "quality-calibration-one": ("sue", f"/quality/calibrations/{blind}"),
        "quality-survey": ("", f"/survey?t={token}&score=1"),
        "quality-stop": ("", f"/survey/stop?t={stop}"),
    }
