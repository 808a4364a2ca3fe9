"""Chats: opened once, each line once, and ended by whoever leaves."""

import asyncio
from datetime import timedelta

import pytest

from callcenter.actions import answers, chats, interactions, uploads
from callcenter.domain.chat import Identity, Proof, Side, Visitor
from callcenter.domain.interaction import Outcome, State
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import chats as store
from callcenter.store.chats import Chat, Widget
from callcenter.store.pool import Pool
from tests.builders import NOW, Floor, later, make_customer, make_floor, make_queue, reserve


async def make_widget(pool: Pool, queue: int, key: str = "shop") -> Widget:
    await pool.execute(
        "insert into widget (key, queue_id, sites) values ($1, $2, '{https://shop.example}')", key, queue
    )
    return await store.widget(pool, key)


def a_visitor(token: str = "t" * 22, **given: object) -> Visitor:
    return Visitor(**{"token": token, "browser": "b" * 22, "language": "en", **given})  # type: ignore[arg-type]


@pytest.fixture
async def floor(pool: Pool) -> Floor:
    return await make_floor(pool)


@pytest.fixture
async def widget(floor: Floor, pool: Pool) -> Widget:
    return await make_widget(pool, floor.queue)


async def opened(floor: Floor, widget: Widget, visitor: Visitor | None = None) -> Chat:
    return await chats.open_chat(floor.log, visitor or a_visitor(), widget=widget, node=floor.node, now=NOW)


async def taken(floor: Floor, widget: Widget) -> Chat:
    chat = await opened(floor, widget)
    reservation = await reserve(floor.log, chat.interaction, floor.agent)
    await interactions.answer(floor.log, reservation, now=later(1))
    return await store.get(floor.log.pool, chat.interaction)


async def said(floor: Floor, chat: Chat, text: str, client_id: str, author: int | None = None) -> int:
    line = await chats.say(floor.log, chat.interaction, author=author, text=text, client_id=client_id, now=later(2))
    return line.n


async def test_a_chat_waits_in_its_widgets_queue_and_is_opened_once_a_token(floor: Floor, widget: Widget) -> None:
    chat = await opened(floor, widget)
    again = await opened(floor, widget)
    assert again == chat
    assert (chat.state, chat.queue, chat.identity) == (State.QUEUED, floor.queue, Identity.ANONYMOUS)
    assert await floor.log.pool.fetchval("select count(*) from interaction") == 1
    kept = await floor.log.pool.fetchrow("select external_id, address from interaction")
    assert kept is not None
    assert "ttt" not in kept["external_id"]


async def test_two_tabs_that_open_the_same_chat_at_once_open_one(floor: Floor, widget: Widget) -> None:
    first, second = await asyncio.gather(opened(floor, widget), opened(floor, widget))
    assert first.interaction == second.interaction


async def test_a_line_that_is_sent_again_stands_there_once(floor: Floor, widget: Widget) -> None:
    chat = await opened(floor, widget)
    assert await said(floor, chat, "Hello?", "a-1") == 1
    assert await said(floor, chat, "Hello?", "a-1") == 1
    assert await said(floor, chat, "Anybody there?", "a-2") == 2
    assert [line.text for line in await store.lines(floor.log.pool, chat.interaction)] == ["Hello?", "Anybody there?"]
    assert [line.n for line in await store.lines(floor.log.pool, chat.interaction, after=1)] == [2]


async def test_lines_said_at_once_have_each_a_number_of_its_own(floor: Floor, widget: Widget) -> None:
    chat = await opened(floor, widget)
    numbers = await asyncio.gather(*(said(floor, chat, f"line {n}", f"a-{n}") for n in range(20)))
    assert sorted(numbers) == list(range(1, 21))


async def test_the_log_knows_that_something_was_said_and_not_what(floor: Floor, widget: Widget) -> None:
    chat = await taken(floor, widget)
    await said(floor, chat, "my secret", "a-1")
    await said(floor, chat, "is safe", "b-1", floor.agent)
    rows = await floor.log.pool.fetch(
        "select kind, agent_id, actor_id, data from contact_log where kind like 'message.%'"
    )
    assert [(row["kind"], row["data"]["line"], row["actor_id"]) for row in rows] == [
        ("message.received", 1, None),
        ("message.sent", 2, floor.agent),
    ]
    assert all("secret" not in str(row["data"]) for row in rows)
    assert {row["agent_id"] for row in rows} == {floor.agent}


async def test_an_agent_speaks_when_the_chat_is_theirs_and_nobody_when_it_is_over(floor: Floor, widget: Widget) -> None:
    chat = await opened(floor, widget)
    with pytest.raises(Conflict, match="Nobody has taken"):
        await said(floor, chat, "Hello", "b-1", floor.agent)
    await chats.close(floor.log, chat, by=Side.VISITOR, cause="visitor", now=later(30))
    for author in (None, floor.agent):
        with pytest.raises(Conflict, match="over"):
            await said(floor, chat, "Hello", "c-1", author)


async def test_read_marks_move_forward_only_and_no_further_than_the_last_line(floor: Floor, widget: Widget) -> None:
    chat = await taken(floor, widget)
    await said(floor, chat, "One", "a-1")
    await said(floor, chat, "Two", "a-2")
    for upto in (1, 9, 1):
        await chats.read(floor.log, chat.interaction, reader=floor.agent, upto=upto, now=later(3))
    now = await store.get(floor.log.pool, chat.interaction)
    assert (now.last, now.agent_read, now.visitor_read) == (2, 2, 2)
    marks = await floor.log.pool.fetch("select data from contact_log where kind = 'message.read' order by seq")
    assert [(each["data"]["by"], each["data"]["upto"]) for each in marks] == [("agent", 1), ("agent", 2)]
    with pytest.raises(Invalid):
        await chats.read(floor.log, chat.interaction, reader=None, upto=0, now=later(3))


