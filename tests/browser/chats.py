"""Chats for pictures: an agent with several at once, one of them offered."""

from datetime import timedelta

from callcenter.actions import agents, canned, chats, interactions, transfers, uploads
from callcenter.domain.chat import Proof, Visitor
from callcenter.store import chats as store
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.browser.gallery import LONG, add_person
from tests.builders import NOW, later, reserve

_TALK = (
    (None, "你好，我上周退的货，退款还没有到账。"),
    ("us", "王先生您好，我是金敏，请稍等，我正在为您查询。"),
    (None, "好的，订单号是 20431。"),
    ("us", "退款上周五已经从我们这里发出，银行一般需要三到五个工作日。"),
    (None, "Can you send me the bank reference? https://example.com/order/20431 <b>please</b>"),
)


async def chat_pages(pool: Pool, *, much: bool) -> dict[str, tuple[str, str]]:
    """Name of the picture → who looks at which path."""
    log = ContactLog(pool)
    kim = await add_person(pool, "kim", "金敏 Kim")
    lou = await add_person(pool, "lou", "Lou Adams")
    queue = await pool.fetchval("select id from queue where name = 'support'")
    for agent in (kim, lou):
        await pool.execute("insert into queue_member (queue_id, user_id) values ($1, $2)", queue, agent)
        await agents.set_presence(log, agent, presence="on_queue", reason=None, actor=agent, now=later(-900))
    await pool.execute("insert into widget (key, queue_id, sites) values ('shop', $1, '{}')", queue)
    await canned.keep(
        log, kim, name="refund time", text="It takes three to five working days.", language=None, queue=None, now=NOW
    )
    known = Visitor(
        token="k" * 22, browser="k" * 22, language="zh_CN", name="王小明",
        page="https://shop.example/orders/20431", page_title="订单 20431" if not much else LONG[:200],
        proof=Proof(None, "xiaoming.wang@example.com", "王小明 Wang Xiaoming"),
    )  # fmt: skip
    first = await _taken(log, kim, known, at=-400)
    for n, (who, text) in enumerate((*_TALK, *((None, LONG[:1500]) for _ in range(40 if much else 0)))):
        files: tuple[int, ...] = ()
        if who and n == 3:
            owner = f"user:{kim}"
            files = (await uploads.keep(log, "refund.pdf", None, b"%PDF-1.7" * 4000, now=NOW, owner=owner),)
        await chats.say(
            log, first, author=kim if who else None, text=text, client_id=f"l{n}", files=files, now=later(-300 + 40 * n)
        )
    await chats.read(log, first, reader=None, upto=2, now=later(-100))
    typed = Visitor(token="t" * 22, browser="t" * 22, language="en", name="Lin", email="lin@shop.example")
    second = await _taken(log, kim, typed, at=-200)
    for n, text in enumerate(("Hello?", "Is anybody there?")):
        await chats.say(log, second, author=None, text=text, client_id=f"m{n}", now=later(-70 + 20 * n))
    nobody = Visitor(token="n" * 22, browser="n" * 22, language="en", page="https://shop.example/", page_title="Shop")
    third = await _taken(log, lou, nobody, at=-150)
    await chats.say(log, third, author=None, text="I was told to ask for billing.", client_id="n", now=later(-120))
    held = await pool.fetchval("select id from reservation where interaction_id = $1", third)
    note = "Paid twice, wants one payment back on the card."
    await transfers.hand_over(log, held, agent=kim, note=note, actor=lou, now=later(-3))
    return {
        f"chat-{'much' if much else 'usual'}-desk": ("kim", f"/?interaction={first}"),
        f"chat-{'much' if much else 'usual'}-offer": ("kim", "/"),
        f"chat-{'much' if much else 'usual'}-along": ("sue", f"/chats?chat={first}"),
    }


async def _taken(log: ContactLog, agent: int, visitor: Visitor, *, at: float) -> int:
    widget = await store.widget(log.pool, "shop")
    start = later(at)
    chat = await chats.open_chat(log, visitor, widget=widget, node=None, now=start)
    reservation = await reserve(log, chat.interaction, agent, now=start + timedelta(seconds=5))
    await interactions.answer(log, reservation, now=start + timedelta(seconds=9))
    return chat.interaction
