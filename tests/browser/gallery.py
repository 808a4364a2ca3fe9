"""Consoles without a router or a telephone, where every agent stands still in one state, to be looked at."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from callcenter.actions import agents, drafts, interactions, mail_in, tasks, tickets
from callcenter.demo.articles import write_articles
from callcenter.domain.interaction import Arrival, Channel
from callcenter.domain.password import protect
from callcenter.feed import Feed
from callcenter.settings import Settings
from callcenter.store import nodes
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries
from callcenter.store.rules import TaskPlan
from callcenter.web import keys, site
from channels.email.parse import parse
from screenpop import site as consoles
from screenpop.live import Hub
from tests.browser.cases import add_relatives
from tests.builders import NOW, FakeWaits, a_wait, later, make_customer, make_queue, make_user, reserve
from tests.channels.email.messages import attached, multipart, part

PASSWORD = "a long walk home"
DISPOSITIONS = ["solved", "call_back", "complaint", "order", "refund", "wrong_number", "other"]
SQL = Queries.beside(__file__)
NUMBER = "+8613800138000"
MAIL = """Hello,

I returned the rice cooker on 20 February and the refund has not arrived. 请问退款什么时候到账?
The receipt of the courier is attached.

On Mon, 2 Mar 2026 at 10:12, Heron Bay <care@heronbay.example> wrote:
> We have received your parcel. The refund takes five working days.
>
> Amy
--
王小明
Acme Trading (Shanghai) Ltd
"""
LONG = "Dr. Maximiliane-Alexandra " * 7 + "von und zu <script>alert(1)</script>"


@dataclass(frozen=True, slots=True)
class Gallery:
    url: str
    log: ContactLog


@asynccontextmanager
async def a_gallery(pool: Pool, dsn: str) -> AsyncIterator[Gallery]:
    log = ContactLog(pool)
    feed = Feed(pool, log, dsn=dsn, clock=lambda: NOW)
    feed.alone = True
    await feed.start()
    directory = Directory(pool)
    await pool.execute(
        "update organisation set name = 'Demo', timezone = 'Asia/Shanghai', languages = '{en,zh_CN,zh_TW}'"
    )
    await directory.load()
    node = await nodes.register(pool, "gallery", agi_host="", agi_port=0, now=NOW)
    app = site.application()
    app[keys.SETTINGS] = Settings()
    app[keys.POOL] = pool
    app[keys.LOG] = log
    app[keys.FEED] = feed
    app[keys.DIRECTORY] = directory
    app[keys.NODE] = node
    app[keys.CLOCK] = lambda: NOW
    app[keys.READINESS] = {}
    queues = await pool.fetch("select id from queue")
    waiting = await pool.fetch("select id from interaction where state = 'queued'")
    app[keys.WAITS] = FakeWaits({row["id"]: a_wait() for row in waiting}, {row["id"]: 95.0 for row in queues})
    site.add_routes(app, switches={})
    consoles.add_routes(app, Hub(log, feed, directory, node=node, clock=lambda: NOW))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    http = web.TCPSite(runner, "127.0.0.1", 0)
    await http.start()
    try:
        yield Gallery(f"http://127.0.0.1:{runner.addresses[0][1]}", log)
    finally:
        await runner.cleanup()


async def add_person(pool: Pool, name: str, full_name: str, *, role: str = "agent") -> int:
    return await make_user(pool, name, full_name=full_name, role=role, password_hash=protect(PASSWORD))


async def add_past(pool: Pool, customer: int, agent: int, *, count: int, text: str | None = None) -> None:
    """Earlier contacts of every channel."""
    await pool.execute(
        SQL.add_past,
        customer,
        agent,
        NUMBER,
        NOW,
        text,
        count,
    )


async def add_tickets(pool: Pool, customer: int, owner: int, subjects: Sequence[str]) -> None:
    first = await pool.fetchval("select coalesce(max(number), 1030) from ticket")
    for number, subject in enumerate(subjects, first + 1):
        await pool.execute(
            SQL.add_ticket,
            number,
            subject,
            customer,
            owner,
            NOW - timedelta(hours=number % 7 * 5 + 1),
        )


async def add_tasks(log: ContactLog, *, ticket: int, people: Sequence[int], queue: str, much: bool) -> None:
    """Late, due soon, of a department, and done."""
    directory = Directory(log.pool)
    await directory.load()
    given = [
        ("Call the bank about the reference", None, -900.0),
        ("寄出替换的电源线", "owner", 1500.0),
        (LONG[:180] if much else "Pay the money back", f"queue:{queue}", 90_000.0),
        ("Send a receipt", None, None),
    ]
    for person in people:
        for title, who, due in given:
            plan = TaskPlan(
                title,
                who or f"agent:{directory.user(person).name}",
                remind=None if due is None else timedelta(minutes=30),
            )
            task = await tasks.open_task(
                log,
                directory,
                plan=plan,
                ticket=ticket,
                due_at=None if due is None else later(due),
                actor=person,
                now=later(-7200),
            )
            if due is None:
                done = {"state": "done"}
                await tasks.change(log, directory, task.id, changes=done, version=None, actor=person, now=later(-60))
    await tasks.sweep(log, directory, now=NOW)


async def on_stage(
    log: ContactLog, agent: int, queue: int, *, phone: str | None = NUMBER, caller: str = "", until: str = "offered"
) -> int:
    """A contact that this agent has in hand: offered, active or wrapping."""
    since = {"offered": 4, "active": 190, "wrapping": 196}[until]
    start = NOW - timedelta(seconds=since)
    await agents.set_presence(log, agent, presence="on_queue", reason=None, actor=agent, now=start)
    kind = "phone" if phone else None
    ident = f"gallery/{agent}.{until}"
    arrival = Arrival(Channel.PHONE, ident, kind, phone, caller or None, "95500", pbx="default")
    events = await interactions.arrive(
        log, arrival, queue=queue, queued=True, node=None, now=start - timedelta(seconds=42)
    )
    interaction = events[0].interaction
    assert interaction is not None
    events = await interactions.reserve(
        log, interaction, agent=agent, agent_version=None, reason="longest_idle", decision=None,
        due=later(11, NOW if until == "offered" else start), now=start,
    )  # fmt: skip
    reservation = events[0].data["reservation"]
    if until == "offered":
        return interaction
    await interactions.offer(log, reservation, due=later(11, start), now=start)
    await interactions.answer(log, reservation, now=later(3, start))
    note = "要求退款，已承诺周二回电 / asked for the bank reference"
    await drafts.save(log.pool, agent, interaction=interaction, note=note, disposition="call_back", now=NOW)
    if until == "wrapping":
        await interactions.end_interaction(log, interaction, cause="customer_hangup", now=later(-8))
    return interaction


MAIL_AS_WRITTEN = (
    "".join(f"<p>{each}</p>" for each in MAIL.partition("\n\nOn ")[0].split("\n\n"))
    + "<p><img src=https://shop.example/logo.png alt=Logo width=120> "
    "<a href=https://shop.example/orders/7781>Order 7781</a></p>"
    "<div>On 9 March 2026, Heronbay wrote:</div><blockquote>Which order is it about?</blockquote>"
)


async def with_a_mail(log: ContactLog, agent: int, queue: int) -> None:
    """Answered a while ago; a call that comes now interrupts it."""
    start = later(-600)
    await agents.set_presence(log, agent, presence="on_queue", reason=None, actor=agent, now=start)
    sql = "insert into mailbox (address, queue_id) values ('care@heronbay.example', $1) on conflict do nothing"
    await log.pool.execute(sql, queue)
    raw = multipart(
        part(MAIL_AS_WRITTEN.encode(), "text/html; charset=utf-8"),
        attached(b"%PDF" * 40_000, "invoice-2026-02.pdf"),
        attached(b"photo" * 900, "银行回单.png", "image/png"),
        From="王小明 <xiaoming.wang@example.com>",
        Subject="Where is my refund?",
        Message_ID=f"<{agent}@example.com>",
    )
    received = await mail_in.receive(log, parse(raw), raw, now=start)
    reservation = await reserve(log, received.interaction, agent, now=start)
    await interactions.answer(log, reservation, now=later(5, start))
    assert received.ticket is not None
    text = "Dear Mr Wang,\n\nthe money left us on Friday. Your bank needs up to three days."
    hold = timedelta(hours=1)  # so that the pictures show that it can be taken back
    await tickets.reply(log, received.ticket, text=text, public=True, actor=agent, hold=hold, now=later(-60))


async def add_waiting(log: ContactLog, queue: int, count: int, *, since: float) -> None:
    for n in range(count):
        at = later(-since + n * since / max(count, 1) * 0.8)
        arrival = Arrival(Channel.PHONE, f"waiting/{queue}.{n}", None, None)
        await interactions.arrive(log, arrival, queue=queue, queued=True, node=None, now=at)


async def add_day(pool: Pool, queue: int, agent: int, *, answered: int, late: int, abandoned: int) -> None:
    """What the wall counts of today."""
    await pool.execute(
        SQL.add_day,
        queue,
        agent,
        answered,
        late,
        abandoned,
        NOW,
    )


async def fill(pool: Pool, *, much: bool) -> dict[str, str]:
    """People, customers and contacts; which agent stands in which state, by name of the picture."""
    log = ContactLog(pool)
    people = {
        name: await add_person(pool, name, full)
        for name, full in (
            ("amy", "Amy Chen"), ("bo", "Bo Lindqvist"), ("cy", "陈思远"), ("dan", "Daniel Okafor"),
            ("eve", "Eva Müller"),
            ("fay", "林雨菲"), ("gus", "Gustavo Reyes"), ("han", "韩梅梅"),
            ("ida", "Ida Nakamura"), ("jia", "Jia Lin"),
        )
    }  # fmt: skip
    await add_person(pool, "sue", "Sue Wong", role="supervisor")
    members = list(people.values())
    support = await make_queue(
        pool, "support", numbers=["95500"], members=members, dispositions=DISPOSITIONS,
        wrap_up_mode="time_boxed", wrap_up_limit=timedelta(seconds=30),
    )  # fmt: skip
    billing = await make_queue(pool, "billing", members=members[:4], dispositions=DISPOSITIONS)
    sales = await make_queue(pool, "销售", members=members[3:])
    name = LONG[:200] if much else "王小明 Wang Xiaoming"
    known = await make_customer(pool, name, phone=NUMBER, certainty="verified")
    await pool.execute(
        """update customer set company = $2, tier = 'gold', note = $3, external_id = 'CRM-20431' where id = $1""",
        known,
        "C" * 200 if much else "Acme Trading (Shanghai) Ltd",
        LONG * 10 if much else "Prefers to be called in the morning. Contract to 03/27.",
    )
    await pool.execute(
        """insert into address (customer_id, kind, value, certainty) values
           ($1, 'email', 'xiaoming.wang@example.com', 'known'), ($1, 'phone', '+862155550188', 'maybe')""",
        known,
    )
    await pool.execute(SQL.add_entitlements.replace("$1", str(known)))
    await add_past(pool, known, people["bo"], count=60 if much else 9, text=LONG if much else None)
    subjects = [LONG[:180]] * 40 if much else ["Refund not received", "地址变更"]
    await add_tickets(pool, known, people["amy"], subjects)
    await pool.execute(SQL.add_news, people["amy"], ["ticket.reopened", "ticket.replied"], NOW)
    await add_tasks(log, ticket=1, people=[people["bo"], people["fay"]], queue="billing", much=much)
    await pool.execute(SQL.add_story, known, support, people["amy"], people["bo"], NOW, LONG if much else None)
    first, second = [row["id"] for row in await pool.fetch(SQL.open_tickets, known)]
    await add_relatives(
        log, ticket=first, other=second, people=[people["amy"], people["bo"], people["cy"]], much=much, now=NOW
    )
    for shared in ("李娜", "Wang Fang", "Zhang Wei"):
        await make_customer(pool, shared, phone="+8613900000001")
    await make_customer(pool, "Golden Dragon Hotel", phone="+8613900000255")
    await on_stage(log, people["amy"], support, until="offered", caller=LONG if much else "")
    await on_stage(log, people["bo"], support, until="active")
    await on_stage(log, people["cy"], support, until="wrapping")
    await with_a_mail(log, people["ida"], support)
    await with_a_mail(log, people["jia"], support)
    await on_stage(log, people["ida"], support, phone="+8613900000255", until="active")
    await on_stage(log, people["dan"], support, phone="+8613900000001", until="offered")
    await on_stage(log, people["eve"], billing, phone="+8613900000299", caller="Zhou", until="active")
    await on_stage(log, people["han"], billing, phone=None, until="active")
    for agent, presence, reason in (("fay", "on_queue", None), ("gus", "break", "coffee")):
        ident = people[agent]
        await agents.set_presence(log, ident, presence=presence, reason=reason, actor=ident, now=later(-751))
    await add_waiting(log, support, 250 if much else 3, since=3000 if much else 34)
    await add_waiting(log, sales, 1, since=8)
    await write_articles(log, now=NOW)
    await add_day(pool, support, people["bo"], answered=140, late=52, abandoned=14)
    await add_day(pool, billing, people["bo"], answered=64, late=4, abandoned=1)
    if much:
        for n in range(150):
            ident = await add_person_fast(pool, n)
            presence = ("on_queue", "meal", "training", "on_queue", "busy")[n % 5]
            await agents.set_presence(log, ident, presence=presence, reason=None, actor=ident, now=later(-n * 40))
        for n in range(9):
            await make_queue(pool, f"queue number {n} with a long name", members=members)
    return {
        "offered": "amy", "active": "bo", "wrapping": "cy", "several": "dan", "mail": "jia", "nobody": "eve",
        "withheld": "han", "ready": "fay", "break": "gus", "interrupted": "ida",
    }  # fmt: skip


async def add_person_fast(pool: Pool, n: int) -> int:
    full = f"{'王李张刘陈'[n % 5]}{'伟芳娜秀英'[n // 5 % 5]}{n}" if n % 2 else f"Agent Number {n}"
    return await make_user(pool, f"agent{n}", full_name=full)
