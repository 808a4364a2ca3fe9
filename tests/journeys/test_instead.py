"""What a visitor gets in place of a chat: a form while nobody is there, and a call."""

from datetime import datetime, timedelta

from callcenter.app import clock
from callcenter.store import web_forms
from channels.web.visitor import Visitor
from tests.builders import eventually
from tests.channels.web.pages import Page, a_page, make_widget
from tests.journeys.test_chat import waiting
from tests.journeys.world import World, a_world
from tests.screenpop.test_web_forms import FORM

NUMBER = "138 0013 8000"


async def close(world: World) -> None:
    """It opens again in an hour, for two hours."""
    begin = clock() + timedelta(hours=1)
    days = {f"{at:%Y-%m-%d}": [f"{at:%H:%M}-{(at + timedelta(hours=2)):%H:%M}"] for at in [begin] if at.hour < 22} or {
        f"{begin + timedelta(hours=3):%Y-%m-%d}": ["03:00-05:00"]
    }
    await world.pool.execute("insert into hours (name, timezone, open) values ('later', 'UTC', $1)", days)
    await world.pool.execute("update queue set hours_id = (select id from hours where name = 'later')")
    await world.applied()


async def answered(page: Page, kind: str, **frame: object) -> dict[str, object]:
    """The next frame of a kind, for what is sent."""
    before = len(page.frames)
    await page.send(**frame)
    await page.until(lambda _: any(each["type"] == kind for each in page.frames[before:]))
    return dict(next(each for each in page.frames[before:] if each["type"] == kind))


async def test_who_waits_is_called_back_in_their_place(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue, callback=True)
        async with a_page(world.http, world.server.url) as first, a_page(world.http, world.server.url) as page:
            await first.say("I was here before you.")
            await world.until("interaction.arrived", channel="chat")
            await page.say("Hello?", name="Wang Fang")
            await page.until(lambda visitor: visitor.state.get("position") == 2)
            assert (await page.got("welcome"))["callback"] is True
            bad = await answered(page, "number", type="number", number="12")
            assert (bad["shown"], bad["reason"]) == (None, "That is no telephone number that could be called.")
            good = await answered(page, "number", type="number", number=NUMBER)
            assert (good["given"], good["shown"]) == (NUMBER, "+86 138 0013 8000")
            wrong = await answered(page, "refused", type="callback", id="c-0", number="12")
            assert wrong["fields"] == {"number": "That is no telephone number that could be called."}
            told = await answered(page, "callback", type="callback", id="c-1", number=NUMBER)
            assert (told["number"], told["due_at"], told["position"]) == ("+86 138 0013 8000", None, 2)
            await page.shows("over")
            chat, callback = await world.pool.fetch("select * from interaction order by id offset 1")
            assert (chat["state"], chat["outcome"]) == ("closed", "flow_out")
            assert (callback["channel"], callback["state"], callback["address"]) == (
                "callback",
                "queued",
                "+8613800138000",
            )
            assert (callback["queued_at"], callback["address_name"]) == (chat["queued_at"], "Wang Fang")
            # What is sent again because its answer was lost is the same call.
            again = await answered(page, "callback", type="callback", id="c-1", number=NUMBER)
            assert again["number"] == "+86 138 0013 8000"
            assert await world.pool.fetchval("select count(*) from callback") == 1


async def test_who_waits_may_choose_another_time_and_leaves_the_line(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue, callback=True)
        async with a_page(world.http, world.server.url) as page:
            await waiting(world, page)
            times = (await answered(page, "times", type="times"))["times"]
            assert isinstance(times, list)
            assert len(times) == 48
            told = await answered(page, "callback", type="callback", id="c-1", number=NUMBER, at=times[3])
            assert datetime.fromisoformat(str(told["due_at"])) == datetime.fromisoformat(times[3])
            assert told["position"] is None
            await page.shows("over")
            assert await world.pool.fetchval("select due_at from callback") == datetime.fromisoformat(times[3])