@pytest.mark.parametrize(("after", "outcome"), [(3, Outcome.SHORT_ABANDONED), (30, Outcome.ABANDONED)])
async def test_a_visitor_who_leaves_before_anybody_came_has_given_up(
    floor: Floor, widget: Widget, after: float, outcome: Outcome
) -> None:
    chat = await opened(floor, widget)
    assert await chats.close(floor.log, chat, by=Side.VISITOR, cause="visitor", now=later(after))
    assert not await chats.close(floor.log, chat, by=Side.VISITOR, cause="visitor", now=later(after))
    over = await store.get(floor.log.pool, chat.interaction)
    assert (over.state, over.outcome, over.open) == (State.CLOSED, outcome, False)


async def test_a_visitor_who_leaves_a_conversation_ends_it_and_the_agent_wraps_up(floor: Floor, widget: Widget) -> None:
    waiting = await opened(floor, widget)
    reservation = await reserve(floor.log, waiting.interaction, floor.agent)
    await interactions.answer(floor.log, reservation, now=later(1))
    # What the closing side had read is older than the answer.
    assert await chats.close(floor.log, waiting, by=Side.VISITOR, cause="visitor", now=later(60))
    over = await store.get(floor.log.pool, waiting.interaction)
    assert (over.state, over.outcome) == (State.WRAPPING, Outcome.HANDLED)


async def test_a_sites_word_finds_the_customer_by_its_own_number(floor: Floor, widget: Widget) -> None:
    pool = floor.log.pool
    wang = await make_customer(pool, "王芳")
    await pool.execute("update customer set external_id = 'C-1' where id = $1", wang)
    proof = Proof("C-1", "wang@example.com", "王芳")
    chat = await opened(floor, widget, a_visitor(proof=proof))
    assert (chat.customer, chat.identity, chat.name) == (wang, Identity.VERIFIED, "王芳")
    address = await pool.fetchrow("select kind, value, certainty from address")
    assert address is not None
    assert tuple(address) == ("email", "wang@example.com", "verified")


async def test_a_typed_address_finds_its_customer_and_proves_nothing(floor: Floor, widget: Widget) -> None:
    pool = floor.log.pool
    wang = await make_customer(pool, "王芳")
    await pool.execute("insert into address (customer_id, kind, value) values ($1, 'email', 'wang@example.com')", wang)
    chat = await opened(floor, widget, a_visitor(email="wang@example.com"))
    assert (chat.customer, chat.identity) == (wang, Identity.TYPED)
    assert await pool.fetchval("select certainty from address") == "known"


async def test_files_go_with_a_line_of_whoever_uploaded_them(floor: Floor, widget: Widget) -> None:
    chat = await opened(floor, widget)
    own = await uploads.keep(
        floor.log, "led.txt", "text/plain", b"dark", owner=chats.owner_of(chat.interaction), now=NOW
    )
    line = await chats.say(
        floor.log, chat.interaction, author=None, text="", client_id="a-1", files=[own], now=later(1)
    )
    assert await floor.log.pool.fetchval("select message_id from upload where id = $1", own) == line.message
    foreign = await uploads.keep(floor.log, "other.txt", "text/plain", b"x", owner="chat:999", now=NOW)
    with pytest.raises(Invalid):
        await chats.say(
            floor.log, chat.interaction, author=None, text="", client_id="a-2", files=[foreign], now=later(1)
        )
    assert (await store.get(floor.log.pool, chat.interaction)).last == 1


async def test_the_node_that_a_visitor_moved_to_is_believed(floor: Floor, widget: Widget) -> None:
    chat = await opened(floor, widget)
    await chats.come(floor.log, chat.interaction, node=77, page="https://shop.example/cart", page_title="Cart")
    await chats.leave(floor.log, chat.interaction, node=floor.node, now=later(5))
    here = await store.get(floor.log.pool, chat.interaction)
    assert (here.gone_at, here.page) == (None, "https://shop.example/cart")
    await chats.leave(floor.log, chat.interaction, node=77, now=later(6))
    assert (await store.get(floor.log.pool, chat.interaction)).gone_at == NOW + timedelta(seconds=6)
    await chats.come(floor.log, chat.interaction, node=77, page=None, page_title=None)
    back = await store.get(floor.log.pool, chat.interaction)
    assert (back.gone_at, back.page_title) == (None, "Cart")


async def test_a_widget_of_a_queue_that_is_no_more_is_gone(floor: Floor, pool: Pool) -> None:
    other = await make_queue(pool, "old", active=False)
    with pytest.raises(NotFound, match="no widget"):
        await make_widget(pool, other, "old")


async def test_what_another_system_answers_in_a_chat_is_its_next_line(floor: Floor, widget: Widget) -> None:
    chat = await taken(floor, widget)
    await answers.reply(floor.log, chat.interaction, text="One moment.", actor=floor.agent, now=later(3))
    [line] = await store.lines(floor.log.pool, chat.interaction)
    assert (line.text, line.author) == ("One moment.", floor.agent)
