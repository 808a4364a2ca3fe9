"""The search for articles, in the sentences that people write."""

import json

import asyncpg
import pytest

from callcenter.actions import solutions
from callcenter.store import solutions as store
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.solutions import PUBLIC, SQL, STAFF
from tests.builders import NOW

ARTICLES: dict[str, dict[str, tuple[str, str]]] = {
    "refund": {
        "en": ("How long a refund takes", "Cards: three to five working days. WeChat and Alipay: the same day."),
        "zh_CN": ("退款多久能到账", "银行卡三到五个工作日，微信和支付宝当天到账。"),
    },
    "return": {
        "en": ("Returning a parcel", "Print the label. The courier picks it up. A refund follows when it has arrived."),
        "zh_CN": ("怎么退货", "在订单里申请退货，快递员上门取件。退货运费由我们承担。"),
    },
    "invoice": {"zh_CN": ("如何开发票", "在订单详情页点“申请发票”，填写抬头和税号，电子票一小时内发到邮箱。")},
    "invoice_tw": {"zh_TW": ("如何開立統一發票", "在訂單頁面填寫統編，電子發票會寄到您的信箱。")},
    "cooker": {
        "zh_CN": ("电饭煲不加热怎么办", "先检查内胆是否放平，再看E3错误代码。重启后仍不加热请报修。"),
        "en": ("The rice cooker does not heat", "Check that the inner pot sits flat, then look for error E3."),
    },
    "wifi": {"zh_CN": ("路由器Wi-Fi连不上", "重启路由器，等两分钟；还是连不上，就恢复出厂设置，密码在底部标签上。")},
    "cat": {"zh_CN": ("猫", "店里不许带猫。")},
}


@pytest.fixture
async def library(pool: Pool) -> dict[int, str]:
    log = ContactLog(pool)
    names = {}
    for name, texts in ARTICLES.items():
        made = await solutions.create(log, texts=texts, actor=None, now=NOW, publish=True, public=name != "cat")
        names[made.id] = name
    return names


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("refund", "en", ["refund", "return"]),  # the title first
        ("refunds taking", "en", ["refund"]),  # stems
        ("退款", "zh_CN", ["refund"]),
        ("退货", "zh_CN", ["return"]),
        ("退貨運費", "zh_TW", ["return"]),  # Traditional finds Simplified
        ("运费", "zh_CN", ["return"]),
        ("发票", "zh_CN", ["invoice", "invoice_tw"]),  # the reader's language first
        ("發票", "zh_TW", ["invoice_tw", "invoice"]),
        ("票", "zh_CN", ["invoice", "invoice_tw"]),
        ("猫", "zh_CN", ["cat"]),
        ("貓", "zh_TW", ["cat"]),
        ("煲", "zh_CN", ["cooker"]),
        ("电饭煲 E3", "zh_CN", ["cooker"]),
        ("wi-fi密码", "zh_CN", ["wifi"]),
        ("微信 到账", "zh_CN", ["refund"]),
        ("饭票", "zh_CN", []),  # both characters are somewhere, the word is nowhere
        ("refund 发票", "en", []),
        ("the", "en", []),
        ("!?", "en", []),
        ("' | ! & :* \\", "en", []),
    ],
)
async def test_articles_are_found_by_words(
    pool: Pool, library: dict[int, str], text: str, language: str, wanted: list[str]
) -> None:
    found = await store.search(pool, text, readers=STAFF, language=language, limit=10)
    assert [library[each.id] for each in found] == wanted


async def test_a_text_comes_in_the_readers_language_where_it_has_one(pool: Pool, library: dict[int, str]) -> None:
    [english] = await store.search(pool, "E3", readers=STAFF, language="en", limit=10)
    [chinese] = await store.search(pool, "E3", readers=STAFF, language="zh_TW", limit=10)
    assert (english.title, chinese.title) == ("The rice cooker does not heat", "电饭煲不加热怎么办")


