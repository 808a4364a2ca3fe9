"""Solutions on the consoles: suggested beside a case, put into a note, written, published and brought back."""

import re
from datetime import date
from html import unescape

import pytest

from callcenter.actions import drafts, interactions, solutions, tickets
from callcenter.domain.solution import Solution, SolutionState
from callcenter.store import solutions as store
from tests.builders import NOW, arrive, make_customer, on_queue, reserve
from tests.screenpop.conftest import House

TEXTS = {
    "en": ("How long a refund takes", "**Cards**: three days. <script>alert(1)</script>"),
    "zh_CN": ("退款多久到账", "银行卡三天。"),
}
ENGLISH = {"Accept-Language": "en"}


async def written(house: House, *, publish: bool = True, public: bool = False, by: str = "amy") -> Solution:
    return await solutions.create(
        house.log, texts=TEXTS, publish=publish, public=public, actor=house.users[by], owner=house.users[by], now=NOW
    )


async def page(house: House, path: str, *, status: int = 200) -> str:
    response = await house.client.get(path, headers=ENGLISH)
    assert response.status == status, await response.text()
    return unescape(await response.text())


async def a_call(house: House) -> int:
    """In amy's hand, with a note about a refund."""
    agent = house.users["amy"]
    await make_customer(house.pool, phone="+8613800138000")
    await on_queue(house.log, agent)
    contact = await arrive(house.log, queue=house.queue)
    await interactions.answer(house.log, await reserve(house.log, contact, agent), now=NOW)
    await drafts.save(house.pool, agent, interaction=contact, note="还没收到退款", disposition=None, now=NOW)
    return contact


async def test_what_is_noted_of_a_call_suggests_solutions_and_one_is_put_into_the_note(house: House) -> None:
    article = await written(house)
    await house.sign_in("amy")
    contact = await a_call(house)
    assert f'hx-get="/desk/solutions?interaction={contact}"' in await page(house, "/desk")
    panel = await page(house, f"/desk/solutions?interaction={contact}")
    assert 'data-key="i"' in panel
    assert "How long a refund takes" in panel
    response = await house.act("amy", f"/desk/solutions/{article.id}/insert", interaction=str(contact), language="en")
    assert await response.text() == "Cards: three days. <script>alert(1)</script>"
    assert response.content_type == "text/plain"
    assert await store.uses(house.pool, ticket=None, interaction=contact) == {article.id: {"inserted"}}


async def test_a_public_article_is_put_in_as_its_link(house: House) -> None:
    article = await written(house, public=True)
    await house.sign_in("amy")
    contact = await a_call(house)
    response = await house.act(
        "amy", f"/desk/solutions/{article.id}/insert", interaction=str(contact), language="zh_CN"
    )
    text = await response.text()
    assert re.fullmatch(rf"退款多久到账: http://127\.0\.0\.1:\d+/help/{article.id}\?language=zh_CN", text)


async def test_a_ticket_has_solutions_to_search_and_to_say_what_solved_it(house: House) -> None:
    article = await written(house)
    await house.sign_in("amy")
    ticket = await tickets.open_ticket(
        house.log, subject="Address change", customer=None, interaction=None, queue=None, priority="normal", text=None,
        actor=None, now=NOW,
    )  # fmt: skip
    at = f"/desk/solutions?ticket={ticket.id}"
    assert "appear here once" in await page(house, at)
    assert "Nothing found" in await page(house, f"{at}&part=list&q=parcel")
    assert "How long a refund takes" in await page(house, f"{at}&part=list&q=refund")
    await house.act("amy", f"/desk/solutions/{article.id}/solved", ticket=str(ticket.id), q="refund")
    assert await store.uses(house.pool, ticket=ticket.id, interaction=None) == {article.id: {"solved"}}
    answer = await house.act(
        "amy", f"/desk/solutions/{article.id}/solved", **{"ticket": str(ticket.id), "q": "refund", "not": "1"}
    )
    assert "aria-pressed" not in await answer.text()
    assert await store.uses(house.pool, ticket=ticket.id, interaction=None) == {}


@pytest.mark.parametrize("query", ["", "ticket=x", "ticket=1&interaction=1"])
async def test_a_panel_of_no_case_is_refused(house: House, query: str) -> None:
    await house.sign_in("amy")
    await page(house, f"/desk/solutions?{query}", status=422)


async def test_the_work_of_others_is_not_shown_beside_solutions(house: House) -> None:
    await house.sign_in("amy")
    contact = await a_call(house)
    await house.sign_in("bo")
    await page(house, f"/desk/solutions?interaction={contact}", status=403)


