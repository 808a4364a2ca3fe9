"""The mail that asks, and the page behind its links: nothing is stored by looking at it."""

import re
from datetime import timedelta
from html import unescape

import pytest

from callcenter.actions import interactions, opinions, surveys
from callcenter.domain import link
from callcenter.domain.outbox import Letter
from callcenter.errors import Invalid
from callcenter.store import surveys as store
from screenpop.letters import Letters
from screenpop.wallboard import BOARD
from tests.builders import NOW, arrive, later, make_customer, on_queue, reserve, settled
from tests.screenpop.conftest import House

DAY = timedelta(days=1)
ENGLISH = {"Accept-Language": "en"}
RULES = {"ask": "csat", "bad": 2, "delay": 0, "not_again": 86400, "valid": 14 * 86400, "change_within": 3600}


class Asked:
    """A customer who had a call a minute ago and was asked how it was."""

    def __init__(self, house: House, survey: int, letter: Letter) -> None:
        self.house = house
        self.survey = survey
        self.letter = letter

    @property
    def links(self) -> list[str]:
        """To the answers."""
        urls = re.findall(r"https://care\.example(/survey\?\S+)", self.letter.text)
        return [str(url) for url in urls]

    @property
    def stop(self) -> str:
        assert self.letter.stop is not None
        return self.letter.stop.removeprefix("https://care.example")

    async def get(self, path: str) -> str:
        response = await self.house.client.get(path)
        assert response.status == 200
        assert response.headers["X-Robots-Tag"] == "noindex"
        return unescape(await response.text())

    async def post(self, **fields: str):
        token = self.links[0].partition("t=")[2].partition("&")[0]
        return await self.house.client.post("/survey", data={"t": token, **fields}, allow_redirects=False)

    async def kept(self) -> store.Survey:
        return await store.get(self.house.pool, self.survey)

    def move(self, by: timedelta) -> None:
        self.house.moment.now = NOW + by


async def asked_in(house: House, language: str | None, **rules: object) -> Asked:
    pool, agent = house.pool, house.users["amy"]
    await pool.execute(
        "update organisation set name = 'Heronbay', timezone = 'Asia/Shanghai', languages = '{zh_CN,en}'"
    )
    await pool.execute("update queue set survey = $1", {**RULES, **rules})
    customer = await make_customer(pool, phone="+8613800138000")
    await pool.execute("update customer set language = $1", language)
    await pool.execute(
        "insert into address (customer_id, kind, value) values ($1, 'email', 'wang@post.example')", customer
    )
    await on_queue(house.log, agent, now=later(-200))
    contact = await arrive(house.log, queue=house.queue, now=later(-180))
    offer = await reserve(house.log, contact, agent, now=later(-170))
    await interactions.answer(house.log, offer, now=later(-160))
    await interactions.end_interaction(house.log, contact, cause="customer", now=later(-100))
    await interactions.wrap_up(house.log, offer, queue=None, disposition=None, note=None, now=later(-60))
    await settled(pool)
    assert await surveys.ask_about_closed(house.log, now=NOW) == 1
    await house.directory.load()
    [row] = await pool.fetch("select language, template, data from outbox")
    letters = Letters(
        house.hub.renderer, organisation=lambda: house.directory.organisation, key=await store.link_key(pool),
        site="https://care.example",
    )  # fmt: skip
    return Asked(house, row["data"]["survey"], letters.write(row["template"], row["language"], row["data"]))


@pytest.mark.parametrize(
    ("language", "subject", "question"),
    [
        ("en", "Heronbay: how did we do?", "How satisfied are you with how we helped you?"),
        ("zh_TW", "Heronbay：我們的服務如何？", "您對我們的服務滿意嗎？"),
        ("zh-Hant-HK", "Heronbay：我們的服務如何？", "您對我們的服務滿意嗎？"),
        ("zh", "Heronbay：我们的服务如何？", "您对我们的服务满意吗？"),
        ("fr", "Heronbay：我们的服务如何？", "您对我们的服务满意吗？"),
        (None, "Heronbay：我们的服务如何？", "您对我们的服务满意吗？"),
    ],
)
async def test_the_mail_is_in_the_customers_language_or_the_organisations_first(house, language, subject, question):
    letter = (await asked_in(house, language)).letter
    assert letter.subject == subject
    assert question in letter.text
    assert letter.html is not None
    assert question in letter.html
    assert ("10 Mar" if language == "en" else "3月10日") in letter.text