async def test_customers_find_public_articles_only(pool: Pool, library: dict[int, str]) -> None:
    assert await store.search(pool, "猫", readers=PUBLIC, language="zh_CN", limit=10) == []
    assert await store.suggest(pool, "我的猫", readers=PUBLIC, language="zh_CN") == []


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("客户说退款一直没有到账，银行卡付的，已经等了一个星期", "zh_CN", "refund"),
        ("Customer has been waiting for the refund to her card for five days", "en", "refund"),
        ("買了電飯煲三個月，按下去不加熱，顯示E3", "zh_TW", "cooker"),
        ("Rice cooker shows E3 and doesn't heat any more", "en", "cooker"),
        ("新买的路由器怎么都连不上，wifi密码也不知道", "zh_CN", "wifi"),
        ("公司报销需要发票，抬头写错了", "zh_CN", "invoice"),
        ("要求退款，已承诺周二回电 / asked for the bank reference", "en", "refund"),
    ],
)
async def test_the_text_of_a_case_suggests_the_article_that_fits(
    pool: Pool, library: dict[int, str], text: str, language: str, wanted: str
) -> None:
    found = await store.suggest(pool, text, readers=STAFF, language=language)
    assert library[found[0].id] == wanted


@pytest.mark.parametrize("text", ["", "Hello, good morning", "你好，请问在吗", "ok", "12345"])
async def test_a_text_about_nothing_suggests_nothing(pool: Pool, library: dict[int, str], text: str) -> None:
    assert await store.suggest(pool, text, readers=STAFF, language="en") == []


MANY = """
insert into solution (state, created_at, updated_at) select 'published', now(), now() from generate_series(1, 20000);
insert into solution_text (solution_id, language, latest, live, title, text, readers, title_words, words)
select id, 'en', 1, 1, 'x', 'x', 'staff', to_tsvector('english', 'topic' || id % 997),
       to_tsvector('english', 'every topic' || id % 997 || ' thing' || id % 31 || ' other' || id % 7)
       || ('''退' || chr(19968 + (id % 3000)::integer) || ''':1')::tsvector
from solution;
insert into solution_word select word, ndoc from ts_stat('select words from solution_text');
insert into solution_word values ('', 20000);
"""


async def plan_of(db: asyncpg.Connection, sql: str, *args: object) -> str:
    plan = await db.fetchval(f"explain (format json) {sql}", *args)
    return plan if isinstance(plan, str) else json.dumps(plan)


SCANS = """
select seq_scan + coalesce(seq_tup_read, 0) as read, idx_scan as looked_up
from pg_stat_user_tables where relname = 'solution_text'
"""


async def test_search_and_suggestions_never_read_all_texts(db: asyncpg.Connection) -> None:
    await db.execute(MANY)
    await db.execute("analyze")
    await db.execute("select pg_stat_force_next_flush()")
    before = await db.fetchrow(SCANS)
    for sql, args in [
        (SQL.search, ("topic5", "'退货'", ["staff", "all"], "en", 10)),
        (SQL.search, ("every", "", ["staff"], "zh_CN", 10)),
        (SQL.search, ("", "'退':*", ["all"], "en", 10)),
        (SQL.suggest, ("topic5 thing5", ["退一"], ["staff", "all"], "en", 5)),
    ]:
        await db.fetch(sql, *args)
    await db.execute("select pg_stat_force_next_flush()")
    await db.execute("select pg_stat_clear_snapshot()")
    after = await db.fetchrow(SCANS)
    assert before is not None
    assert after is not None
    assert after["read"] == before["read"]
    assert after["looked_up"] > before["looked_up"]


async def test_reviews_and_proposals_are_found_by_indexes(db: asyncpg.Connection) -> None:
    await db.execute(MANY)
    await db.execute("analyze")
    assert "solution_review" in await plan_of(db, SQL.due_review, NOW.date())