async def test_an_agent_writes_a_draft_and_a_supervisor_publishes_it(house: House) -> None:
    await house.sign_in("amy")
    assert "Save and publish" not in await page(house, "/solutions/new")
    fields = {"language": "en", "title": "Lost card", "text": "# Block it\n\nAt once."}
    refused = await house.act("amy", "/solutions", **fields, publish="1")
    assert refused.status == 403
    assert "Block it" in await refused.text()  # what was typed is still there
    made = await house.act("amy", "/solutions", **fields)
    assert "<h2>Block it</h2>" in await made.text()
    ident = await house.pool.fetchval("select max(id) from solution")
    assert (await house.act("amy", f"/solutions/{ident}/publish")).status == 403
    await house.sign_in("sue")
    await house.act("sue", f"/solutions/{ident}/publish")
    assert (await store.get(house.pool, ident)).state is SolutionState.PUBLISHED
    await house.act("sue", f"/solutions/{ident}/retire")
    assert "Lost card" in await page(house, "/solutions?view=retired")


async def test_the_list_has_views_and_finds_drafts_too(house: House) -> None:
    await written(house, publish=False)
    await house.sign_in("amy")
    for path, shown in [
        ("/solutions", True), ("/solutions?view=draft", True), ("/solutions?view=published", False),
        ("/solutions?view=review", False), ("/solutions?q=退款", True), ("/solutions?q=parcel", False),
        ("/solutions?view=none&after=x", True),
    ]:  # fmt: skip
        assert ("How long a refund takes" in await page(house, path)) == shown, path


async def test_a_text_that_somebody_else_changed_is_refused_and_kept_in_the_form(house: House) -> None:
    article = await written(house)
    await house.sign_in("sue")
    fields = {"language": "en", "title": "Refunds", "version": str(article.version)}
    await house.act("sue", f"/solutions/{article.id}/text", **fields, text="First.", publish="1")
    late = await house.act("sue", f"/solutions/{article.id}/text", **fields, text="Second.", publish="1")
    assert late.status == 412
    assert "Second." in await late.text()
    assert (await store.get(house.pool, article.id)).variant("en").text == "First."


async def test_versions_are_shown_and_an_old_one_is_brought_back(house: House) -> None:
    article = await written(house)
    await house.sign_in("sue")
    await house.act("sue", f"/solutions/{article.id}/text", language="en", title="T", text="Other.", publish="1")
    shown = await page(house, f"/solutions/{article.id}/versions?language=en&n=1")
    assert "<strong>Cards</strong>" in shown
    raw = await house.client.get(f"/solutions/{article.id}/versions?language=en&n=1")
    assert "<script>alert" not in await raw.text()
    await house.act("sue", f"/solutions/{article.id}/restore", language="en", n="1")
    assert (await store.get(house.pool, article.id)).variant("en").latest == 3
    assert "change proposed" in await page(house, f"/solutions/{article.id}")


async def test_properties_are_a_supervisors_and_those_of_ones_own_draft(house: House) -> None:
    article, draft = await written(house), await written(house, publish=False)
    await house.sign_in("bo")
    fields = {"category": "payment", "tags": "Card, money", "review_on": "2026-09-01", "owner": str(house.users["bo"])}
    assert (await house.act("bo", f"/solutions/{draft.id}/properties", **fields)).status == 403
    await house.sign_in("amy")
    assert (await house.act("amy", f"/solutions/{article.id}/properties", **fields)).status == 403
    assert (await house.act("amy", f"/solutions/{draft.id}/properties", **fields, public="1")).status == 200
    changed = await store.get(house.pool, draft.id)
    assert (changed.category, changed.tags, changed.review_on) == ("payment", ("card", "money"), date(2026, 9, 1))
    assert not changed.public
    assert (await house.act("amy", f"/solutions/{draft.id}/properties", review_on="soon")).status == 422


async def test_a_preview_is_drawn_safely(house: House) -> None:
    await house.sign_in("amy")
    response = await house.act("amy", "/solutions/preview", text="**x** <img src=x onerror=alert(1)>")
    assert await response.text() == "<p><strong>x</strong> &lt;img src=x onerror=alert(1)&gt;</p>\n"


async def test_a_review_that_is_due_stands_on_the_owners_desk_until_it_is_seen(house: House) -> None:
    article = await written(house)
    today = date(2026, 3, 10)
    await solutions.change(house.log, article.id, changes={"review_on": today}, version=None, actor=None, now=NOW)
    await solutions.remind(house.log, today=today, now=NOW)
    await house.sign_in("amy")
    desk = await page(house, "/desk")
    assert "Review is due" in desk
    assert f'href="/solutions/{article.id}"' in desk
    await house.act("amy", "/desk/notices/seen")
    assert "Review is due" not in await page(house, "/desk")


async def test_supervisors_read_what_solutions_were_good_for(house: House) -> None:
    article = await written(house)
    await house.sign_in("amy")
    await page(house, f"/solutions/{article.id}")
    await page(house, "/solutions?q=parcel")
    await page(house, "/solutions/figures", status=403)
    await house.sign_in("sue")
    figures = await page(house, "/solutions/figures")
    assert "How long a refund takes" in figures
    assert "parcel" in figures