async def test_who_talks_already_is_not_called(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue, callback=True)
        await world.on_queue("amy")
        async with a_page(world.http, world.server.url) as page:
            ident = await waiting(world, page)
            await world.pop("amy")
            await world.ask("POST", f"/interactions/{ident}/accept")
            await page.shows("talking")
            refused = await answered(page, "refused", type="callback", id="c-1", number=NUMBER)
            assert (refused["code"], refused["reason"]) == ("over", "Somebody is there already.")


async def test_a_widget_that_offers_no_calls_takes_none(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        async with a_page(world.http, world.server.url) as page:
            assert (await page.got("welcome"))["callback"] is False
            for frame in ({"type": "times"}, {"type": "number", "number": NUMBER}):
                assert (await answered(page, "refused", **frame))["reason"] == "Nobody is called back from here."
            refused = await answered(page, "refused", type="callback", id="c-1", number=NUMBER)
            assert refused["id"] == "c-1"
        assert await world.pool.fetchval("select count(*) from interaction") == 0


async def test_calls_are_limited_by_address(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue, callback=True)
        for n in range(6):
            async with a_page(world.http, world.server.url) as page:
                kind = "callback" if n < 5 else "refused"
                told = await answered(page, kind, type="callback", id="c", number=f"138 0013 800{n}")
                assert told.get("code") == (None if n < 5 else "rate")


async def test_outside_the_hours_a_visitor_writes_and_gets_a_number(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        await close(world)
        async with a_page(world.http, world.server.url) as page:
            welcome = await page.got("welcome")
            assert welcome["open"] is False
            assert datetime.fromisoformat(welcome["opens_at"]) > clock()
            fields = [(each["name"], each["kind"], each["required"]) for each in welcome["form"]["fields"]]
            assert fields == [("name", "text", False), ("email", "email", True), ("text", "long_text", True)]
            refused = await answered(page, "refused", type="form", id="f-0", values={"email": "wang@"})
            assert refused["fields"] == {"email": "This is no e-mail address.", "text": "This is needed."}
            values = {"name": "Wang Fang", "email": "wang@post.example", "text": "It stays dark.\nSince Monday."}
            told = await answered(page, "received", type="form", id="f-1", values=values)
            again = await answered(page, "received", type="form", id="f-1", values=values)
            assert told["number"] == again["number"]
        [row] = await world.pool.fetch(
            "select i.channel, i.address, i.address_name, i.subject, t.number, m.text from interaction i "
            "join ticket t on t.id = i.ticket_id join message m on m.interaction_id = i.id"
        )
        assert tuple(row) == (
            "form", "wang@post.example", "Wang Fang", "It stays dark. Since Monday.", told["number"],
            "It stays dark.\nSince Monday.",
        )  # fmt: skip


async def test_outside_the_hours_a_declared_form_stands_there_in_the_visitors_language(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue, form=FORM.name, callback=True)
        async with world.pool.acquire() as connection:
            await web_forms.put(connection, [FORM])
        await close(world)
        async with a_page(world.http, world.server.url, Visitor(language="zh_CN")) as page:
            welcome = await page.got("welcome")
            named = [each.name for each in FORM.fields if each.kind != "file"]
            assert [each["name"] for each in welcome["form"]["fields"]] == named
            bait = await answered(page, "refused", type="form", id="f-0", values={}, website="x")
            assert bait["fields"] == {"website": "Leave the last field empty: only programs see it."}
            # A call can be had at a time at which somebody is there, and at no other.
            times = (await answered(page, "times", type="times"))["times"]
            assert isinstance(times, list)
            first = times[0]
            early = (clock() + timedelta(minutes=5)).isoformat()
            refused = await answered(page, "refused", type="callback", id="c-0", number=NUMBER, at=early)
            assert "Nobody is there then" in str(refused["fields"])
            told = await answered(page, "callback", type="callback", id="c-1", number=NUMBER, at=first)
            assert datetime.fromisoformat(str(told["due_at"])) == datetime.fromisoformat(first)

        async def asked() -> bool:
            query = "select language = 'zh_CN' from interaction where channel = 'callback'"
            return bool(await world.pool.fetchval(query))

        await eventually(asked)