@pytest.mark.parametrize(("ask", "count"), [("csat", 5), ("nps", 11), ("solved", 2)])
async def test_each_answer_has_a_link_of_its_own_and_both_forms_have_the_same(house, ask, count):
    asked = await asked_in(house, "en", ask=ask, bad=0)
    assert len(asked.links) == count
    assert asked.letter.html is not None
    found = [
        unescape(url).removeprefix("https://care.example") for url in re.findall(r'href="([^"]+)"', asked.letter.html)
    ]
    assert found == [*asked.links, asked.stop]


async def test_a_letter_that_nobody_knows_is_refused(house):
    letters = Letters(house.hub.renderer, organisation=lambda: house.directory.organisation, key=b"", site="")
    with pytest.raises(Invalid):
        letters.write("unknown", None, {})


async def test_whoever_follows_links_only_answers_nothing(house):
    asked = await asked_in(house, "en")
    for path in asked.links:
        text = await asked.get(path)
        assert "How satisfied are you" in text
        assert re.search(rf'value="{path[-1]}"[^>]* checked', text)
        await house.client.head(path)
    assert (await asked.kept()).score is None


async def test_the_button_stores_the_answer_which_may_be_changed_for_a_while(house):
    asked = await asked_in(house, "en")
    response = await asked.post(score="4", comment="Kind & quick <3")
    assert response.status == 303
    text = await asked.get(response.headers["Location"])
    assert "Thank you. You answered: 4/5" in text
    assert "You can change your answer until 10 Mar 17:30." in text
    assert "Kind & quick <3</textarea>" in text
    assert (await asked.kept()).comment == "Kind & quick <3"
    asked.move(timedelta(minutes=59))
    assert (await asked.post(score="5")).status == 303
    assert (await asked.kept()).score == 5
    asked.move(timedelta(hours=1))
    text = await asked.get(asked.links[0])
    assert "You answered: 5/5" in text
    assert "<form" not in text
    late = await asked.post(score="1")
    assert late.status == 409
    assert (await asked.kept()).score == 5


async def test_only_what_was_clicked_and_is_not_kept_yet_is_sent_by_the_page(house):
    asked = await asked_in(house, "en")
    sends = re.compile(r"<form[^>]* data-send")
    assert sends.search(await asked.get(asked.links[3]))
    bare = asked.links[3].partition("&")[0]
    assert not sends.search(await asked.get(bare))
    assert not sends.search(await asked.get(f"{bare}&score=9"))
    kept = await asked.post(score=asked.links[3][-1], comment="Kind")
    assert not sends.search(await asked.get(kept.headers["Location"]))
    assert not sends.search(await asked.get(asked.links[3]))
    assert sends.search(await asked.get(asked.links[0]))
    await asked.post(score=asked.links[0][-1], only="score", comment="")
    survey = await asked.kept()
    assert (survey.score, survey.comment) == (int(asked.links[0][-1]), "Kind")
    assert not sends.search(await (await asked.post(score="9")).text())


async def test_a_redirect_is_counted_as_what_it_is(house):
    asked = await asked_in(house, "en")
    await asked.post(score="4")
    text = await (await house.client.get("/metrics")).text()
    assert 'callcenter_http_requests_total{method="POST",route="/survey",status="303"} 1.0' in text


async def test_what_a_customer_wrote_is_shown_as_text(house):
    asked = await asked_in(house, "en")
    await asked.post(score="4", comment="</textarea><script>alert(1)</script>")
    raw = await (await house.client.get(asked.links[0])).text()
    assert "<script>alert" not in raw


@pytest.mark.parametrize(
    "fields", [{}, {"score": ""}, {"score": "6"}, {"score": "five"}, {"score": "4", "comment": "x" * 2001}]
)
async def test_an_answer_that_is_none_is_asked_for_again_with_what_was_written(house, fields):
    asked = await asked_in(house, "zh_CN")
    response = await asked.post(**{"comment": "你好", **fields})
    text = await response.text()
    assert response.status == 422
    assert ("留言太长" if "comment" in fields else "请选择其中一项") in text
    assert "</textarea>" in text
    assert (await asked.kept()).score is None


