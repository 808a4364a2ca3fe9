"""The help pages: public articles alone, for anybody, without scripts."""

from html import unescape

import pytest

from callcenter.actions import solutions
from callcenter.domain.solution import Solution
from tests.builders import NOW, later
from tests.screenpop.conftest import House

TEXTS = {
    "en": ("How long a refund takes", "**Cards**: three days."),
    "zh_CN": ("退款多久到账", "银行卡三天。"),
}
ENGLISH = {"Accept-Language": "en"}


async def written(
    house: House, *, public: bool = True, publish: bool = True, category: str | None = "payment"
) -> Solution:
    return await solutions.create(
        house.log, texts=TEXTS, publish=publish, public=public, category=category, actor=None, now=NOW
    )


async def page(house: House, path: str, *, status: int = 200, language: str = "en") -> str:
    response = await house.client.get(path, headers={"Accept-Language": language})
    assert response.status == status, await response.text()
    return unescape(await response.text())


async def test_customers_read_public_articles_by_category_without_any_script(house: House) -> None:
    article = await written(house)
    home = await page(house, "/help")
    assert "How long a refund takes" in home
    assert "<script" not in home
    assert "How long a refund takes" in await page(house, "/help?category=payment")
    shown = await page(house, f"/help/{article.id}")
    assert "<strong>Cards</strong>" in shown
    assert "<script" not in shown
    assert "简体中文" in shown


async def test_a_link_shows_the_language_that_it_names(house: House) -> None:
    article = await written(house)
    chinese = await page(house, f"/help/{article.id}?language=zh_CN")
    assert "银行卡三天" in chinese
    assert "这篇文章有帮助吗？" in chinese
    assert "退款多久到账" in await page(house, "/help", language="zh-CN")
    # A Traditional reader gets the Simplified text rather than the English one.
    assert "银行卡三天" in await page(house, f"/help/{article.id}", language="zh-TW")


@pytest.mark.parametrize(("public", "publish"), [(False, True), (True, False)])
async def test_nothing_else_is_shown(house: House, public: bool, publish: bool) -> None:
    article = await written(house, public=public, publish=publish)
    await page(house, f"/help/{article.id}", status=404)
    assert "refund" not in await page(house, "/help")
    assert "How long" not in await page(house, "/help?q=refund")
    await page(house, "/help?category=payment", status=404)
    response = await house.client.post(f"/help/{article.id}/helped", data={"helped": "yes"})
    assert response.status == 404


async def test_a_proposal_is_not_shown_in_any_language(house: House) -> None:
    article = await written(house)
    for language in ("en", "de"):
        await solutions.save(
            house.log, article.id, language=language, title="Secret", text="Secret.", version=None, actor=None, now=NOW
        )
        assert "Secret" not in await page(house, f"/help/{article.id}?language={language}")
    assert "Secret" not in await page(house, "/help?q=secret")
    assert "Secret" not in await page(house, "/help")


async def test_a_search_finds_words_and_what_it_misses_is_kept(house: House) -> None:
    await written(house)
    assert "退款多久到账" in await page(house, "/help?q=退款", language="zh-CN")
    assert "How long a refund takes" in await page(house, "/help?q=refunds")
    assert "Nothing found for “<parcel>”" in await page(house, "/help?q=<parcel>")
    rows = await house.pool.fetch("select query, place from solution_search where missed > 0")
    assert [tuple(row) for row in rows] == [("<parcel>", "help")]


async def test_a_visitor_has_one_vote_for_an_article_and_may_change_it(house: House) -> None:
    first, second = await written(house), await written(house)

    async def vote(article: Solution, helped: str) -> None:
        response = await house.client.post(
            f"/help/{article.id}/helped", data={"helped": helped, "language": "en"}, allow_redirects=False
        )
        assert response.status == 303
        assert response.headers["Location"] == f"/help/{article.id}?language=en#helped"

    await vote(first, "yes")
    await vote(first, "no")
    await vote(second, "yes")
    rows = await house.pool.fetch("select solution_id, helped, voter from solution_vote order by 1")
    assert [(row["solution_id"], row["helped"]) for row in rows] == [(first.id, False), (second.id, True)]
    assert rows[0]["voter"] != rows[1]["voter"]  # no two votes can be told to be one person's
    assert "Thank you" in await page(house, f"/help/{first.id}")
    house.client.session.cookie_jar.clear()
    assert "Thank you" not in await page(house, f"/help/{first.id}")


async def test_a_visitor_who_only_reads_gets_no_cookie(house: House) -> None:
    article = await written(house)
    for path in ("/help", f"/help/{article.id}", "/help?q=refund"):
        response = await house.client.get(path, headers=ENGLISH)
        assert "Set-Cookie" not in response.headers


async def test_whoever_asks_too_often_has_to_wait(house: House) -> None:
    for _ in range(30):
        await page(house, "/help")
    await page(house, "/help", status=429)
    house.moment.now = later(2)
    await page(house, "/help")


async def test_addresses_of_nothing_are_no_errors_of_ours(house: House) -> None:
    for path in ("/help/999", "/help/0", "/help/x", "/help?category=none"):
        await page(house, path, status=404)
    assert "Nothing found" in await page(house, "/help?q=%00%27%7C&language=xx")
