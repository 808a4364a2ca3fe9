"""A visitor of a web page chats with an agent, whatever becomes of the page, the network and the server."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from callcenter.actions import chats, interactions, opinions
from callcenter.app import clock, running
from callcenter.feed import Signal
from channels.web.visitor import Visitor
from tests.builders import arrive, eventually, make_customer
from tests.channels.web.pages import Page, a_page, make_widget
from tests.domain.test_chat import signed
from tests.journeys.world import World, a_world, settings_for

SURVEY = {"ask": "csat", "bad": 2, "delay": 600, "not_again": 0, "valid": 86400, "change_within": 3600}

ASKED = """insert into survey (interaction_id, customer_id, queue_id, ask, bad, change_within, asked_at, expires_at)
values ($1, $2, $3, 'csat', 2, '1 hour', $4, $4)"""


async def answered(world: World, chat: int, text: str, *, who: str = "amy") -> None:
    await chats.say(
        world.server.log, chat, author=world.agents[who], text=text, client_id=f"agent-{len(text)}", now=clock()
    )


async def waiting(world: World, page: Page, text: str = "Hello?") -> int:
    """The chat that a first line opened."""
    await page.say(text)
    event = await world.until("interaction.arrived", channel="chat")
    ident: int = event["interaction"]
    return ident


async def talking(world: World, page: Page) -> int:
    """Amy has it."""
    ident = await waiting(world, page)
    await world.pop("amy")
    await world.ask("POST", f"/interactions/{ident}/accept")
    await page.shows("talking")
    return ident


async def test_a_visitor_writes_waits_is_answered_and_leaves(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue, greeting={"en": "How can we help?"})
        async with a_page(world.http, world.server.url) as page:
            welcome = await page.got("welcome")
            assert (welcome["greeting"], welcome["open"], welcome["chat"]) == ("How can we help?", True, False)
            ident = await waiting(world, page)
            await page.until(lambda visitor: visitor.state.get("position") == 1)
            await world.on_queue("amy")
            await world.pop("amy")
            await world.ask("POST", f"/interactions/{ident}/accept")
            await page.shows("talking")
            assert page.visitor.state["agent"] == "Amy"
            await answered(world, ident, "Good morning!")
            await page.until(lambda visitor: len(visitor.lines) == 2)
            line = page.visitor.lines[1]
            assert (line["by"], line["name"], line["text"]) == ("agent", "Amy", "Good morning!")
            read = await world.until("message.read", interaction=ident, by="visitor")
            assert read["data"]["upto"] == 2
            await page.say("I have a question.")
            await page.until(lambda visitor: len(visitor.lines) == 3)
            await chats.read(world.server.log, ident, reader=world.agents["amy"], upto=3, now=clock())
            await page.until(lambda visitor: visitor.state.get("read") == 3)
            await page.send(type="close")
            await page.shows("over")
        await world.until("interaction.ended", interaction=ident, cause="visitor")
        await world.ask("POST", f"/interactions/{ident}/wrap-up", disposition="solved", note="")
        whole = await world.interaction(ident)
        assert (whole["state"], whole["outcome"]) == ("closed", "handled")


async def test_the_conversation_goes_on_behind_a_restart_in_its_middle(database: str) -> None:
    """What was said while nobody served is sent again, and what the page has is not sent twice."""
    visitor = Visitor()
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        await world.on_queue("amy")
        async with a_page(world.http, world.server.url, visitor) as page:
            ident = await talking(world, page)
            await answered(world, ident, "Good morning!")
            await page.until(lambda visitor: len(visitor.lines) == 2)
        amy, settings = world.agents["amy"], settings_for(world.pbx)
        visitor.say("Are you there?")
    async with running(settings, database) as server, aiohttp.ClientSession() as http:
        await chats.say(server.log, ident, author=amy, text="A moment.", client_id="agent-x", now=clock())
        async with a_page(http, server.url, visitor) as page, a_page(http, server.url, visitor) as other:
            await page.until(lambda visitor: len(visitor.lines) == 4)
            assert [line["text"] for line in visitor.lines] == [
                "Hello?", "Good morning!", "A moment.", "Are you there?",
            ]  # fmt: skip
            await other.shows("talking")
            assert page.visitor.state["agent"] == "Amy"


async def test_two_tabs_show_the_same_chat_and_a_third_page_has_all_of_it(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        await world.on_queue("amy")
        one = Visitor()
        two = Visitor(token=one.token, browser=one.browser)
        async with a_page(world.http, world.server.url, one) as first:
            ident = await talking(world, first)
            async with a_page(world.http, world.server.url, two) as second:
                await second.shows("talking")
                await second.say("And from here?")
                await first.until(lambda visitor: len(visitor.lines) == 2)
                await answered(world, ident, "Both!")
                for page in (first, second):
                    await page.until(lambda visitor: [line["n"] for line in visitor.lines] == [1, 2, 3])
        three = Visitor(token=one.token, browser=one.browser)
        async with a_page(world.http, world.server.url, three) as third:
            await third.until(lambda visitor: len(visitor.lines) == 3)
        assert await world.pool.fetchval("select count(*) from interaction where channel = 'chat'") == 1


async def test_a_visitor_who_does_not_come_back_is_waited_for_and_then_gone(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        async with a_page(world.http, world.server.url) as page:
            ident = await waiting(world, page)
            await page.shows("waiting")

        async def away() -> bool:
            return await world.pool.fetchval("select gone_at from chat") is not None

        await eventually(away)
        assert await chats.close_left(world.server.log, node=None, now=clock()) == 0
        await world.pool.execute("update chat set gone_at = gone_at - interval '3 minutes'")
        await chats.close_left(world.server.log, node=None, now=clock())
        event = await world.until("interaction.abandoned", interaction=ident)
        assert event["data"]["cause"] == "visitor_left"


async def test_who_types_is_seen_by_the_other_side_and_leaves_no_trace(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        await world.on_queue("amy")
        heard: list[Signal] = []
        world.server.feed.hear(heard.append)
        async with a_page(world.http, world.server.url) as page:
            ident = await talking(world, page)
            world.server.feed.signal(Signal(ident, "typing", "agent"))
            await page.got("typing")
            await page.send(type="typing")

            async def seen() -> bool:
                return Signal(ident, "typing", "visitor") in heard

            await eventually(seen)
            await page.send(type="page", page="https://shop.example/cart?token=1", title="Cart")

            async def moved() -> bool:
                return tuple(await world.pool.fetchrow("select page, page_title from chat") or ()) == (
                    "https://shop.example/cart",
                    "Cart",
                )

            await eventually(moved)
        kinds = {row["kind"] for row in await world.pool.fetch("select kind from contact_log")}
        assert not any("typing" in kind or "page" in kind for kind in kinds)


async def test_a_site_that_is_not_the_widgets_is_not_let_in(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        for key, site, status in (("shop", "https://evil.example", 403), ("none", "https://shop.example", 404)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with a_page(world.http, world.server.url, key=key, site=site):
                    pass
            assert refused.value.status == status


async def test_frames_beyond_their_limits_end_a_connection_with_a_reason(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        async with a_page(world.http, world.server.url) as page:
            await page.got("welcome")
            await page.socket.send_str("x" * 70_000)
            await page.until(lambda _: page.socket.closed)
            assert page.socket.close_code == 1009


async def test_who_the_site_says_it_is_is_known_at_once_and_a_forged_word_is_not(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue, secret="s" * 32)
        await world.pool.execute("update customer set external_id = 'C-1'")
        claims = {"sub": "C-1", "email": "wang@example.com", "exp": clock().timestamp() + 600}
        async with a_page(world.http, world.server.url, Visitor(proof=signed(claims))) as page:
            await page.say("It is me.")
            await page.shows("waiting")
        row = await world.pool.fetchrow(
            "select i.customer_id, c.identity from chat c join interaction i on i.id = c.interaction_id"
        )
        assert row is not None
        assert (row["customer_id"] is not None, row["identity"]) == (True, "verified")
        forged = Visitor(proof=signed(claims, secret="x" * 32))
        async with a_page(world.http, world.server.url, forged) as page:
            await page.say("It is me too.")
            await page.until(lambda visitor: visitor.refused)
            assert forged.refused[0]["code"] == "bad"
            assert "not signed with this widget's key" in forged.refused[0]["reason"]


async def test_a_file_of_the_visitor_is_a_line_and_can_be_fetched_by_its_link_alone(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        async with a_page(world.http, world.server.url) as page:
            await waiting(world, page)
            data = b"It is dark. " * 6000
            await page.send(type="file", id="f-1", name="led.txt", kind="text/plain", size=len(data))
            for at in range(0, len(data), 32_000):
                await page.socket.send_bytes(data[at : at + 32_000])
            await page.until(lambda visitor: len(visitor.lines) == 2)
            (file,) = page.visitor.lines[1]["files"]
            assert (file["name"], file["size"]) == ("led.txt", len(data))
            async with world.http.get(world.server.url + file["url"]) as response:
                assert (response.status, await response.read()) == (200, data)
                assert response.headers["Content-Disposition"].startswith("attachment")
            async with world.http.get(world.server.url + file["url"][:-4] + "AAAA") as response:
                assert response.status == 422
            await page.send(type="file", id="f-2", name="x.html", kind="text/html", size=22)
            await page.socket.send_bytes(b"<script>alert()</script"[:22])
            await page.until(lambda visitor: visitor.refused)


async def test_before_anybody_asked_for_files_a_chat_takes_a_few(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        async with a_page(world.http, world.server.url) as page:
            ident = await waiting(world, page)

            async def file(name: str, size: int) -> None:
                data = b"It stays dark. " * (size // 15)
                await page.send(type="file", id=name, name=f"{name}.txt", kind="text/plain", size=len(data))
                for at in range(0, len(data), 60_000):
                    await page.socket.send_bytes(data[at : at + 60_000])

            await file("large", 9_000_000)
            await page.until(lambda visitor: len(visitor.lines) == 2)
            await file("too-much", 9_000_000)
            await page.until(lambda visitor: visitor.refused)
            refused = page.visitor.refused[0]
            assert (refused["id"], refused["code"]) == ("too-much", "files")
            assert refused["reason"] == "Until somebody is there at most 3 files, 15 MB together, are taken."
            for n in range(3):
                await file(f"small-{n}", 3_000)
            await page.until(lambda visitor: len(visitor.refused) == 2)
            assert page.visitor.refused[1]["id"] == "small-2"
            await world.on_queue("amy")
            await world.pop("amy")
            await world.ask("POST", f"/interactions/{ident}/accept")
            await page.shows("talking")
            await file("asked-for", 9_000_000)
            await page.until(lambda visitor: len(visitor.lines) == 5)


async def test_chats_of_one_address_fill_nothing_with_files(database: str) -> None:
    """Every chat is a new one, and costs whoever opens it nothing."""
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        data = b"It stays dark. " * 600_000
        for n in range(6):
            async with a_page(world.http, world.server.url) as page:
                await page.say("Hello?")
                await page.send(type="file", id="f", name="dark.txt", kind="text/plain", size=len(data))
                for at in range(0, len(data), 60_000):
                    await page.socket.send_bytes(data[at : at + 60_000])
                if n < 5:
                    await page.until(lambda visitor: len(visitor.lines) == 2)
                    continue
                await page.until(lambda visitor: visitor.refused)
                assert page.visitor.refused[0]["code"] == "rate"


async def test_outside_of_its_hours_nobody_is_let_wait(database: str) -> None:
    async with a_world(database) as world:
        await make_widget(world.pool, world.queue)
        long_ago = {"2020-01-01": ["09:00-10:00"]}
        await world.pool.execute("insert into hours (name, timezone, open) values ('never', 'UTC', $1)", long_ago)
        await world.pool.execute("update queue set hours_id = (select id from hours)")
        await world.applied()
        async with a_page(world.http, world.server.url) as page:
            assert (await page.got("welcome"))["open"] is False
            await page.say("Hello?")
            await page.until(lambda visitor: visitor.refused)
            assert page.visitor.refused[0]["code"] == "closed"
        assert await world.pool.fetchval("select count(*) from interaction") == 0


async def test_a_visitor_says_how_it_was_and_has_the_conversation_sent(database: str) -> None:
    async with a_world(database, queue={"survey": SURVEY}) as world:
        await make_widget(world.pool, world.queue)
        await world.on_queue("amy")
        async with a_page(world.http, world.server.url) as page:
            ident = await talking(world, page)
            await page.send(type="transcript", email="wang@example.com")
            refused = await page.got("refused")
            assert refused["reason"] == "Nobody has answered yet."
            await answered(world, ident, "Good morning!")
            await page.until(lambda visitor: len(visitor.lines) == 2)
            await page.send(type="transcript", email="wang@example.com")
            await page.got("sent")
            await page.send(type="close")
            await page.shows("over")
            assert page.visitor.state["stars"] is True
            await page.send(type="rate", score=5)
            await page.got("rated")
        letter = await world.pool.fetchrow("select recipient, template, data from outbox")
        assert letter is not None
        assert (letter["recipient"], letter["template"]) == ("wang@example.com", "transcript")
        assert [line["text"] for line in letter["data"]["lines"]] == ["Hello?", "Good morning!"]
        event = await world.until("survey.answered", interaction=ident)
        assert event["data"]["score"] == 5


async def test_stars_count_as_asked_when_they_are_shown_and_once_for_all_pages_of_the_chat(database: str) -> None:
    async with a_world(database, queue={"survey": SURVEY}) as world:
        await make_widget(world.pool, world.queue)
        await world.on_queue("amy")
        async with a_page(world.http, world.server.url) as page:
            ident = await talking(world, page)
            assert await world.pool.fetchval("select count(*) from survey") == 0
            await page.send(type="close")
            await page.shows("over")
            shown = page.visitor.state["stars"]
            again = await asyncio.gather(
                *(opinions.ask_visitor(world.server.log, ident, now=clock()) for _ in range(4))
            )
        assert (shown, again) == (True, [True] * 4)
        asked = await world.pool.fetch(
            "select via, answered_at, outbox_id from survey where interaction_id = $1", ident
        )
        assert [tuple(row) for row in asked] == [("chat", None, None)]
        await world.pool.execute("update survey set expires_at = asked_at")
        assert not await opinions.ask_visitor(world.server.log, ident, now=clock())


@pytest.mark.parametrize(("days", "stars"), [(29, False), (31, True)])
async def test_a_visitor_who_was_asked_lately_is_not_asked_again(database: str, days: int, stars: bool) -> None:
    async with a_world(database, queue={"survey": {**SURVEY, "not_again": 30 * 86400}}) as world:
        await make_widget(world.pool, world.queue)
        await world.on_queue("amy")
        customer = await make_customer(world.pool)
        earlier = await arrive(world.server.log, queue=world.queue, queued=False)
        await world.pool.execute(ASKED, earlier, customer, world.queue, clock() - timedelta(days=days))
        async with a_page(world.http, world.server.url) as page:
            ident = await talking(world, page)
            who = world.agents["amy"]
            await interactions.identify(world.server.log, ident, customer=customer, actor=who, now=clock())
            await page.send(type="close")
            await page.shows("over")
            assert page.visitor.state["stars"] is stars