@pytest.mark.parametrize("path", ["/survey", "/survey?t=", "/survey?t=abc&score=4", "/survey?score=4"])
async def test_a_link_that_is_not_whole_says_so(house, path):
    response = await house.client.get(path)
    assert response.status == 404
    assert "This link is not whole" in await response.text()
    assert (await house.client.post("/survey", data={"t": "abc", "score": "1"})).status == 404


async def test_a_link_that_is_too_old_says_so(house):
    asked = await asked_in(house, "en")
    asked.move(15 * DAY)
    response = await house.client.get(asked.links[0], headers=ENGLISH)
    assert response.status == 410
    assert "This survey is over" in await response.text()
    assert (await asked.post(score="1")).status == 410


async def test_a_link_for_another_purpose_opens_nothing(house):
    asked = await asked_in(house, "en")
    token = link.sign(await store.link_key(house.pool), "reset", asked.survey, expires=NOW + DAY)
    assert (await house.client.get(f"/survey?t={token}")).status == 404


async def test_another_site_cannot_answer_for_whoever_has_the_link(house):
    asked = await asked_in(house, "en")
    token = asked.links[0].partition("t=")[2].partition("&")[0]
    response = await house.client.post(
        "/survey", data={"t": token, "score": "1"}, headers={"Origin": "https://evil.example"}
    )
    assert response.status == 403
    assert (await asked.kept()).score is None


async def test_an_agent_who_is_signed_in_sees_the_page_too(house):
    asked = await asked_in(house, "en")
    csrf = await house.sign_in("bo")
    assert csrf in await asked.get(asked.links[0])
    assert (await asked.post(score="3", csrf=csrf)).status == 303


async def test_a_bad_score_opens_a_ticket_in_the_organisations_language(house):
    asked = await asked_in(house, "en")
    await asked.post(score="1", comment="Nobody listened.")
    [ticket] = await house.pool.fetch("select subject, owner_id from ticket")
    assert ticket["subject"] == "客户不满意：1/5"
    [note] = await house.pool.fetch("select text from message")
    assert note["text"].endswith("客户对联系 1 的评价：1/5。\n\nNobody listened.")


@pytest.mark.parametrize(
    ("ask", "score", "words", "poor"),
    [
        ("csat", "1", "1/5", True),
        ("csat", "4", "4/5", False),
        ("nps", "9", "NPS 9", False),
        ("solved", "0", "Not solved", True),
    ],
)
async def test_the_history_shows_what_the_customer_answered(house, ask, score, words, poor):
    asked = await asked_in(house, "en", ask=ask, bad=0)
    await asked.post(score=score)
    await house.sign_in("amy")
    shown = await arrive(house.log, queue=house.queue)
    await reserve(house.log, shown, house.users["amy"])
    pop = await (await house.client.get(f"/api/v1/interactions/{shown}/pop")).json()
    assert pop["scores"] == [{"interaction": 1, "ask": ask, "score": int(score)}]
    text = await (await house.client.get("/", headers=ENGLISH)).text()
    found = re.search(r'<b class="rated( poor)?"[^>]*>([^<]*)</b>', text)
    assert found is not None
    assert (found[2], found[1] is not None) == (words, poor)


async def test_the_wall_shows_the_satisfaction_of_a_queue_that_asks(house):
    await house.sign_in("sue")
    assert "Satisfaction" not in await (await house.client.get("/wall")).text()
    asked = await asked_in(house, "en")
    assert (await asked.post(score="4", csrf=house.csrf["sue"])).status == 303
    house.client.app[BOARD]._satisfaction._until = 0
    text = await (await house.client.get("/wall/region", headers=ENGLISH)).text()
    assert re.search(r"Satisfaction</dt><dd>100 %</dd><dd class=\"target\">1 answer in 30 days", text)


FURTHER = {
    "questions": [
        {"name": "speed", "kind": "score", "text": {"en": "How fast were we?", "zh_CN": "我们快吗？"}},
        {
            "name": "why", "kind": "choice", "text": "What was wrong?", "when": "bad",
            "choices": [{"name": "slow", "text": "Too slow"}, {"name": "rude", "text": "Not friendly"}],
        },
        {"name": "words", "kind": "text", "text": "Tell us more", "when": "bad"},
    ]
}  # fmt: skip


async def with_a_form(house: House, language: str) -> Asked:
    await house.pool.execute(
        "insert into form (kind, name, version, definition, created_at) values ('survey', 'after', 1, $1, $2)",
        FURTHER, NOW,
    )  # fmt: skip
    return await asked_in(house, language, form="after")


async def test_the_page_shows_the_rest_of_the_questions_in_the_customers_language(house):
    asked = await with_a_form(house, "zh_CN")
    text = await asked.get(asked.links[0])
    assert "我们快吗？" in text
    assert re.search(r'<fieldset class="scores further when-bad">\s*<legend>What was wrong\?', text)
    assert re.findall(r'value="(\d)" data-bad', text) == ["1", "2"]


async def test_further_answers_are_kept_and_those_to_questions_about_a_bad_score_only_with_one(house):
    asked = await with_a_form(house, "en")
    given = {"answers.speed": "4", "answers.why": "slow", "answers.words": "An hour."}
    assert (await asked.post(score="5", **given)).status == 303
    assert (await asked.kept()).answers == {"speed": 4}
    assert (await asked.post(score="1", **given)).status == 303
    assert (await asked.kept()).answers == {"speed": 4, "why": "slow", "words": "An hour."}
    text = await asked.get(asked.links[0])
    assert re.search(r'name="answers.why" value="slow" checked', text)
    response = await asked.post(score="1", **{"answers.speed": "9"})
    assert response.status == 422
    assert (await asked.kept()).answers["speed"] == 4


async def test_who_says_so_is_never_asked_again_by_whatever_channel(house):
    asked = await asked_in(house, "en")
    page = await asked.get(asked.stop)
    assert "Shall we stop asking" in page
    assert await house.pool.fetchval("select count(*) from survey_refusal") == 0
    # As a mail program does it: no cookies, no page of ours before.
    response = await house.client.post(asked.stop, data={"List-Unsubscribe": "One-Click"})
    assert response.status == 200
    assert "We will not ask you again" in await response.text()
    assert (await house.client.post(asked.stop)).status == 200
    assert "We will not ask you again" in await asked.get(asked.stop)
    assert await house.pool.fetchval("select state from outbox") == "failed"
    agent = house.users["amy"]
    year = later(400 * 86400)
    contact = await arrive(house.log, queue=house.queue, now=year)
    offer = await reserve(house.log, contact, agent, now=year)
    await interactions.answer(house.log, offer, now=year)
    await interactions.end_interaction(house.log, contact, cause="agent_hangup", now=year)
    assert await opinions.ask_caller(house.log, contact, now=year) is None
    await interactions.wrap_up(house.log, offer, queue=None, disposition=None, note=None, now=year)
    await settled(house.pool)
    assert await surveys.ask_about_closed(house.log, now=year) == 0


async def test_a_link_that_answers_does_not_stop_anything(house):
    asked = await asked_in(house, "en")
    token = asked.links[0].partition("t=")[2].partition("&")[0]
    assert (await house.client.post(f"/survey/stop?t={token}")).status == 404
    asked.move(DAY * 300)
    assert (await house.client.post(asked.stop)).status == 200


async def test_words_and_letters_are_deleted_for_their_age_and_scores_stay(house):
    asked = await with_a_form(house, "en")
    await asked.post(score="1", comment="My name is Wang", **{"answers.why": "slow", "answers.words": "An hour."})
    await house.pool.execute("update outbox set state = 'sent', ended_at = $1", NOW)
    await opinions.purge(house.log, letters_before=NOW, words_before=NOW)
    assert (await asked.kept()).comment == "My name is Wang"
    await opinions.purge(house.log, letters_before=NOW + DAY, words_before=NOW + DAY)
    kept = await asked.kept()
    assert (kept.score, kept.comment, kept.answers) == (1, None, {"why": "slow"})
    [letter] = await house.pool.fetch("select * from outbox")
    assert (letter["recipient"], letter["recipient_name"], letter["data"], letter["state"]) == ("", None, {}, "sent")
